"""When faults strike and for how long: "Times are absolute, relative to another fault, relative to an event … or random
with a distribution"; "A target that does not exist then (no leader) waits, skips or fails, as the scenario says
(default: wait, at most until the end)" (issue 3)."""

from __future__ import annotations

from itertools import permutations

import pytest

from simulator.cluster.distributions import Constant
from simulator.cluster.faults.link_degradation import Heal
from simulator.cluster.faults.node_faults import Amnesia, Bounce, Crash, Kill, Pause, Restart, Resume
from simulator.cluster.faults.partitions import Isolate, Partition
from simulator.cluster.faults.record import Fault
from simulator.cluster.faults.schedule import MissingTargetError, Scheduled, WithoutTarget
from simulator.cluster.stop import StopWhen
from simulator.protocol import FOLLOWER, LEADER, Nanoseconds
from simulator.trace import event_types
from simulator.trace.trace import Trace
from tests.support.probe import MS, Deed, Script, at, every, lasting, play, send, timer


def after(trigger: str, delay_ms: float, fault: Fault, **others: object) -> Scheduled:
    delay = Constant(round(delay_ms * MS))
    return Scheduled(after=trigger, at=delay, fault=fault, **others)  # type: ignore[arg-type]


def happened(trace: Trace, *which: str) -> list[tuple[float, str, object]]:
    """The rows of these kinds: (instant in ms, the fault's name or the kind, the nodes)."""
    rows: list[tuple[float, str, object]] = []
    for row in trace.rows:
        if row.kind in which:
            facts = dict(row.detail)
            rows.append((row.time_ns / MS, facts.get("fault", row.kind), facts.get("nodes", row.node)))
    return rows


def injected(trace: Trace) -> list[tuple[float, str, object]]:
    return happened(trace, event_types.FAULT)


def lives(trace: Trace, node: int = 1) -> list[tuple[float, str]]:
    """What befell a node's process after its first start."""
    shown = (event_types.STARTED, event_types.CRASHED, event_types.PAUSED, event_types.RESUMED)
    return [(row.time_ns / MS, row.kind) for row in trace.rows if row.node == node and row.kind in shown][1:]


def lead(term: int) -> Deed:
    return lambda host: host.transition(LEADER, term, host.me)


def follow(leader: int | None, term: int = 1) -> Deed:
    return lambda host: host.transition(FOLLOWER, term, leader)


# n1 claims at 10, and n2 at 50; n2 hears of n1 at 12, n3 at 22; n1 and n3 hear of n2 at 52.
STORY = Script(
    start={1: every(timer("claim", 10), timer("tell n3", 20)), 2: timer("claim later", 50)},
    on={
        "timer claim": every(lead(1), send(2, "n1")),
        "timer tell n3": send(3, "n1"),
        "timer claim later": every(lead(2), send(1, "n2"), send(3, "n2")),
        "letter n1": follow(1),
        "letter n2": follow(2, 2),
    },
)


# --- Occasions


@pytest.mark.parametrize(
    ("trigger", "occurrence", "comes_ms"),
    [
        ("leader-elected", 1, 10),
        ("leader-elected", 2, 50),
        ("leader-announced", 1, 22),  # When the last of the others names it.
        ("leader-announced", 2, 52),
    ],
)
def test_a_fault_strikes_some_time_after_an_occasion(trigger: str, occurrence: int, comes_ms: float) -> None:
    """ "relative to an event (`after: leader-elected + 500ms`)" """
    entry = after(trigger, 5, Crash(3), occurrence=occurrence)
    assert injected(play(STORY, entry, nodes=3)) == [(comes_ms + 5, "crash", (3,))]


def test_a_loss_is_an_occasion() -> None:
    faults = at(30, Crash("leader")), after("leader-lost", 0, Crash(3))
    assert injected(play(STORY, *faults, nodes=3)) == [(30, "crash", (1,)), (30, "crash", (3,))]


