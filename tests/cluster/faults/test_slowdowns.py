"""Nodes that are slow, disks that are slow or stall, and nodes that pause while they are: exact instants (issue 3)."""

from __future__ import annotations

import pytest

from simulator.cluster.distributions import Constant
from simulator.cluster.faults.node_faults import Crash, Kill, Pause, Restart, Resume
from simulator.cluster.faults.slowdowns import SlowDisk, SlowNode, StallDisk
from simulator.protocol import Host
from simulator.trace.event_types import CRASHED
from tests.support.probe import MS, Script, at, built_from, every, lasting, play, reached, save, send, timer


def slow_node(ms: float, node: int = 1) -> SlowNode:
    return SlowNode(node, Constant(round(ms * MS)))


def slow_disk(ms: float, node: int = 1) -> SlowDisk:
    return SlowDisk(node, Constant(round(ms * MS)))


def letters_at(*sent_ms: float) -> Script:
    """n2 writes letters a, b, … to n1 at these instants; they arrive 2 ms later."""
    names = "abcdefgh"[: len(sent_ms)]
    return Script(
        start={2: every(*(timer(name, sent) for name, sent in zip(names, sent_ms, strict=True)))},
        on={f"timer {name}": send(1, name) for name in names},
    )


def on_disk(script: Script, *faults: object, life_ends_ms: float, **options: object) -> dict[str, object]:
    """What a crash at an instant leaves."""
    ends = at(life_ends_ms, Crash(1)), at(life_ends_ms, Restart(1))
    trace = play(script, *faults, *ends, **options)  # type: ignore[arg-type]
    return dict(built_from(trace, 1)[-1])


# --- Service: "a single-server queue" (issue 3, Network)


def test_a_slow_node_handles_one_message_after_the_other() -> None:
    # Arrivals at 2, 3 and 20; each takes 5: 2 to 7, 7 to 12, 20 to 25.
    heard = reached(play(letters_at(0, 1, 18), at(0, slow_node(5))), 1)
    assert heard == [(7, "letter a"), (12, "letter b"), (25, "letter c")]


def test_slowness_adds_to_the_service_time_of_the_cluster_and_to_more_slowness() -> None:
    """ "They add up": 1 of the cluster, 5 and 10 of two faults."""
    faults = lasting(0, 30, slow_node(5)), lasting(10, 10, slow_node(10))
    heard = reached(play(letters_at(0, 10, 25, 40), *faults, service=Constant(MS)), 1)
    # Arrivals at 2, 12, 27 and 42: 6, 16, 6 (the second is over) and 1 (both are).
    assert heard == [(8, "letter a"), (28, "letter b"), (34, "letter c"), (43, "letter d")]


def test_timers_wait_their_turn_and_take_no_time() -> None:
    # a is handled from 2 to 12; the timer of 5 and b, of 6, wait; the timer takes no time, b takes 10.
    script = letters_at(0, 4)
    script = Script(start={**script.start, 1: timer("t", 5)}, on=script.on)
    expected = [(12, "letter a"), (12, "timer t"), (22, "letter b")]
    assert reached(play(script, at(0, slow_node(10))), 1) == expected


def test_what_was_under_way_when_slowness_ends_takes_its_time_and_what_waited_none() -> None:
    heard = reached(play(letters_at(0, 1, 2), lasting(0, 6, slow_node(10))), 1)
    assert heard == [(12, "letter a"), (12, "letter b"), (12, "letter c")]


def test_a_slow_node_is_slow_in_its_next_life_too() -> None:
    """A strain is the machine's: it ends when its time is over, not with the process."""
    faults = at(0, slow_node(5)), at(10, Crash(1)), at(11, Restart(1))
    assert reached(play(letters_at(18), *faults), 1) == [(25, "letter a")]


def test_a_crash_loses_the_message_under_way() -> None:
    # a is under way from 2 to 12; the crash of 5 takes it, and b, which waits; c reaches the next life.
    faults = at(0, slow_node(10)), at(5, Crash(1)), at(6, Restart(1))
    assert reached(play(letters_at(0, 1, 8), *faults), 1) == [(20, "letter c")]


def test_a_busy_node_hears_of_its_write_in_its_turn() -> None:
    """ "whatever else reaches the node meanwhile waits its turn" (SlowNode); a write that is done is no exception."""
    # a is under way from 2 to 12, the write is on disk at 6; what waited for it leaves with the news, at 12.
    script = letters_at(0)
    script = Script(start={**script.start, 1: every(save("x", x=1), send(2, "after x"))}, on=script.on)
    trace = play(script, at(0, slow_node(10)), write_ms=6, blocking=False)
    assert reached(trace, 1) == [(12, "letter a"), (12, "saved x")]
    assert (14, "letter after x") in reached(trace, 2)


