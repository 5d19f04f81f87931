"""What is promised of a cluster in peace, on traces written by hand."""

from __future__ import annotations

from simulator.checks.safety import violations
from simulator.protocol import Guarantee
from tests.support.trace_text import MS, parse_trace

BOTH = frozenset({Guarantee.AGREEMENT, Guarantee.HIGHEST_ID})

# n3 leads and crashes at 100; n2 leads from 150 on, and n1 hears of it at 160. Peace begins at 100.
ELECTED = """
    0   start 1 2 3
    0   3 leader 1
    10  1 follower 1 of 3
    10  2 follower 1 of 3
    100 crash 3
    150 2 leader 2
    160 1 follower 2 of 2
"""


def broken(text: str, *, end_ms: int, settles_ms: int = 200) -> list[str]:
    return [str(found.guarantee) for found in violations(parse_trace(text, end_ms=end_ms), BOTH, settles_ms * MS)]


def test_who_agrees_on_the_highest_in_time_keeps_its_promises() -> None:
    assert broken(ELECTED, end_ms=300) == []


def test_a_trial_that_ends_before_the_algorithm_had_its_time_says_nothing() -> None:
    unfinished = ELECTED.rsplit("160", 1)[0]  # n1 still names n3.
    assert broken(unfinished, end_ms=299) == []
    assert broken(unfinished, end_ms=300) == ["agreement"]


def test_every_time_of_peace_is_looked_at_and_not_the_last_alone() -> None:
    # n3 is back at 400, when n2 and n1 have disagreed for 230 ms of peace; after that all follow n3.
    wrong = ELECTED + "\n170 1 follower 2 of 1"
    right = "\n400 start 3\n410 3 leader 3\n420 1 follower 3 of 3\n420 2 follower 3 of 3"
    assert broken(wrong + right, end_ms=700) == ["agreement"]
    assert broken(ELECTED + right, end_ms=700) == []
    assert broken(wrong + right, end_ms=700, settles_ms=301) == []  # Both were too short.


def test_two_that_claim_do_not_agree() -> None:
    assert broken(ELECTED + "\n170 1 leader 3", end_ms=300) == ["agreement", "highest-id"]


def test_nobody_who_claims_is_no_agreement() -> None:
    assert broken(ELECTED + "\n170 2 follower 2 of 2", end_ms=300) == ["agreement", "highest-id"]


def test_a_lower_id_may_be_agreed_upon_and_is_not_the_highest() -> None:
    back = ELECTED + "\n200 start 3\n210 3 follower 2 of 2"
    assert broken(back, end_ms=399) == []  # n3's return has ended the peace.
    assert broken(back, end_ms=400) == ["highest-id"]


def test_the_paused_make_no_claim_that_counts() -> None:
    """A paused node still claims (design.md, section 5), but it leads nobody: the others agree without it."""
    assert broken(ELECTED + "\n170 pause 2\n180 1 leader 3", end_ms=400) == []


def test_the_paused_have_no_opinion() -> None:
    assert broken(ELECTED + "\n170 pause 1\n175 start 3\n180 crash 3", end_ms=400) == []


def test_one_claim_is_broken_while_two_claim_and_not_at_an_instant() -> None:
    # n2 claims at 150 while n3, which steps down at 150, does not any more; n1 claims beside n2 from 160 on.
    text = """
        0   start 1 2 3
        0   3 leader 1
        150 2 leader 2
        150 3 follower 2 of 2
        160 1 leader 3
        170 2 follower 3 of 1
    """
    found = violations(parse_trace(text, end_ms=200), {Guarantee.ONE_CLAIM})
    assert [(one.time_ns // MS, one.nodes) for one in found] == [(160, (1, 2))]


def test_a_crash_ends_a_claim_at_once() -> None:
    # "A claim: [...] until it steps down or crashes" (design.md, section 5): n3 is dead before n2 claims.
    text = """
        0   start 1 2 3
        0   3 leader 1
        100 crash 3
        150 2 leader 2
    """
    assert list(violations(parse_trace(text, end_ms=200), {Guarantee.ONE_CLAIM})) == []


def test_between_two_disturbances_at_one_instant_there_is_no_stable_period() -> None:
    # An algorithm that needs no time is asked at once: but not between the starts of n1 and n2, both at 0.
    assert broken(ELECTED, end_ms=300, settles_ms=0) == []


def test_a_disagreement_is_told_with_the_leader_that_each_node_names() -> None:
    # n2, which leads, and n1, which still names n3 in the first case and nobody in the second.
    for last, opinion in (("", "n1 names n3"), ("\n160 1 candidate 2", "n1 names nobody")):
        unfinished = ELECTED.rsplit("160", 1)[0] + last
        (found,) = violations(parse_trace(unfinished, end_ms=400), {Guarantee.AGREEMENT}, 200 * MS)
        assert found.text.endswith(f", {opinion}, n2 names n2; n2 claim")
