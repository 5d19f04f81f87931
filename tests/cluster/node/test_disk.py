"""The disk of a node: design.md, section 3, what a host owes an algorithm."""

from __future__ import annotations

import pytest

from simulator.cluster.faults.node_faults import Amnesia, Crash, Pause, Restart, Resume
from tests.support.probe import MS, Script, at, built_from, every, play, reached, save, send, timer


def test_a_message_waits_for_every_save_requested_ahead_of_it() -> None:
    """ "no message leaves before every save requested ahead of it is on disk" """
    # Writes take 10 ms, one after the other: on disk at 10 and 20. b arrives 2 later, at 12, c at 22; a does not wait.
    deeds = every(send(2, "a"), save(x=1), send(2, "b"), save(x=2), send(2, "c"))
    trace = play(Script(start={1: deeds}), write_ms=10)
    assert reached(trace, 2) == [(2, "letter a"), (12, "letter b"), (22, "letter c")]


def test_an_unordered_message_may_pass() -> None:
    """ "`ordered=False` lets a message that promises nothing (a heartbeat) pass" """
    trace = play(Script(start={1: every(save(x=1), send(2, "a"), send(2, "b", ordered=False))}), write_ms=10)
    assert reached(trace, 2) == [(2, "letter b"), (12, "letter a")]


@pytest.mark.parametrize("blocking", [True, False])
def test_a_later_message_never_overtakes_one_that_waits(blocking: bool) -> None:
    """ "What leaves a node leaves in the order sent" """
    # The timer rings at 5; b is sent at 5, or at 10 when the node can hear it again, and waits behind a in any case.
    script = Script(start={1: every(timer("t", 5), save(x=1), send(2, "a"))}, on={"timer t": send(2, "b")})
    assert reached(play(script, write_ms=10, blocking=blocking), 2) == [(12, "letter a"), (12, "letter b")]


@pytest.mark.parametrize(("blocking", "heard_at"), [(True, 10), (False, 2)])
def test_a_node_is_deaf_while_it_writes_only_if_its_disk_blocks(blocking: bool, heard_at: int) -> None:
    """ "A disk may block the node while it writes, or not: an option of the cluster" """
    script = Script(start={1: every(timer("t", 1), save(x=1)), 2: send(1, "a")})
    heard = reached(play(script, write_ms=10, blocking=blocking), 1)
    assert heard == [(10 if blocking else 1, "timer t"), (heard_at, "letter a")]


def test_a_deaf_node_becomes_deaf_again_in_the_middle_of_what_it_catches_up_with() -> None:
    """The first letter makes it write again, so the second waits for that write, too."""
    # Write until 10; a and b have arrived at 2. a is handled at 10 and starts a write until 20, when b is handled.
    script = Script(start={1: save(x=1), 2: every(send(1, "a"), send(1, "b"))}, on={"letter a": save(x=2)})
    assert reached(play(script, write_ms=10), 1) == [(10, "letter a"), (20, "letter b")]


def test_a_crash_loses_what_is_not_on_disk_and_what_waits_for_it() -> None:
    """ "a restart builds a new one from what it saved. Nothing else survives" """
    # x is on disk at 10, y would be at 20; the crash at 15 takes y, and the letter that waits for it.
    script = Script(start={1: every(save("x", x=1), save("y", y=1), send(2, "after y"))})
    trace = play(script, at(15, Crash(1)), at(16, Restart(1)), write_ms=10)
    assert built_from(trace, 1) == [{}, {"x": 1}]
    # The second life, begun at 16, writes both again and its letter leaves at 36; no write of the first life is heard.
    assert reached(trace, 1) == [(10, "saved x"), (26, "saved x"), (36, "saved y")]
    assert reached(trace, 2) == [(38, "letter after y")]


