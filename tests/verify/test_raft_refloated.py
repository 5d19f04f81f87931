"""Raft Refloated (Howard et al. 2015): the output of another simulator, whose model is known but for its code.

The paper's scenario is a cold start of five live nodes, one of them with a log too short for anybody's vote; a
candidate's retry timeout is the usual one (`org`), uniform in 23 to 46 ms (`fixed`), doubled with each candidacy in a
row that half of the others refused (`expo`), or both (`combo`). In `ine-1` two nodes may be elected, and in `ine-5`
all.

Sources: the paper, and its simulator (heidihoward/ocaml-raft, lib: config.ml, simulator.ml, state.ml and env.ml).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest

from tests.verify.parallel import over_trials
from tests.verify.quantiles import REFLOATED, REFLOATED_MORE, Collection, distance_to, published
from tests.verify.raft_trials import elected, scenario_spec
from tests.verify.record import Comparison, Record

SOURCE = "Howard et al. 2015"
BACKOFF = ("algorithm.candidate_backoff=2", "algorithm.backoff_multiplies=draw")
QUICK_RETRY = ("algorithm.candidate_timeout=[23ms, 46ms]",)
# What each experiment changes in the scenario (ocaml-raft, lib/config.ml). Its nodes are numbered from 0, and may be
# elected up to the number that it names: `ine-1` leaves two, `ine-5` all five.
OVERRIDES: Mapping[str, Sequence[str]] = {
    "org": (),
    "fixed": QUICK_RETRY,
    "expo": BACKOFF,
    "combo": (*QUICK_RETRY, *BACKOFF),
    "ine-1": ("cluster.logs=same", "algorithm.ineligible=[n3, n4, n5]"),
    "ine-5": ("cluster.logs=same",),
}


class Experiments(NamedTuple):
    """A collection of data sets, and the bounds at 5 %, corrected for their number (Bonferroni)."""

    collection: Collection
    trials: int
    critical_distance: float  # For 1000 published samples.
    standard_errors: float


FIRST = Experiments(REFLOATED, 10_000, 0.059, 3)
MORE = Experiments(REFLOATED_MORE, 5_000, 0.065, 3.12)

pytestmark = pytest.mark.verify


def bounds_ms(name: str) -> tuple[int, int]:
    low, high = name.rpartition("_")[2].split("-")
    return int(low), int(high)


@pytest.mark.parametrize(
    ("experiments", "name"), [(group, name) for group in (FIRST, MORE) for name in group.collection.data_sets]
)
def test_election_times_and_packets(experiments: Experiments, name: str, record: Record) -> None:
    """Counted as published: from an instant uniform in half the least timeout on, rounded down to milliseconds."""
    low, high = bounds_ms(name)
    overrides = [f"algorithm.election_timeout=[{low}ms, {high}ms]", f"algorithm.heartbeat_interval={low / 2}ms"]
    collection, trials = experiments.collection, experiments.trials
    spec = scenario_spec("raft-refloated", *overrides, *OVERRIDES[name.partition("_")[0]])
    found = list(over_trials(partial(elected, spec, 1 + collection.data_sets.index(name)), trials))
    offsets = np.random.default_rng(low * 1000 + high).uniform(0, low / 2, trials)
    times = np.floor(np.array([one.time_ms for one in found]) - offsets)
    packets = np.array([one.packets for one in found])

    truth = published(name, collection)
    distance = distance_to(times, truth)
    mean, packets_mean = truth.facts["packets_mean"], float(packets.mean())
    error = math.hypot(truth.facts["packets_sd"] / math.sqrt(truth.size), float(packets.std()) / math.sqrt(trials))
    off = (packets_mean - mean) / error
    print(f"Raft Refloated {name}: distance {distance:.4f}, packets {packets_mean:.1f}, off by {off:+.1f}", flush=True)
    record.found += [
        Comparison(
            f"Raft Refloated, {name}: election time, mean in ms",
            SOURCE,
            f"{truth.mean:.1f}",
            f"{times.mean():.1f}",
            f"KS {distance:.4f}",
            f"{experiments.critical_distance}",
            distance < experiments.critical_distance,
        ),
        Comparison(
            f"Raft Refloated, {name}: packets, mean",
            SOURCE,
            f"{mean:.1f}",
            f"{packets_mean:.1f} ± {1.96 * float(packets.std()) / math.sqrt(trials):.1f}",
            f"{round(off, 1) + 0.0:+.1f} standard errors",
            f"{experiments.standard_errors}",
            abs(off) < experiments.standard_errors,
        ),
    ]
    assert distance < experiments.critical_distance
    assert abs(off) < experiments.standard_errors
