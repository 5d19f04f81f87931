"""All nodes follow one leader once faults are over: every algorithm, many random schedules (issue 13)."""

from __future__ import annotations

from functools import cache, partial

import pytest

from simulator.algorithms.registry import REGISTRY
from simulator.cluster.spec import ClusterSpec
from simulator.experiment.trial import simulate
from simulator.protocol import SECOND
from tests.support.everybody import CANNOT, disturbed, transports
from tests.verify.parallel import over_trials
from tests.verify.record import Comparison, Record

SEED = 1313
TRIALS = 300
RING_TRIALS = 1000  # Of them it is known that they could disagree for ever.
RINGS = frozenset(("ring", "chang-roberts", "hirschberg-sinclair"))
CASES = [(name, transport) for name in sorted(REGISTRY) if name not in CANNOT for transport in transports(name)]

pytestmark = pytest.mark.verify


@cache
def spec_of(name: str, transport: str) -> ClusterSpec:
    """Made once in each worker."""
    return disturbed(name, transport).cluster_spec()


def examine(name: str, transport: str, trial: int) -> tuple[str, float, str]:
    """The verdict on a trial, the seconds until all followed, and what was violated."""
    result = simulate(spec_of(name, transport), SEED, trial)
    recovery_s = result.row["recovery_s"]
    broken = "; ".join(map(str, result.violations))
    return result.row["liveness"], float("nan") if recovery_s is None else recovery_s, broken


@pytest.mark.parametrize(("name", "transport"), CASES)
def test_all_follow_one_leader_when_faults_are_over(name: str, transport: str, record: Record) -> None:
    """Issue 13: "hold every algorithm to it once faults are over; those that cannot are listed with the reason"."""
    trials = RING_TRIALS if name in RINGS else TRIALS
    found = list(over_trials(partial(examine, name, transport), trials))
    failed = [trial for trial, (verdict, _, _) in enumerate(found) if verdict != "recovered"]
    within_s = (spec_of(name, transport).liveness_within or 0) / SECOND
    latest_s = max(recovery_s for verdict, recovery_s, _ in found if verdict == "recovered")
    record.found.append(
        Comparison(
            f"{name}, {transport}: trials of {trials} random schedules after which not all follow one leader in time",
            "eventual agreement (issue 13)",
            f"0 within {within_s:g} s",
            f"{len(failed)}; the last after {latest_s:.2f} s",
            f"{len(failed)}",
            "0",
            not failed,
        )
    )
    assert not failed, failed[:5]
    assert [broken for _, _, broken in found if broken] == []