def test_a_restart_in_the_same_instant_is_a_new_life() -> None:
    """ "A crash throws the object away", however soon the next one is built."""
    # The first life ends at 5, before its write is due at 10 and its timer at 8; the second's are due at 15 and 13.
    script = Script(start={1: every(save("x", x=1), timer("t", 8))})
    trace = play(script, at(5, Crash(1)), at(5, Restart(1)), write_ms=10)
    assert built_from(trace, 1) == [{}, {}]
    assert reached(trace, 1) == [(15, "saved x"), (15, "timer t")]


def test_a_write_that_is_due_in_the_instant_of_the_crash_counts_by_the_order_of_scheduling() -> None:
    """ "Two things due at one instant happen in the order in which they were scheduled" """
    # The crash at 10 was scheduled before the trial began, the write at 0 only: the crash is first and takes it.
    trace = play(Script(start={1: save(x=1)}), at(10, Crash(1)), at(11, Restart(1)), write_ms=10)
    assert built_from(trace, 1)[1] == {}


def test_a_disk_that_takes_no_time_holds_nothing_back() -> None:
    """Without a write time, a save is on disk at once; its `then` comes after the handler, at the same instant."""
    script = Script(start={1: every(save("x", x=1), send(2, "a"))}, on={"saved x": send(2, "b")})
    trace = play(script, at(1, Crash(1)), at(1, Restart(1)))
    assert built_from(trace, 1) == [{}, {"x": 1}]
    assert reached(trace, 1) == [(0, "saved x"), (1, "saved x")]
    assert reached(trace, 2) == [(2, "letter a"), (2, "letter b"), (3, "letter a"), (3, "letter b")]


def test_a_paused_node_s_disk_writes_on_but_lets_nothing_out() -> None:
    """The machine's disk does not stall with the process: the data is safe, the process cannot act on it."""
    # On disk at 10, in the pause from 5 to 30: the letter leaves at 30. A crash at 20 does not take the data back.
    script = Script(start={1: every(save("x", x=1), send(2, "a"))})
    trace = play(script, at(5, Pause(1)), at(30, Resume(1)), write_ms=10)
    assert (reached(trace, 1), reached(trace, 2)) == ([(30, "saved x")], [(32, "letter a")])
    crashed = play(script, at(5, Pause(1)), at(20, Crash(1)), at(40, Restart(1)), write_ms=10)
    assert built_from(crashed, 1) == [{}, {"x": 1}]
    assert reached(crashed, 2) == [(52, "letter a")]


def test_saved_values_cannot_change_behind_the_disk_s_back() -> None:
    """ "Saved values are frozen" """
    with pytest.raises(TypeError, match="unhashable"):
        play(Script(start={1: save(x=[1])}))


def test_a_resumed_node_hears_of_a_finished_write_in_its_turn() -> None:
    """ "A paused node handles on resume all that came due …, ordered by their instants": a finished write, too."""
    # In the pause from 1 to 50, with a disk that does not block: letter a at 5, x on disk at 10, letter b at 15.
    script = Script(
        start={1: save("x", x=1), 2: every(timer("a", 3), timer("b", 13))},
        on={"timer a": send(1, "a"), "timer b": send(1, "b")},
    )
    trace = play(script, at(1, Pause(1)), at(50, Resume(1)), write_ms=10, blocking=False)
    assert [event for _, event in reached(trace, 1)] == ["letter a", "saved x", "letter b"]


def test_amnesia_restarts_with_an_empty_disk() -> None:
    """ "`Amnesia` (restart with an empty disk)" (issue 3), whether the node runs or is down."""
    script = Script(start={1: save("x", x=1), 2: save("x", x=2)})
    trace = play(script, at(5, Crash(2)), at(10, Amnesia(1)), at(20, Amnesia(2)))
    built = [(row.time_ns / MS, row.node, row.field("text")) for row in trace.of_type("built")]
    assert built == [(0, 1, {}), (0, 2, {}), (10, 1, {}), (20, 2, {})]
    remembers = play(script, at(5, Crash(1)), at(10, Restart(1)))
    assert remembers.of_type("built")[-1].field("text") == {"x": 1}
