"""Members that change under faults: what is promised holds, and the checks see every deliberate fault (chapter 4)."""

from __future__ import annotations

from collections import Counter

import pytest

from simulator.algorithms.raft.changes import Changes
from simulator.algorithms.raft.membership import Membership
from simulator.algorithms.registry import REGISTRY
from simulator.checks.safety import violations
from simulator.cluster.cluster import run_trial
from simulator.protocol import Guarantee
from simulator.trace import kinds
from tests.checks.membership import FAULTS, mutant, random_members

SEED = 1
TRIALS = 400
MOST_TRIALS = 1000  # As far as a mutant is looked at.


def test_raft_keeps_its_promises_while_members_change() -> None:
    """Every promise, by the configuration of whoever claims (dissertation, 4.1)."""
    seen: Counter[str] = Counter()
    for trial in range(TRIALS):
        trace = run_trial(random_members(REGISTRY["raft"], SEED, trial), SEED, trial)
        found = violations(trace, set(Guarantee))
        assert not found, f"trial {trial}: {found[0]}"
        seen.update(row.kind for row in trace.rows)
    print(dict(seen))
    # Trials in which nobody came or went would prove nothing.
    assert seen[kinds.CONFIGURATION] > 10 * TRIALS
    assert seen[kinds.CHANGE_GIVEN_UP] > TRIALS / 20
    assert seen[kinds.COMMIT] > 20 * TRIALS


@pytest.mark.parametrize("fault", FAULTS)
def test_a_deliberate_fault_of_membership_is_seen(fault: type[Changes] | type[Membership]) -> None:
    """Each mutant's docstring cites the rule that it breaks."""
    registration = mutant(fault)
    for trial in range(MOST_TRIALS):
        found = violations(run_trial(random_members(registration, SEED, trial), SEED, trial), set(Guarantee))
        if found:
            print(f"{fault.__name__}: {found[0].guarantee} is broken in trial {trial}, the first of {trial + 1}")
            return
    pytest.fail(f"{MOST_TRIALS} trials do not show it")