def test_a_leader_is_announced_too_when_nobody_is_left_who_has_not_heard() -> None:
    """LEADER_ANNOUNCED: "Everybody who can hear of the reigning leader names it"."""
    # Since 12, n3 alone does not know n1; at 15 it is gone, or cut off.
    for fault in (Crash(3), Pause(3), Isolate(3)):
        trace = play(STORY, at(15, fault), after("leader-announced", 1, Restart("all")), nodes=3)
        assert injected(trace)[1][0] == 16


def test_a_leader_that_says_so_again_is_announced_once() -> None:
    script = Script(start={1: timer("claim", 10)}, on={"timer claim": lead(1)})
    faults = after("leader-announced", 0, Pause(1)), at(20, Resume(1))
    trace = play(script, *faults, after("leader-announced", 0, Crash(1), occurrence=2), nodes=1)
    assert injected(trace) == [(10, "pause", (1,)), (20, "resume", (1,))]


def test_faults_follow_one_another_by_their_labels() -> None:
    """ "relative to another fault": the instant at which it strikes, not the one at which it was due."""
    # first waits for a leader until 10; second follows it by 5, third that by 5 again.
    faults = (
        after("second", 5, Restart(1), label="third"),
        after("first", 5, Crash(3), label="second"),
        Scheduled(fault=Pause("leader"), at=Constant(MS), label="first"),
    )
    for order in permutations(faults):
        trace = play(STORY, *order, nodes=3)
        assert injected(trace) == [(10, "pause", (1,)), (15, "crash", (3,)), (20, "restart", ())]


def test_a_label_that_several_share_is_an_occasion_each_time() -> None:
    faults = [
        Scheduled(fault=Isolate(node), at=Constant(instant * MS), label="cut") for node, instant in ((2, 10), (3, 30))
    ]
    trace = play(Script(), *faults, after("cut", 5, Heal("cut"), occurrence=2), nodes=3)
    assert injected(trace)[-1] == (35, "heal", ())


def test_an_occasion_that_is_over_is_not_missed() -> None:
    """The delay counts from when an entry begins to wait, which is the start of the trial for all of them."""
    trace = play(Script(start={1: lead(1)}), after("leader-elected", 20, Crash(1)))
    assert injected(trace) == [(20, "crash", (1,))]


# --- Without a target


def test_a_fault_waits_for_its_target() -> None:
    assert injected(play(STORY, at(1, Crash("leader")), nodes=3))[0] == (10, "crash", (1,))


def test_a_fault_that_waits_until_the_end_is_written_down() -> None:
    """ "wait, at most until the end" """
    trace = play(Script(), at(1, Crash("leader")), after("leader-lost", 0, Pause(2)), at(200, Pause(1)))
    assert happened(trace, event_types.NOT_INJECTED) == [(100, name, None) for name in ("crash", "pause", "pause")]
    assert injected(trace) == []


def test_a_fault_may_be_left_out_and_what_follows_it_never_strikes() -> None:
    skipped = Scheduled(fault=Crash("leader"), at=Constant(MS), label="x", without_target=WithoutTarget.SKIP)
    trace = play(STORY, skipped, after("x", 1, Pause(2)), nodes=3)
    [row] = trace.of_type(event_types.SKIPPED)
    assert (row.time_ns, row.field("fault"), row.field("why")) == (MS, "crash", "there is no leader")
    assert happened(trace, event_types.NOT_INJECTED) == [(100, "pause", None)]


def test_a_fault_that_finds_its_target_neither_skips_nor_fails() -> None:
    for otherwise in (WithoutTarget.SKIP, WithoutTarget.FAIL):
        entry = Scheduled(fault=Crash("leader"), at=Constant(20 * MS), without_target=otherwise)
        assert injected(play(STORY, entry, nodes=3)) == [(20, "crash", (1,))]


