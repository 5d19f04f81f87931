"""A node's timers, and what happens at one instant: design.md, sections 3 and 4."""

from __future__ import annotations

from simulator.cluster.faults.node_faults import Crash, Pause, Restart, Resume
from tests.support.probe import MS, Script, at, every, play, reached, send, timer


def test_a_postponed_timer_rings_at_its_last_deadline_and_only_then() -> None:
    """ "A timer keeps a deadline and re-arms lazily when the old alarm rings" (section 4)."""
    # Set to 10; at 4 put off to 14; at 9 put off to 29, two alarms' rings later.
    script = Script(
        start={1: every(timer("t", 10), timer("a", 4), timer("b", 9))},
        on={"timer a": timer("t", 10), "timer b": timer("t", 20)},
    )
    assert reached(play(script), 1) == [(4, "timer a"), (9, "timer b"), (29, "timer t")]


def test_a_timer_set_to_an_earlier_deadline_rings_once() -> None:
    """ "replaces a pending timer of that name" (protocol.py, set_timer)."""
    assert reached(play(Script(start={1: every(timer("t", 20), timer("t", 5))})), 1) == [(5, "timer t")]


def test_a_timer_brought_forward_and_put_off_again_rings_once() -> None:
    """The alarms of 20 and of 5 are both in the queue when 30 is the deadline."""
    assert reached(play(Script(start={1: every(timer("t", 20), timer("t", 5), timer("t", 30))})), 1) == [
        (30, "timer t")
    ]


def test_a_cancelled_timer_is_silent_and_can_be_set_again() -> None:
    # Cancelled at 3. Set again at 6, to 8, before the old alarm of 10: rings at 8 only.
    script = Script(
        start={1: every(timer("t", 10), timer("a", 3), timer("b", 6), timer("u", 10))},
        on={
            "timer a": every(lambda host: host.cancel_timer("t"), lambda host: host.cancel_timer("u")),
            "timer b": timer("t", 2),
        },
    )
    assert reached(play(script), 1) == [(3, "timer a"), (6, "timer b"), (8, "timer t")]


def test_a_timer_may_set_itself_again() -> None:
    script = Script(start={1: timer("t", 30)}, on={"timer t": timer("t", 30)})
    assert reached(play(script), 1) == [(30, "timer t"), (60, "timer t"), (90, "timer t")]


def test_a_timer_does_not_survive_a_crash() -> None:
    """ "Alarms set before a crash are recognised by incarnation" (section 4)."""
    # Set at 0 to 10; the second life, from 5 on, sets it to 15: the alarm of 10 finds itself unknown.
    assert reached(play(Script(start={1: timer("t", 10)}), at(4, Crash(1)), at(5, Restart(1))), 1) == [(15, "timer t")]


def test_what_is_due_at_one_instant_happens_in_the_order_of_scheduling() -> None:
    """ "Two things due at one instant happen in the order in which they were scheduled" (section 3)."""
    # All due at 10: the timer early, set at 0; the letter, sent at 8; the timer late, set at 9.
    script = Script(
        start={1: every(timer("early", 10), timer("set late", 9)), 2: timer("write", 8)},
        on={"timer write": send(1, "a"), "timer set late": timer("late", 1)},
    )
    happened = [event for instant, event in reached(play(script), 1) if instant == 10]
    assert happened == ["timer early", "letter a", "timer late"]


def test_a_timer_put_off_takes_its_place_when_it_was_put_off() -> None:
    """The same rule where re-arming is lazy: it must not change the order of events."""
    # t is set at 0 to 5, and at 1 put off to 10; the letter, sent at 8, is due at 10, too: t was scheduled first.
    first = Script(
        start={1: every(timer("t", 5), timer("a", 1)), 2: timer("write", 8)},
        on={"timer a": timer("t", 9), "timer write": send(1, "a")},
    )
    assert reached(play(first), 1)[1:] == [(10, "timer t"), (10, "letter a")]
    # Put off at 9, after the letter was sent, it comes second.
    second = Script(
        start={1: every(timer("t", 9.5), timer("a", 9)), 2: timer("write", 8)},
        on={"timer a": timer("t", 1), "timer write": send(1, "a")},
    )
    assert reached(play(second), 1)[1:] == [(10, "letter a"), (10, "timer t")]