# --- Pauses: "exactly the messages that arrived are handled on resume, in order, at the resume instant" (issue 3)


def test_exactly_what_arrived_is_handled_on_resume_in_order() -> None:
    # Arrivals at 12, 22, 32 and 42, the timer of 25 among them; the pause is from 15 to 35.
    script = letters_at(10, 20, 30, 40)
    script = Script(start={**script.start, 1: timer("t", 25)}, on=script.on)
    expected = [(12, "letter a"), (35, "letter b"), (35, "timer t"), (35, "letter c"), (42, "letter d")]
    assert reached(play(script, at(15, Pause(1)), at(35, Resume(1))), 1) == expected


@pytest.mark.parametrize("blocking", [True, False])
def test_a_write_that_is_done_in_a_pause_is_told_of_on_resume(blocking: bool) -> None:
    # The write lasts until 10, the pause from 5 to 30; a arrives at 8, before it is on disk, b at 15. One that blocks
    # kept the node from a before the write was done; one that does not leaves all in the order of their instants.
    script = letters_at(6, 13)
    script = Script(start={**script.start, 1: every(save("x", x=1), send(2, "after x"))}, on=script.on)
    trace = play(script, at(5, Pause(1)), at(30, Resume(1)), write_ms=10, blocking=blocking)
    saved, first = (30, "saved x"), (30, "letter a")
    assert reached(trace, 1) == [*([saved, first] if blocking else [first, saved]), (30, "letter b")]
    assert (32, "letter after x") in reached(trace, 2)  # A paused node sends nothing.


def test_a_write_is_on_disk_though_the_node_that_asked_for_it_is_paused() -> None:
    faults = at(5, Pause(1)), at(20, Crash(1)), at(20, Restart(1))
    assert built_from(play(Script(start={1: save(x=1)}), *faults, write_ms=10), 1) == [{}, {"x": 1}]


def test_a_busy_node_that_pauses_ends_what_it_was_at_on_resume_and_goes_on_one_by_one() -> None:
    # a is under way from 2 to 7, the pause from 4 to 20: a is done at 20. b, of 6, takes 5 from there, c as long again.
    faults = at(0, slow_node(5)), at(4, Pause(1)), at(20, Resume(1))
    heard = reached(play(letters_at(0, 4, 10), *faults), 1)
    assert heard == [(20, "letter a"), (25, "letter b"), (30, "letter c")]


# --- Disks


def test_messages_are_held_back_behind_a_slow_write() -> None:
    """ "no message leaves before every save requested ahead of it is on disk" (design.md, section 3)."""
    script = Script(start={1: timer("go", 10)}, on={"timer go": every(send(2, "a"), save(x=1), send(2, "b"))})
    assert reached(play(script, at(5, slow_disk(7)), write_ms=3), 2) == [(12, "letter a"), (22, "letter b")]


def test_slow_disks_add_up_and_each_ends_alone() -> None:
    # Writes at 10, 30 and 50 take 1 + 3 + 5, 1 + 5 and 1.
    script = Script(
        start={1: every(timer("a", 10), timer("b", 30), timer("c", 50))},
        on={f"timer {name}": save(name, x=name) for name in "abc"},
    )
    faults = lasting(0, 20, slow_disk(3)), lasting(0, 40, slow_disk(5))
    saved = [(when, what) for when, what in reached(play(script, *faults, write_ms=1), 1) if "saved" in what]
    assert saved == [(19, "saved a"), (36, "saved b"), (51, "saved c")]


def test_an_instant_disk_is_slow_and_instant_again() -> None:
    script = Script(
        start={1: every(timer("a", 10), timer("b", 30))}, on={f"timer {name}": save(name, x=name) for name in "ab"}
    )
    heard = reached(play(script, lasting(0, 20, slow_disk(4))), 1)
    assert heard == [(10, "timer a"), (14, "saved a"), (30, "timer b"), (30, "saved b")]


def test_a_write_on_a_disk_that_is_fast_again_does_not_overtake_a_slow_one() -> None:
    """ "What leaves a node leaves in the order sent", and so do its writes: the later value of x is the one on disk."""
    # x = 1 is on disk at 30; x = 2, which would take no time from 20 on, waits for it.
    script = Script(start={1: every(save("first", x=1), timer("again", 22))}, on={"timer again": save("second", x=2)})
    faults = (lasting(0, 20, slow_disk(30)),)
    heard = reached(play(script, *faults, blocking=False, start=Constant(MS)), 1)
    assert heard == [(23, "timer again"), (31, "saved first"), (31, "saved second")]
    assert on_disk(script, *faults, life_ends_ms=40, blocking=False, start=Constant(MS)) == {"x": 2}


