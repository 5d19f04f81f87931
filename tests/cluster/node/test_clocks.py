"""Clocks that go wrong: "timers follow the node's monotonic clock, which drifts; jumps and offset move its wall clock
only" (issue 3)."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.cluster.faults.node_faults import Crash, Pause, Restart, Resume
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.faults.slowdowns import SkewClock
from simulator.cluster.node.clock import Clock, Skew, elapsed, true_delay
from simulator.protocol import SECOND, Host
from simulator.trace import event_types
from simulator.trace.trace import Trace
from tests.support.probe import MS, Script, at, every, lasting, play, reached, timer

PPM = 1000  # Parts in a billion.


def drift(ppm: int, node: int = 1) -> SkewClock:
    return SkewClock(target=node, drift_ppb=ppm * PPM)


def rings_ns(trace: Trace, name: str, node: int = 1) -> list[int]:
    return [
        row.time_ns for row in trace.of_type("reached") if row.node == node and row.field("text") == f"timer {name}"
    ]


# --- Drift


@pytest.mark.parametrize(
    ("ppm", "fires_ns"),
    [  # 10^9 ns / 1.0001 = 999 900 009.999…; / 0.9999 = 1 000 100 010.001…; / 1.5 and / 0.5 as they are.
        (100, 999_900_010),
        (-100, 1_000_100_011),
        (500_000, 666_666_667),
        (-500_000, 2_000_000_000),
        (0, 1_000_000_000),
    ],
)
def test_a_timer_of_one_second_on_a_drifting_clock(ppm: int, fires_ns: int) -> None:
    """ "a timer of 1 s on a clock of +100 ppm fires after 1 s / 1.0001, rounded up to the nanosecond" (issue 3)."""
    assert true_delay(SECOND, ppm * PPM) == fires_ns
    # In a cluster: the clock drifts from 1 ms on, and the timer is set a millisecond or so later.
    script = Script(start={1: timer("set", 2)}, on={"timer set": lambda host: host.set_timer("t", SECOND)})
    trace = play(script, at(1, drift(ppm)), duration=3 * SECOND)
    [set_ns], [rung_ns] = rings_ns(trace, "set"), rings_ns(trace, "t")
    assert rung_ns - set_ns == fires_ns


def test_a_pending_timer_follows_a_drift_that_begins_changes_and_ends() -> None:
    """A timer rings when the clock tells its deadline, whatever the clock did meanwhile."""
    # 20 ms. Right until 10; half as fast again from 10 to 12: 13 told; right until 14: 15 told; half as fast from 14
    # on: 5 left to tell take 10.
    faults = lasting(10, 2, drift(500_000)), at(14, drift(-500_000))
    assert reached(play(Script(start={1: timer("t", 20)}), *faults), 1) == [(24, "timer t")]


def test_a_drift_does_not_touch_a_timer_that_has_come_due() -> None:
    # Due at 10, in a pause; the drift of 20 finds it due.
    faults = at(5, Pause(1)), at(20, drift(-500_000)), at(30, Resume(1))
    assert reached(play(Script(start={1: timer("t", 10)}), *faults), 1) == [(30, "timer t")]


def test_a_drift_leaves_the_order_of_timers_as_they_were_set() -> None:
    """ "Two things due at one instant happen in the order in which they were scheduled" (design.md, section 3)."""
    # b has an older alarm than a, but was set last; both are due at 20, and at 15 + 5 / 1.25 = 19 with the drift.
    script = Script(
        start={1: every(timer("b", 10), timer("a", 4), timer("again", 2))},
        on={"timer again": every(timer("a", 18), timer("b", 18))},
    )
    assert reached(play(script, at(15, drift(250_000))), 1)[1:] == [(19, "timer a"), (19, "timer b")]


def test_a_drift_is_the_machine_s_and_outlives_its_process() -> None:
    # Half as fast from 1 on; the life that begins at 10 sets its timer of 10, which takes 20.
    faults = at(1, drift(-500_000)), at(5, Crash(1)), at(10, Restart(1))
    assert reached(play(Script(start={1: timer("t", 10)}), *faults), 1) == [(30, "timer t")]


def test_a_drift_of_one_node_is_no_other_s() -> None:
    script = Script(start={1: timer("t", 10), 2: timer("t", 10)})
    trace = play(script, at(0, drift(-500_000)))
    assert reached(trace, 1) + reached(trace, 2) == [(20, "timer t"), (10, "timer t")]


drifts = st.integers(-500_000_000, 500_000_000)
spans = st.integers(0, 10 * SECOND)


@given(delay=spans, ppb=drifts)
def test_a_delay_is_over_at_the_first_instant_at_which_the_clock_tells_it(delay: int, ppb: int) -> None:
    """ "rounded up to the nanosecond", with rational numbers."""
    rate = 1 + Fraction(ppb, 10**9)
    assert true_delay(delay, ppb) == ceil(delay / rate)
    assert elapsed(true_delay(delay, ppb), ppb) >= delay > elapsed(true_delay(delay, ppb) - 1, ppb) or delay == 0


@given(st.lists(st.tuples(spans, drifts), max_size=6), spans)
def test_a_monotonic_clock_never_runs_back_and_strays_a_nanosecond_per_change_at_most(
    changes: list[tuple[int, int]], last: int
) -> None:
    """The sum of spans times rates, in rational numbers; each change rounds down once."""
    clock, now, told, exact = Clock(), 0, 0, Fraction(0)
    for span, ppb in [*changes, (last, 0)]:
        exact += span * (1 + Fraction(clock.drift_ppb, 10**9))
        now += span
        assert clock.monotonic(now) >= told
        told = clock.monotonic(now)
        assert 0 <= exact - told < len(changes) + 1
        clock.add(Skew(drift_ppb=ppb), now)


# --- Wall clock


def told_ns(*faults: Scheduled) -> list[tuple[float, float]]:
    """What the wall clock of n1 tells, every 10 ms: (instant, told), in ms."""

    def tell(host: Host) -> None:
        host.note("told", at=host.now())
        host.set_timer("tell", 10 * MS)

    trace = play(Script(start={1: tell}, on={"timer tell": tell}), *faults, duration=60 * MS)
    return [(row.time_ns / MS, row.field("at") / MS) for row in trace.of_type("told")]


def test_a_jump_moves_the_wall_clock_once_and_no_timer() -> None:
    told = told_ns(at(15, SkewClock(target=1, jump_ns=5 * MS)), at(35, SkewClock(target=1, jump_ns=-20 * MS)))
    assert told == [(0, 0), (10, 10), (20, 25), (30, 35), (40, 25), (50, 35)]


def test_an_offset_is_how_far_the_wall_clock_is_ahead_whatever_it_was() -> None:
    told = told_ns(at(15, SkewClock(target=1, jump_ns=5 * MS)), at(35, SkewClock(target=1, offset_ns=-MS)))
    assert told == [(0, 0), (10, 10), (20, 25), (30, 35), (40, 39), (50, 49)]


def test_a_jump_after_an_offset_adds_to_it() -> None:
    told = told_ns(at(5, SkewClock(target=1, offset_ns=MS)), at(25, SkewClock(target=1, jump_ns=2 * MS)))
    assert told == [(0, 0), (10, 11), (20, 21), (30, 33), (40, 43), (50, 53)]


def test_a_wall_clock_follows_the_drift() -> None:
    # Half as fast from 20 on: the timer that rings when the clock tells 30 rings at 40.
    assert told_ns(at(20, drift(-500_000)))[:4] == [(0, 0), (10, 10), (20, 20), (40, 30)]


@pytest.mark.parametrize("first_ends", [25, 45])
def test_undoing_one_skew_leaves_the_others_in_force(first_ends: int) -> None:
    """ "They overlap and compose: healing one leaves the others in force" (issue 3), in whatever order they end."""
    jump, offset = SkewClock(target=1, jump_ns=5 * MS), SkewClock(target=1, offset_ns=100 * MS)
    told = told_ns(lasting(5, first_ends - 5, offset), lasting(15, 20, jump))
    ahead = {now: wall - now for now, wall in told}
    assert (ahead[10], ahead[20]) == (100, 105)
    assert ahead[30] == (5 if first_ends == 25 else 105)
    assert ahead[40] == (0 if first_ends == 25 else 100)
    assert ahead[50] == 0


def test_the_latest_drift_counts_until_it_is_undone() -> None:
    # 40 ms. A: at 0.8 from 0 to 20. B: at 1.25 from 10 to 30. Told by 10: 8; by 20, when A's end changes nothing, 20.5;
    # by 30: 33; then right: 40 at 37.
    faults = lasting(0, 20, drift(-200_000)), lasting(10, 20, drift(250_000))
    assert reached(play(Script(start={1: timer("t", 40)}), *faults), 1) == [(37, "timer t")]
    # B ends first: told by 10: 8; by 20: 20.5; then A's again, by 40: 36.5; and right from there: 40 at 43.5.
    faults = lasting(0, 40, drift(-200_000)), lasting(10, 10, drift(250_000))
    assert reached(play(Script(start={1: timer("t", 40)}), *faults), 1) == [(43.5, "timer t")]


def test_what_is_undone_is_written_down() -> None:
    trace = play(Script(), lasting(5, 10, drift(100)), lasting(6, 10, SkewClock(target=(1, 2), jump_ns=1)))
    rows = [(row.time_ns / MS, row.field("fault"), row.field("nodes")) for row in trace.of_type(event_types.REPAIRED)]
    assert rows == [(15, "skew_clock", (1,)), (16, "skew_clock", (1, 2))]
