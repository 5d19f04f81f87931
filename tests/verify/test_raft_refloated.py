"""Raft Refloated (Howard et al. 2015): the output of another simulator, whose model is known but for its code.

The paper's scenario is a cold start of five live nodes, one of them with a log too short for anybody's vote; a
candidate's retry timeout is the usual one (`org`), or uniform in 23 to 46 ms (`fixed`).

Source: /work/shared/reference/README.md in the project's workspace, published/raft_refloated.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest

from tests.verify.parallel import over_trials
from tests.verify.quantiles import REFLOATED, distance_to, published
from tests.verify.raft_trials import elected, scenario_spec
from tests.verify.record import Comparison, Record

TRIALS = 10_000
CRITICAL_DISTANCE = 0.059  # At 5 %, 1000 against 10 000, corrected for fourteen tests (Bonferroni).
STANDARD_ERRORS = 3
SOURCE = "Howard et al. 2015"

pytestmark = pytest.mark.verify


def bounds_ms(name: str) -> tuple[int, int]:
    low, high = name.rpartition("_")[2].split("-")
    return int(low), int(high)


@pytest.mark.parametrize("name", REFLOATED.data_sets)
def test_election_times_and_packets(name: str, record: Record) -> None:
    """Counted as published: from an instant uniform in half the least timeout on, rounded down to milliseconds."""
    low, high = bounds_ms(name)
    overrides = [f"algorithm.election_timeout=[{low}ms, {high}ms]", f"algorithm.heartbeat_interval={low / 2}ms"]
    if name.startswith("fixed"):
        overrides.append("algorithm.candidate_timeout=[23ms, 46ms]")
    spec = scenario_spec("raft-refloated", *overrides)
    found = list(over_trials(partial(elected, spec, 1 + REFLOATED.data_sets.index(name)), TRIALS))
    offsets = np.random.default_rng(low * 1000 + high).uniform(0, low / 2, TRIALS)
    times = np.floor(np.array([one.time_ms for one in found]) - offsets)
    packets = np.array([one.packets for one in found])

    truth = published(name, REFLOATED)
    distance = distance_to(times, truth)
    mean, packets_mean = truth.facts["packets_mean"], float(packets.mean())
    error = math.hypot(truth.facts["packets_sd"] / math.sqrt(truth.size), float(packets.std()) / math.sqrt(TRIALS))
    off = (packets_mean - mean) / error
    print(f"Raft Refloated {name}: distance {distance:.4f}, packets {packets_mean:.1f}, off by {off:+.1f}", flush=True)
    record.found += [
        Comparison(
            f"Raft Refloated, {name}: election time, mean in ms",
            SOURCE,
            f"{truth.mean:.1f}",
            f"{times.mean():.1f}",
            f"KS {distance:.4f}",
            f"{CRITICAL_DISTANCE}",
            distance < CRITICAL_DISTANCE,
        ),
        Comparison(
            f"Raft Refloated, {name}: packets, mean",
            SOURCE,
            f"{mean:.1f}",
            f"{packets_mean:.1f} ± {1.96 * float(packets.std()) / math.sqrt(TRIALS):.1f}",
            f"{off:+.1f} standard errors",
            f"{STANDARD_ERRORS}",
            abs(off) < STANDARD_ERRORS,
        ),
    ]
    assert distance < CRITICAL_DISTANCE
    assert abs(off) < STANDARD_ERRORS