def test_a_stalled_disk_writes_all_that_is_due_when_it_recovers() -> None:
    # Writes of 3, requested at 10, 12 and 29, stalled from 5 to 30: the first two at 30, the third when due, at 32.
    script = Script(
        start={1: every(timer("a", 10), timer("b", 12), timer("c", 29))},
        on={f"timer {name}": every(save(name, x=name), send(2, name)) for name in "abc"},
    )
    trace = play(script, lasting(5, 25, StallDisk(1)), write_ms=3, blocking=False)
    saved = [(when, what) for when, what in reached(trace, 1) if "saved" in what]
    assert saved == [(30, "saved a"), (30, "saved b"), (32, "saved c")]
    assert reached(trace, 2) == [(32, "letter a"), (32, "letter b"), (34, "letter c")]


def test_a_stalled_disk_that_blocks_makes_its_node_deaf_until_it_recovers() -> None:
    # The write of 10 stalls the node until 40; a, of 12, is handled then. A node that writes nothing goes on.
    script = letters_at(10, 20)
    script = Script(start={**script.start, 1: timer("go", 10)}, on={**script.on, "timer go": save(x=1)})
    heard = reached(play(script, lasting(5, 35, StallDisk((1, 2)))), 1)
    assert heard == [(10, "timer go"), (40, "letter a"), (40, "letter b")]


def test_stalls_overlap_and_the_last_one_to_end_counts() -> None:
    script = Script(start={1: timer("go", 10)}, on={"timer go": save("x", x=1)})
    for first, second in (((0, 30), (5, 15)), ((0, 20), (5, 25)), ((5, 25), (0, 20))):
        faults = lasting(*first, StallDisk(1)), lasting(*second, StallDisk(1))
        assert reached(play(script, *faults), 1)[-1] == (30, "saved x")


def test_what_a_recovered_disk_tells_of_may_write_again_behind_what_is_still_due() -> None:
    """The order of saves, once more: what is saved on hearing of the first write is not before the second."""

    def go(host: Host) -> None:
        host.save("first", x=1)
        host.save("second", x=2)

    script = Script(start={1: timer("go", 10)}, on={"timer go": go, "saved first": save("third", x=3)})
    faults = (lasting(5, 15, StallDisk(1)),)
    heard = [what for _, what in reached(play(script, *faults, blocking=False), 1)]
    assert heard == ["timer go", "saved first", "saved second", "saved third"]
    assert on_disk(script, *faults, life_ends_ms=30, blocking=False) == {"x": 3}


@pytest.mark.parametrize("death", [Crash, Kill])
def test_a_crash_while_the_disk_is_stalled_loses_what_is_not_on_it(death: type[Crash]) -> None:
    """ "a write that has not reached it is lost, too"; the disk is the machine's, and stalled in the next life, too."""

    # x is saved at 10 and lost in the crash at 20; y, of 30 in the next life, is on disk when the stall ends at 50.
    def go(host: Host) -> None:
        if host.now() < 20 * MS:
            host.save("x", x=1)
        else:
            host.save("y", y=1)

    script = Script(start={1: timer("go", 10)}, on={"timer go": go})
    faults = lasting(5, 45, StallDisk(1)), at(20, death(1)), at(20, Restart(1))
    trace = play(script, *faults, at(60, Crash(1)), at(60, Restart(1)))
    assert built_from(trace, 1) == [{}, {}, {"y": 1}]
    saved = [(when, what) for when, what in reached(trace, 1) if "saved" in what]
    assert saved == [(50, "saved y"), (70, "saved y")]  # And once more in the third life.


def test_the_disk_of_a_machine_that_crashed_is_free_and_that_of_a_killed_process_is_not() -> None:
    """A host that goes silent writes nothing more; one whose process died is still busy with what it was given."""
    # A write of 30 is requested at 1; the death is at 10, and the next life, from 11 on, writes at 12.
    script = Script(start={1: timer("go", 1)}, on={"timer go": save("x", x=1)})
    for death, saved_at in ((Crash, 42), (Kill, 61)):
        trace = play(script, at(10, death(1)), at(11, Restart(1)), write_ms=30)
        assert [when for when, what in reached(trace, 1) if what == "saved x"] == [saved_at]
        assert len(trace.of_type(CRASHED)) == 1
