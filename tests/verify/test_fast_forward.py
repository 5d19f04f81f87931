"""Fast-forward changes no result, over many random scenarios (issue 14, "Years in seconds").

tests/cluster/test_fast_forward.py has an extract.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

import simulator
from simulator.cluster.cluster import run_trial
from simulator.scenario.text.errors import ScenarioError
from tests.support.fast_forward import OPTIONS, scenario

pytestmark = pytest.mark.verify

SEEDS = 1000


@pytest.mark.parametrize("algorithm", OPTIONS)
def test_random_scenarios_have_the_same_digest_with_and_without(algorithm: str) -> None:
    """ "a property test over random scenarios, with and without, same digest" (issue 14)."""
    different = []
    for seed in range(100, 100 + SEEDS):
        try:
            spec = simulator.loads(scenario(algorithm, seed)).cluster_spec()
        except ScenarioError:  # A nemesis whose faults are too large for the cluster.
            continue
        slow = run_trial(replace(spec, fast_forward=False), seed, 0)
        fast = run_trial(spec, seed, 0)
        if (fast.digest, fast.extra_bytes) != (slow.digest, slow.extra_bytes):
            different.append(seed)
    assert different == []