def test_a_timer_set_anew_to_the_same_deadline_takes_its_new_place() -> None:
    """The same rule once more: what counts is when the timer was set last."""
    # t is set at 0 to 10, the letter due at 10 is sent at 8, and t is set again at 9, to 10 as before.
    script = Script(
        start={1: every(timer("t", 10), timer("a", 9)), 2: timer("write", 8)},
        on={"timer a": timer("t", 1), "timer write": send(1, "a")},
    )
    assert reached(play(script), 1)[1:] == [(10, "letter a"), (10, "timer t")]


def test_a_paused_node_handles_on_resume_what_came_due_in_the_order_of_instants() -> None:
    """ "A paused node handles on resume all that came due, messages and timers, ordered by their instants" """
    # In the pause from 1 to 50: letter a at 12, timer t at 20, letter b at 32; timer u is due after it, at 60.
    script = Script(
        start={1: every(timer("u", 60), timer("t", 20)), 2: every(timer("a", 10), timer("b", 30))},
        on={"timer a": send(1, "a"), "timer b": send(1, "b")},
    )
    expected = [(50, "letter a"), (50, "timer t"), (50, "letter b"), (60, "timer u")]
    assert reached(play(script, at(1, Pause(1)), at(50, Resume(1))), 1) == expected


def test_what_a_resumed_node_handles_first_may_call_off_a_timer_that_came_due_later() -> None:
    """A heartbeat that arrived before the timeout postpones it, paused or not."""
    # Letter a, at 12, sets t anew and cancels u; both came due in the pause, at 20. t then rings 20 after the resume.
    script = Script(
        start={1: every(timer("t", 20), timer("u", 20)), 2: timer("a", 10)},
        on={"timer a": send(1, "a"), "letter a": every(timer("t", 20), lambda host: host.cancel_timer("u"))},
    )
    assert reached(play(script, at(1, Pause(1)), at(50, Resume(1))), 1) == [(50, "letter a"), (70, "timer t")]


def test_a_timer_that_came_due_before_the_letter_rings_before_it() -> None:
    """The other order: a timeout that was first is not undone by a heartbeat that was second."""
    script = Script(
        start={1: timer("t", 20), 2: timer("a", 30)},
        on={"timer a": send(1, "a"), "letter a": timer("t", 20)},
    )
    expected = [(50, "timer t"), (50, "letter a"), (70, "timer t")]
    assert reached(play(script, at(1, Pause(1)), at(50, Resume(1))), 1) == expected


def test_a_timer_postponed_before_the_pause_keeps_its_instant() -> None:
    """The lazy alarm rings in the pause and re-arms there: its place is that of the deadline, not of the old alarm."""
    # t is set to 10 and at 4 put off to 34: letter b, at 32, comes before it.
    script = Script(
        start={1: every(timer("t", 10), timer("a", 4)), 2: timer("b", 30)},
        on={"timer a": timer("t", 30), "timer b": send(1, "b")},
    )
    assert reached(play(script, at(5, Pause(1)), at(50, Resume(1))), 1)[1:] == [(50, "letter b"), (50, "timer t")]


def test_a_crash_in_a_pause_forgets_what_came_due() -> None:
    # The letter of 12 arrives in the pause, the crash is at 20: nobody is left to read it.
    script = Script(start={2: timer("a", 10)}, on={"timer a": send(1, "a")})
    assert reached(play(script, at(1, Pause(1)), at(20, Crash(1)), at(30, Restart(1))), 1) == []


def test_a_trial_ends_before_what_is_due_at_its_end() -> None:
    """run_until: "handle what is due before `end_ns`"."""
    script = Script(start={1: every(timer("in", 100 - 1 / MS), timer("out", 100))})
    assert [event for _, event in reached(play(script), 1)] == ["timer in"]
