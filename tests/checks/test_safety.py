"""Each checker of simulator.checks.safety on traces written by hand, which break the promise or do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulator.checks.safety import CHECKERS, violations
from simulator.checks.stable_period import STABLE_PERIOD_CHECKERS
from simulator.protocol import CANDIDATE, ELECTORATE, FOLLOWER, LEADER, Guarantee, NodeId, Role
from simulator.trace import event_types
from simulator.trace.trace import Row, Trace

FIVE = {ELECTORATE: (1, 2, 3, 4, 5)}


def became(time_ns: int, node: NodeId, role: Role, term: int, group: str = ELECTORATE) -> Row:
    return Row(time_ns, event_types.TRANSITION, node, term, role, node if role is LEADER else None, group)


def counted(time_ns: int, candidate: NodeId, term: int, voter: NodeId) -> Row:
    return Row(time_ns, event_types.VOTE, candidate, detail=(("term", term), ("voter", voter)))


def log(node: NodeId, last_term: int, last_index: int) -> Row:
    return Row(0, event_types.LOG, node, detail=(("last_term", last_term), ("last_index", last_index)))


def started(time_ns: int, node: NodeId, incarnation: int = 0) -> Row:
    return Row(time_ns, event_types.STARTED, node, detail=(("incarnation", incarnation),))


def crashed(time_ns: int, node: NodeId) -> Row:
    return Row(time_ns, event_types.CRASHED, node)


def found(
    guarantee: Guarantee, *rows: Row, groups: Mapping[str, Sequence[NodeId]] = FIVE
) -> list[tuple[int, tuple[NodeId, ...]]]:
    """The instants and nodes of the violations of one guarantee."""
    trace = Trace(rows=rows, end_ns=100, groups=groups)
    return [(violation.time_ns, violation.nodes) for violation in violations(trace, {guarantee})]


def test_every_guarantee_has_a_checker() -> None:
    """A promise that nothing checks is no promise (design.md, rule 5: verdicts come from the trace)."""
    assert {*CHECKERS, *STABLE_PERIOD_CHECKERS} == set(Guarantee)


# --- Election safety: "at most one leader can be elected in a given term" (Raft, figure 3)


def test_two_nodes_claim_one_term() -> None:
    # n1 claims term 1 at 10 and steps down at 15; that n2 claims term 1 at 20 is one too many all the same.
    rows = became(10, 1, LEADER, 1), became(15, 1, FOLLOWER, 2), became(20, 2, LEADER, 1)
    assert found(Guarantee.ELECTION_SAFETY, *rows) == [(20, (1, 2))]


def test_claims_in_other_terms_and_by_the_same_node_are_safe() -> None:
    # n1 claims term 1, declares it anew at 12 and is a stale leader from 20 on, when n2 claims term 2: no term has two.
    rows = became(10, 1, LEADER, 1), became(12, 1, LEADER, 1), became(20, 2, LEADER, 2)
    assert found(Guarantee.ELECTION_SAFETY, *rows) == []


def test_two_groups_may_each_have_a_leader_of_one_term() -> None:
    """Claims are compared only within a group (design.md, section 3)."""
    rows = became(10, 1, LEADER, 1, "left"), became(20, 3, LEADER, 1, "right")
    assert found(Guarantee.ELECTION_SAFETY, *rows, groups={"left": (1, 2), "right": (3, 4)}) == []


# --- One vote: "each server will vote for at most one candidate in a given term" (Raft, section 5.2)


def test_a_vote_that_counts_for_two_candidates() -> None:
    # n3's vote in term 1 counts for n1 at 10; n3 crashes and forgets; at 30 it counts for n2.
    rows = counted(10, 1, 1, 3), crashed(15, 3), started(20, 3, 1), counted(30, 2, 1, 3)
    assert found(Guarantee.ONE_VOTE, *rows) == [(30, (3, 1, 2))]


def test_votes_in_two_terms_and_a_vote_counted_twice_for_one_candidate() -> None:
    # The second row repeats the first, which a quorum's checker judges; the third is a vote of another term.
    rows = counted(10, 1, 1, 3), counted(11, 1, 1, 3), counted(20, 2, 2, 3)
    assert found(Guarantee.ONE_VOTE, *rows) == []


# --- Quorum: "votes from a majority of the servers in the full cluster for the same term" (Raft, section 5.2)


def test_a_vote_counted_twice_makes_no_quorum() -> None:
    # n1 has the votes of n1 and n2, n2's twice (a duplicated reply): 2 of 5, where 3 are a majority.
    rows = counted(10, 1, 1, 1), counted(20, 1, 1, 2), counted(21, 1, 1, 2), became(21, 1, LEADER, 1)
    assert found(Guarantee.QUORUM_OF_VOTES, *rows) == [(21, (1,))]


def test_three_of_five_are_a_quorum_and_two_of_four_are_none() -> None:
    # A majority is more than half of all members, whether they run or not: 3 of 5 is, 2 of 4 is not.
    three = counted(10, 1, 1, 1), counted(20, 1, 1, 2), counted(21, 1, 1, 5), became(21, 1, LEADER, 1)
    assert found(Guarantee.QUORUM_OF_VOTES, *three) == []
    two = counted(10, 1, 1, 1), counted(20, 1, 1, 2), became(20, 1, LEADER, 1)
    assert found(Guarantee.QUORUM_OF_VOTES, *two, groups={ELECTORATE: (1, 2, 3, 4)}) == [(20, (1,))]


def test_votes_of_an_earlier_term_or_life_do_not_count() -> None:
    # Term 2: n1 and n2, and n3's vote is of term 1. Then n4 collects three votes of term 3, but loses two in a crash.
    term = counted(5, 1, 1, 3), counted(10, 1, 2, 1), counted(11, 1, 2, 2), became(11, 1, LEADER, 2)
    votes = counted(20, 4, 3, 4), counted(21, 4, 3, 5)
    life = crashed(22, 4), started(23, 4, 1), counted(24, 4, 3, 3), became(24, 4, LEADER, 3)
    assert found(Guarantee.QUORUM_OF_VOTES, *term, *votes, *life) == [(11, (1,)), (24, (4,))]


def test_strangers_have_no_vote() -> None:
    # n9 is no member: n1 holds 2 votes of 3 with it left out, a majority; n2 of the three holds only its own.
    rows = (
        *(counted(10, 1, 1, 1), counted(11, 1, 1, 3), became(11, 1, LEADER, 1)),
        *(counted(20, 2, 2, 2), counted(21, 2, 2, 9), became(21, 2, LEADER, 2)),
    )
    assert found(Guarantee.QUORUM_OF_VOTES, *rows, groups={ELECTORATE: (1, 2, 3)}) == [(21, (2,))]


# --- Monotonic terms: the current term "increases monotonically" (Raft, figure 2)


def test_a_term_that_goes_back() -> None:
    # 2 after 3 goes back; 2 again after 2 does not.
    rows = started(0, 1), became(0, 1, FOLLOWER, 3), became(10, 1, FOLLOWER, 2), became(20, 1, CANDIDATE, 2)
    assert found(Guarantee.MONOTONIC_TERMS, *rows) == [(10, (1,))]


def test_a_crash_may_take_back_a_term_that_was_not_on_disk() -> None:
    # Nobody has counted a vote of n1's in term 1: it may not have reached the disk when n1 crashed.
    rows = became(10, 1, CANDIDATE, 1), crashed(11, 1), started(20, 1, 1), became(20, 1, FOLLOWER, 0)
    assert found(Guarantee.MONOTONIC_TERMS, *rows) == []


def test_a_crash_may_not_take_back_the_term_of_a_vote_that_counts() -> None:
    """A vote leaves its voter after the write of its term (design.md, section 3; Raft, figure 2)."""
    # n2 has counted n1's vote in term 4, so 4 was on n1's disk; it restarts in term 3.
    rows = counted(10, 2, 4, 1), crashed(11, 1), started(20, 1, 1), became(20, 1, FOLLOWER, 3)
    assert found(Guarantee.MONOTONIC_TERMS, *rows) == [(20, (1,))]


# --- Logs: the winner's "is at least as up-to-date as any other log in that majority" (Raft, section 5.4.1)


def test_a_leader_whose_log_is_behind() -> None:
    # n1 ends with (1, 4). Behind or equal: n1 and n2. Ahead: n3, longer; n4 and n5, of a later term though shorter.
    logs = log(1, 1, 4), log(2, 1, 4), log(3, 1, 5), log(4, 2, 1), log(5, 2, 1)
    assert found(Guarantee.LOG_UP_TO_DATE, *logs, became(9, 1, LEADER, 3)) == [(9, (1,))]


def test_a_leader_may_lack_what_a_minority_has() -> None:
    # n3 ends with (1, 5): n1, n2 and itself are not ahead, a majority of 5.
    logs = log(1, 1, 4), log(2, 1, 4), log(3, 1, 5), log(4, 2, 1), log(5, 2, 1)
    assert found(Guarantee.LOG_UP_TO_DATE, *logs, became(9, 3, LEADER, 3)) == []


def test_a_log_that_nobody_has_told_of_supports_nobody() -> None:
    # n4 and n5 are absent and n3 is ahead: n1's log is known to be up-to-date for n1 and n2 only, 2 of 5.
    logs = log(1, 1, 4), log(2, 1, 4), log(3, 1, 5)
    assert found(Guarantee.LOG_UP_TO_DATE, *logs, became(9, 1, LEADER, 3)) == [(9, (1,))]


def test_an_algorithm_without_logs_breaks_no_promise_about_them() -> None:
    assert found(Guarantee.LOG_UP_TO_DATE, became(9, 1, LEADER, 3)) == []


# --- All together


def test_violations_are_those_of_the_guarantees_asked_for_in_order_of_time() -> None:
    """An algorithm promises only what its paper promises (design.md, rule 7)."""
    # n1 claims term 1 without a vote at 10; n2 claims it, too, at 20, and has no vote either.
    trace = Trace(rows=(became(10, 1, LEADER, 1), became(20, 2, LEADER, 1)), end_ns=100, groups=FIVE)
    both = violations(trace, {Guarantee.ELECTION_SAFETY, Guarantee.QUORUM_OF_VOTES})
    assert [(violation.time_ns, violation.guarantee) for violation in both] == [
        (10, Guarantee.QUORUM_OF_VOTES),
        (20, Guarantee.ELECTION_SAFETY),
        (20, Guarantee.QUORUM_OF_VOTES),
    ]
    assert violations(trace, frozenset()) == []
    assert both[1].text == "n2 claims term 1, which n1 has claimed"


def test_a_claim_without_votes_is_told_with_the_number_that_it_has() -> None:
    """ "Of its term" (Raft, 5.2): three votes for term 1 are none for term 2."""
    rows = [*(counted(10, 1, 1, voter) for voter in (1, 2, 3)), became(20, 1, LEADER, 2)]
    (violation,) = violations(Trace(rows=rows, end_ns=100, groups=FIVE), {Guarantee.QUORUM_OF_VOTES})
    assert violation.text == "n1 claims term 2 with the votes of 0 of 5 members"


def test_a_vote_is_no_claim() -> None:
    """design.md, section 5: a claim is "the interval in which a node's own state says it leads"; n2 is voted for."""
    assert found(Guarantee.ONE_CLAIM, became(10, 1, LEADER, 1), counted(20, 2, 2, 2)) == []
