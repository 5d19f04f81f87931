"""What was sent, by elections and in steady state, on hand-written traces; definitions: docs/metrics.md.

In these traces one message of 52 bytes is sent before each row (`text.parse_trace`).
"""

from __future__ import annotations

import pytest

from simulator.metrics.elections import Cause, history
from simulator.metrics.traffic import Sent, SteadyState, Traffic
from tests.metrics.test_elections import BOOT  # Its rows are 0 to 9; a majority has heard by row 8, at 130 ms.
from tests.support.trace_text import MS, parse_trace

LOSS = """
    500 crash 1
    500 lost 1 crash
    650 2 candidate 2
    690 2 leader 2
    700 3 follower 2 of 2
"""


def steady(text: str, end_ms: int) -> tuple[list[tuple[float, float]], int]:
    """The steady intervals, in ms, and how many messages were sent in all of them."""
    trace = parse_trace(text, end_ms=end_ms)
    found = history(trace).steady
    intervals = [(begin.time_ns / MS, end.time_ns / MS) for begin, end in found.intervals]
    traffic = found.traffic(trace)
    assert traffic.bytes == tuple(52 * count for count in traffic.messages)
    assert found.lasted_ns == sum(end - begin for begin, end in intervals) * MS
    return intervals, traffic.messages[0]


def test_a_reign_is_steady_from_its_announcement_to_its_loss() -> None:
    # Boot is announced to a majority at 130 (row 8, by which 8 were sent), the loss at 500 is row 11; the successor is
    # announced at 700 (row 14), and the trial ends with 15 sent.
    assert steady(BOOT + LOSS, end_ms=1000) == ([(130, 500), (700, 1000)], (11 - 8) + (15 - 14))


def test_nothing_is_steady_before_a_majority_has_heard() -> None:
    # Of three, only the leader itself knows of its election when it is lost; the next one is never announced either.
    text = """
        0   start 1 2 3
        100 1 candidate 1
        120 1 leader 1
        500 crash 1
        500 lost 1 crash
        650 2 candidate 2
        690 2 leader 2
    """
    assert steady(text, end_ms=1000) == ([], 0)


def test_a_search_for_another_leader_interrupts_it() -> None:
    # A node suspects a leader that is fine at 300 (row 10), and gives up at 400 (row 12): neither election nor peace.
    text = """
        300 3 suspects 1
        300 3 pre-candidate 1
        400 3 follower 1 of 1
    """
    assert steady(BOOT + text, end_ms=1000) == ([(130, 300), (400, 1000)], (10 - 8) + (13 - 12))


def test_a_leader_that_comes_back_reigns_again() -> None:
    # Paused from 300 (row 10, lost in row 11) to 400 (resumed in row 12, back in row 13): long announced.
    text = """
        300 pause 1
        300 lost 1 pause
        400 resume 1
        400 back 1 resume
    """
    assert steady(BOOT + text, end_ms=1000) == ([(130, 300), (400, 1000)], (11 - 8) + (14 - 13))


def test_what_turns_out_to_have_been_a_search_is_taken_back() -> None:
    # Node 3 stands at 110 in term 2, before it has heard of node 1, and wins at 400: that search is on since 110.
    text = """
        0   start 1 2 3
        0   1 follower 0
        0   2 follower 0
        0   3 follower 0
        100 1 candidate 1
        110 3 candidate 2
        120 1 leader 1
        130 2 follower 1 of 1
        400 3 leader 2
        420 2 follower 2 of 3
    """
    trace = parse_trace(text, end_ms=1000)
    (late,) = [election for election in history(trace).elections if election.cause is Cause.SPURIOUS]
    assert (late.start_ns, late.sent_before.messages) == (110 * MS, (7,))  # The row by which it stood is the eighth.
    intervals, messages = steady(text, end_ms=1000)
    assert intervals == [(420, 1000)] and messages == 1


def test_elections_and_steady_state_share_nothing() -> None:
    trace = parse_trace(BOOT + LOSS, end_ms=1000)
    told = history(trace)
    elections = [
        Traffic.between(trace, election.sent_before, election.sent_after).messages[0]
        for election in told.elections
        if election.sent_after is not None
    ]
    assert elections == [8, 3]  # The loss: from row 11 to row 14.
    assert sum(elections) + told.steady.traffic(trace).messages[0] == trace.sent[0]


def test_a_row_that_counts_other_types_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        Traffic.between(parse_trace(BOOT, end_ms=1000), Sent((1,), (0,)), Sent((1, 2), (0, 0)))


def test_an_end_after_the_last_interval_changes_nothing() -> None:
    # docs/metrics.md: steady "where [...] no election is open". Steady until 20; one opens at 30.
    state = SteadyState()
    state.update(True, 10, Sent((1,), (0,)))
    state.update(False, 20, Sent((2,), (0,)))
    state.end_at(30, Sent((3,), (0,)))
    assert [(begin.time_ns, end.time_ns) for begin, end in state.intervals] == [(10, 20)]