def test_a_fault_may_fail_the_trial_with_a_clear_error() -> None:
    entry = Scheduled(fault=Crash("leader"), at=Constant(MS), without_target=WithoutTarget.FAIL)
    with pytest.raises(MissingTargetError, match=r"^crash: there is no leader, and without_target says fail$"):
        play(STORY, entry, nodes=3)


def test_a_trial_that_may_stop_waits_for_its_faults_and_for_their_end() -> None:
    """ "Looked at only once every fault of the schedule has struck" (stop.py), was left out, or is over."""

    def end(*faults: Scheduled) -> Nanoseconds:
        return play(STORY, *faults, nodes=3, stop_when=StopWhen.LEADER_CLAIMED).end_ns

    assert end() == 10 * MS
    assert end(lasting(15, 10, Pause(3))) == 25 * MS
    assert end(Scheduled(fault=Crash("leader"), without_target=WithoutTarget.SKIP)) == 10 * MS
    assert end(at(1, Crash("leader")), after("leader-elected", 0, Pause(2), occurrence=9)) == 100 * MS


# --- For how long


@pytest.mark.parametrize("fault", [Crash(1), Kill(1), Bounce(1)])
def test_who_goes_down_for_a_time_is_restarted(fault: Fault) -> None:
    trace = play(Script(), lasting(10, 20, fault))
    assert lives(trace) == [(10, event_types.CRASHED), (30, event_types.STARTED)]
    assert happened(trace, event_types.REPAIRED) == [(30, fault.name, (1,))]


def test_a_pause_for_a_time_is_resumed() -> None:
    trace = play(Script(), lasting(10, 20, Pause((1, 2))))
    assert lives(trace) == [(10, event_types.PAUSED), (30, event_types.RESUMED)]
    assert happened(trace, event_types.REPAIRED) == [(30, "pause", (1, 2))]


@pytest.mark.parametrize(
    ("first", "between"),
    [  # The first would be over at 50. What it did is over by then, and done again by another fault.
        (Crash(1), [at(20, Restart(1)), at(30, Crash(1))]),
        (Crash(1), [at(20, Amnesia(1)), at(30, Kill(1))]),
        (Pause(1), [at(20, Resume(1)), at(30, Pause(1))]),
        (Pause(1), [at(20, Crash(1)), at(25, Restart(1)), at(30, Pause(1))]),
        (Pause(1), [at(20, Resume(1)), at(30, Crash(1))]),
        (Bounce(1), [at(20, Restart(1)), at(30, Pause(1))]),
    ],
)
def test_a_fault_undoes_what_it_did_and_not_what_another_did(first: Fault, between: list[Scheduled]) -> None:
    """ "healing one leaves the others in force": n1 stays as the last of the others left it."""
    trace = play(Script(), lasting(10, 40, first), *between)
    assert lives(trace)[-1][0] == 30
    assert happened(trace, event_types.REPAIRED) == []


def test_the_nodes_that_are_as_the_fault_left_them_are_undone_and_named() -> None:
    trace = play(Script(), lasting(10, 40, Crash((1, 2, 3))), at(20, Restart(2)), nodes=3)
    assert happened(trace, event_types.REPAIRED) == [(50, "crash", (1, 3))]


def test_whoever_is_down_already_is_not_struck_and_not_raised_by_the_second_fault() -> None:
    """ "a named node in another state is simply not struck" (targets.py): the first fault's end stands."""
    trace = play(Script(), lasting(10, 20, Crash(1)), lasting(15, 10, Kill(1)))
    assert lives(trace) == [(10, event_types.CRASHED), (30, event_types.STARTED)]
    assert injected(trace) == [(10, "crash", (1,)), (15, "kill", ())]
    assert happened(trace, event_types.REPAIRED) == [(30, "crash", (1,))]


def test_a_cut_that_was_healed_is_not_undone_again() -> None:
    trace = play(Script(), lasting(10, 40, Partition(((1,),))), at(20, Heal()), lasting(30, 30, Isolate(2)), nodes=3)
    assert happened(trace, event_types.REPAIRED) == [(60, "isolate", (2,))]
