"""Whatever detector an algorithm offers, it elects with: an option that ends in an error is none."""

from __future__ import annotations

from dataclasses import fields

import pytest

from simulator.algorithms.detectors import DETECTORS
from simulator.algorithms.registry import REGISTRY
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant
from simulator.cluster.faults.node_faults import Crash
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec
from simulator.metrics.elections import Outcome, elections
from simulator.protocol import MILLISECOND, SECOND
from simulator.scenario.algorithms import ALGORITHMS
from tests.support.probe import at

WITH_DETECTOR = sorted(
    name
    for name, registration in REGISTRY.items()
    if "detector" in {option.name for option in fields(registration.config)}
)


def test_some_algorithms_have_one() -> None:
    assert {"bully", "omega"} <= set(WITH_DETECTOR)


@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize("name", WITH_DETECTOR)
def test_every_algorithm_elects_again_with_every_detector(name: str, detector: str) -> None:
    """Issue 5: failure detectors are "injected into the algorithms that need one"."""
    form = ALGORITHMS[name].model_validate({"name": name, "detector": detector})
    spec = ClusterSpec(
        registration=REGISTRY[name],
        config=form.config(),
        nodes=5,
        duration=30 * SECOND,
        network=NetworkSpec(latency=Constant(5 * MILLISECOND)),
        faults=(at(10_000, Crash("leader")),),
    )
    last = elections(run_trial(spec, seed=1, trial=0))[-1]
    assert (last.loss_cause, last.outcome) == ("crash", Outcome.ELECTED)
