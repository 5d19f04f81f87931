"""Leadership on hand-written traces: the definitions are those of docs/metrics.md."""

from simulator.metrics.leadership import Claim, OverlapKind, claims, first_stable_claim, leader_changes, leadership
from tests.support.trace_text import MS, parse_trace

STALE = """
    0    start 1 2 3
    100  1 leader 1
    110  2 follower 1 of 1
    110  3 follower 1 of 1
    500  pause 1
    500  lost 1 pause
    700  2 leader 2
    710  3 follower 2 of 2
    900  resume 1
    930  1 follower 2 of 2
"""


def test_claims_run_from_the_transition_to_the_step_down() -> None:
    # "A paused node still claims": node 1 from 100 to 930; node 2 from 700 to the end.
    assert claims(parse_trace(STALE, end_ms=1000)) == [
        Claim(1, 1, 100 * MS, 930 * MS),
        Claim(2, 2, 700 * MS, 1000 * MS),
    ]


def test_a_crash_ends_a_claim() -> None:
    text = "0 start 1\n100 1 leader 1\n300 crash 1"
    assert claims(parse_trace(text, end_ms=1000)) == [Claim(1, 1, 100 * MS, 300 * MS)]


def test_leaderless_time_counts_from_the_first_claim_and_not_paused_leaders() -> None:
    # Observed 100 to 1000. Leaderless: 500 (pause) to 700 (node 2's claim).
    led = leadership(parse_trace(STALE, end_ms=1000))
    assert (led.observed_ns, led.leaderless_ns, led.quorum_leaderless_ns) == (900 * MS, 200 * MS, 200 * MS)


def test_quorum_leadership_is_stricter() -> None:
    # Cut off at 400, back at 600: it claims all the time, but leads no majority for 200 ms.
    text = "0 start 1 2 3\n100 1 leader 1\n400 lost 1 cut-off\n600 back 1 cut-off"
    led = leadership(parse_trace(text, end_ms=1000))
    assert (led.leaderless_ns, led.quorum_leaderless_ns) == (0, 200 * MS)


def test_a_stale_leader_overlaps_until_it_hears() -> None:
    # Two claims from 700 to 930, terms 1 and 2. From 700 to 710 node 3 names 1, then 2: never two leaders that are
    # each named by another node at once, so the incident is not effective.
    (overlap,) = leadership(parse_trace(STALE, end_ms=1000)).overlaps
    assert (overlap.kind, overlap.start_ns, overlap.end_ns) == (OverlapKind.STALE_LEADER, 700 * MS, 930 * MS)
    assert (overlap.claimants, overlap.most_at_once, overlap.effective) == ({1, 2}, 2, False)


def test_an_overlap_is_effective_when_both_are_followed() -> None:
    # Five nodes; 2 names 1 while 4 names 3, from 600 on.
    text = """
        0   start 1 2 3 4 5
        100 1 leader 1
        110 2 follower 1 of 1
        500 3 leader 2
        600 4 follower 2 of 3
    """
    (overlap,) = leadership(parse_trace(text, end_ms=1000, nodes=5)).overlaps
    assert overlap.effective
    assert overlap.end_ns == 1000 * MS  # It lasts as long as the trial.


def test_two_leaders_of_one_term_are_of_the_worst_kind() -> None:
    # Terms 1 and 2 overlap from 200, terms 2 and 2 from 300: one incident, of kind same_term, three claimants.
    text = "0 start 1 2 3\n100 1 leader 1\n200 2 leader 2\n300 3 leader 2\n400 1 follower 2\n500 2 follower 2"
    (overlap,) = leadership(parse_trace(text, end_ms=1000)).overlaps
    assert (overlap.kind, overlap.start_ns, overlap.end_ns) == (OverlapKind.SAME_TERM, 200 * MS, 500 * MS)
    assert (overlap.most_at_once, overlap.claimants) == (3, {1, 2, 3})


def test_without_terms_the_kind_says_so() -> None:
    text = "0 start 1 2\n100 1 leader 0\n200 2 leader 0\n300 1 follower 0"
    (overlap,) = leadership(parse_trace(text, end_ms=1000, nodes=2)).overlaps
    assert overlap.kind is OverlapKind.NO_TERM


def test_a_hand_over_at_one_instant_is_no_overlap() -> None:
    text = "0 start 1 2\n100 1 leader 1\n200 2 leader 2\n200 1 follower 2\n300 2 follower 2\n300 1 leader 3"
    led = leadership(parse_trace(text, end_ms=1000, nodes=2))
    assert led.overlaps == []
    assert led.leaderless_ns == 0


def test_disagreement_is_two_running_nodes_naming_different_leaders() -> None:
    # 700: node 2 names itself, 1 and 3 name 1. 710: 3 names 2. 930: 1 names 2. So 700 to 930.
    assert leadership(parse_trace(STALE, end_ms=1000)).disagreement_ns == 230 * MS


def test_a_crashed_node_names_nobody() -> None:
    # Node 1 names itself until it crashes at 150; node 2 claims at 120: 120 to 150.
    text = "0 start 1 2\n100 1 leader 1\n120 2 leader 2\n150 crash 1"
    assert leadership(parse_trace(text, end_ms=1000, nodes=2)).disagreement_ns == 30 * MS


def test_the_first_claim_that_lasts() -> None:
    # "The first claim that then lasts": claims of 50, 300 and 400 ms; asked for 300 from 0, then from 200 on.
    text = """
        0   start 1 2 3
        100 1 leader 1
        150 1 follower 2
        160 2 leader 2
        460 2 follower 3
        600 3 leader 3
    """
    found = claims(parse_trace(text, end_ms=1000))
    first, later = first_stable_claim(found, 0, 300 * MS), first_stable_claim(found, 200 * MS, 300 * MS)
    assert first is not None
    assert later is not None
    assert (first.node, later.node) == (2, 3)
    assert first_stable_claim(found, 0, 401 * MS) is None


def test_a_change_of_leader_is_a_claim_by_another_node() -> None:
    # 1, then 2, then 2 once more (it stepped down, and nobody came between), then 1 again: two changes of four claims.
    text = "0 start 1 2\n100 1 leader 1\n200 2 leader 2\n300 2 follower 3\n400 2 leader 4\n500 1 leader 5"
    assert leader_changes(claims(parse_trace(text, end_ms=1000))) == 2
    assert leader_changes([]) == 0
