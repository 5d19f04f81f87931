"""Connections: opening, order, loss, and what state they take, at exact instants (issue 3; docs/transport.md).

Links take 2 ms. n1 and n2 are connected at 4 ms where both open a connection at their start.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence

import pytest

from simulator.cluster.faults.link_degradation import Heal, HoldBack, Release
from simulator.cluster.faults.link_faults import LinkTargets
from simulator.cluster.faults.node_faults import Crash, Kill, Restart
from simulator.cluster.faults.partitions import Partition, PartitionOneway
from simulator.cluster.faults.record import Fault
from simulator.cluster.network.tcp.segments import Segment
from simulator.cluster.network.tcp.sockets import Socket
from simulator.protocol import SECOND, Host
from tests.cluster.network.streams import CONNECTED, SENDS, at_instants, cut, events, later, slow, stream
from tests.support.probe import MS, Script, at, every, play, reached, send, timer

# --- Opening


def test_a_handshake_costs_a_round_trip_and_the_third_packet_tells_who_accepts() -> None:
    """RFC 9293, section 3.5, figure 6: who opens is established with the second segment, the other with the third."""
    trace = play(Script(start={1: send(2, "a")}, on={"letter a": send(1, "b")}), network=stream())
    assert events(trace, 1) == [(4, "connect n2"), (8, "letter b")]
    assert events(trace, 2) == [(6, "connect n1"), (6, "letter a")]


def test_connections_opened_at_the_start_are_there_when_they_are_needed() -> None:
    """Issue 3, "connections are opened": by a start, with `open_at_start`, so that the first message need not wait."""
    trace = play(Script(**at_instants(1, t10=send(2, "a"))), network=CONNECTED)
    assert events(trace, 1) == [(4, "connect n2")]
    assert events(trace, 2) == [(4, "connect n1"), (12, "letter a")]


def test_two_that_open_at_once_have_one_connection() -> None:
    """RFC 9293, section 3.5, figure 7: simultaneous open; each is established when its own opening is acknowledged."""
    trace = play(Script(start={1: send(2, "a"), 2: send(1, "b")}), network=stream())
    assert events(trace, 1) == [(4, "connect n2"), (6, "letter b")]
    assert events(trace, 2) == [(4, "connect n1"), (6, "letter a")]


def test_two_that_open_at_once_need_only_one_of_the_openings() -> None:
    """Figure 7 again, with one SYN lost: it becomes a plain open, at the price of the third packet."""
    script = Script(start={1: timer("x", 10), 2: timer("y", 10)}, on={"timer x": send(2, "a"), "timer y": send(1, "b")})
    trace = play(script, at(9, PartitionOneway((1,), (2,))), at(11, Heal()), network=stream(), duration=500 * MS)
    # n1's OPEN is lost; n2's arrives at 12, n1's ACCEPT at 14, n2's CONFIRM at 16. Nothing remains to be sent again.
    assert events(trace, 1) == [(16, "connect n2"), (16, "letter b")]
    assert events(trace, 2) == [(14, "connect n1"), (18, "letter a")]


def test_a_lost_handshake_is_repeated() -> None:
    """RFC 6298, section 5: a SYN is retransmitted like anything else. Here each of the three packets in turn."""
    script = Script(**at_instants(1, t10=send(2, "a")))
    lost_open = play(script, *cut(9, 11), network=stream(), duration=500 * MS)
    assert events(lost_open, 2) == [(216, "connect n1"), (216, "letter a")]
    lost_accept = play(script, *cut(11, 13), network=stream(), duration=500 * MS)  # Sent at 12, and again at 212.
    assert (events(lost_accept, 1), events(lost_accept, 2)[-1]) == ([(214, "connect n2")], (216, "letter a"))
    # CONFIRM and the letter leave at 14 and are lost. The letter, sent again, confirms as well.
    lost_confirm = play(script, *cut(13, 15), network=stream(), duration=500 * MS)
    assert events(lost_confirm, 2) == [(216, "connect n1"), (216, "letter a")]


def test_who_has_had_no_answer_asks_again() -> None:
    """RFC 9293, 3.10.7.4: a SYN on a connection that is established is acknowledged again."""
    # Both open at 0 and accept at 2. n2's ACCEPT is lost; it hears n1's, and is connected. n1 repeats its own at 202.
    oneway = at(1, PartitionOneway((2,), (1,))), at(3, Heal())
    trace = play(Script(), *oneway, network=CONNECTED, duration=500 * MS)
    assert events(trace, 1) == [(206, "connect n2")]
    assert events(trace, 2) == [(4, "connect n1")]
    # n2's host goes silent when it has accepted; n1, which has heard nothing yet, asks the new one as it did the old.
    script = Script(**at_instants(1, t10=send(2, "a")))
    trace = play(script, at(12.5, Crash(2)), *cut(11, 13), at(50, Restart(2)), network=stream(), duration=500 * MS)
    assert events(trace, 2) == [(216, "connect n1"), (216, "letter a")]


def test_what_is_sent_on_connecting_comes_behind_what_waited_for_it() -> None:
    """ "What leaves a node leaves in the order sent" (design.md, section 3)."""
    script = Script(start={1: every(send(2, "a"), send(2, "b"))}, on={"connect n2": send(2, "c")})
    assert [event for _, event in events(play(script, network=stream()), 2)] == [
        "connect n1",
        "letter a",
        "letter b",
        "letter c",
    ]


def test_an_opening_whose_process_died_is_nothing_that_a_process_hears_of() -> None:
    """RFC 9293, section 3.5, figure 8: an old SYN meets a reset before anything is established."""
    for fault in (Crash(1), Kill(1)):
        for instant in (1, 3):  # Before OPEN arrives, and before ACCEPT does.
            trace = play(Script(start={1: send(2, "a")}), at(instant, fault), network=stream())
            assert events(trace, 2) == []


def test_a_node_can_connect_to_itself() -> None:
    """A ring of one sends to itself. RFC 9293's simultaneous open allows it, and Linux does it."""
    assert events(play(Script(start={1: send(1, "a")}), network=stream()), 1) == [(4, "connect n1"), (6, "letter a")]


def test_the_absent_are_asked_in_vain_and_in_silence() -> None:
    """ "absent nodes" (design.md, section 6): their hosts answer nothing, so openings are given up, not refused."""
    network = stream(give_up_after=1 * SECOND, open_at_start=True)
    trace = play(Script(), network=network, absent=frozenset({2}), duration=3000 * MS)
    assert events(trace, 1) == [(1400, "disconnect n2 timeout")]  # Sent at 0, 200, 600; at 1400 it has had enough.


# --- Order and loss


def test_what_arrives_early_waits_for_what_was_sent_before() -> None:
    """Issue 3: "in order per direction, head-of-line blocking"."""
    script = Script(**at_instants(1, t10=send(2, "a"), t11=send(2, "b"), t12=send(2, "c")))
    trace = play(script, *slow(9, 10.5, 18), network=CONNECTED)
    assert later(trace, 2) == [(30, "letter a"), (30, "letter b"), (30, "letter c")]


def test_directions_do_not_block_each_other() -> None:
    """ "in order per direction" """
    script = Script(start={1: timer("x", 10), 2: timer("y", 11)}, on={"timer x": send(2, "a"), "timer y": send(1, "b")})
    trace = play(script, at(9.5, PartitionOneway((1,), (2,))), at(20, Heal()), network=CONNECTED, duration=500 * MS)
    assert later(trace, 1) == [(13, "letter b")]
    assert later(trace, 2) == [(212, "letter a")]


def test_what_is_lost_is_sent_again_after_200_ms_and_holds_up_the_rest() -> None:
    """Issue 3: "loss repaired by retransmission with RTO doubling from 200 ms" (Linux's TCP_RTO_MIN)."""
    trace = play(SENDS, *cut(11, 13), network=CONNECTED, duration=500 * MS)
    assert later(trace, 2) == [(214, "letter a"), (214, "letter b"), (302, "letter c")]


def test_the_timeout_doubles_and_meanwhile_nothing_else_is_sent() -> None:
    """RFC 6298, 5.5: "back off the timer"; RFC 5681, 3.1: after a timeout, the window is one segment."""
    trace = play(SENDS, *cut(11, 1000), network=CONNECTED, duration=2000 * MS, journal=True)
    # a is sent at 12, 212, 612 and 1412: through. b, lost at 20, and c, which was not sent at 300, follow it at 1414.
    assert later(trace, 2) == [(1414, "letter a"), (1416, "letter b"), (1416, "letter c")]
    rows = [(row.sent_ns / MS, row.arrives_ns and row.arrives_ns / MS, row.text[-3]) for row in trace.messages]
    assert [row for row in rows if row[2] == "a"] == [
        (12, None, "a"),
        (212, None, "a"),
        (612, None, "a"),
        (1412, 1414, "a"),
    ]
    assert [row for row in rows if row[2] != "a"] == [(20, None, "b"), (1414, 1416, "b"), (1414, 1416, "c")]
    assert trace.sent == (3,)  # Traffic counts what was sent, not how often.


def test_the_timer_begins_anew_whenever_something_gets_through() -> None:
    """RFC 6298, 5.3: "When an ACK is received that acknowledges new data, restart the retransmission timer"."""
    script = Script(**at_instants(1, t11=send(2, "z"), t12=send(2, "a")))
    trace = play(script, *cut(11.5, 13), network=CONNECTED, duration=500 * MS)
    assert later(trace, 2) == [(13, "letter z"), (215, "letter a")]  # z arrives at 13, a is sent again at 213.


def test_the_timeout_is_short_again_once_something_has_got_through() -> None:
    """As Linux does: what acknowledges new data ends the backoff. A stall of 800 ms must not be followed by another."""
    # a gets through at 1414; b, sent then, is lost once more, and again 200 ms later, not 800.
    trace = play(SENDS, *cut(11, 1000), *cut(1413.5, 1414.5), network=CONNECTED, duration=2500 * MS)
    assert later(trace, 2) == [(1414, "letter a"), (1616, "letter b"), (1618, "letter c")]


def test_copies_change_nothing() -> None:
    """Issue 3: a stream delivers in order, and once: RFC 9293, section 3.4, on duplicates."""
    plain = play(SENDS, *cut(11, 1000), network=CONNECTED, duration=2000 * MS)
    twice = play(SENDS, *cut(11, 1000), network=stream(duplication=1.0, open_at_start=True), duration=2000 * MS)
    assert reached(twice, 1) == reached(plain, 1)
    assert reached(twice, 2) == reached(plain, 2)


def test_copies_do_not_multiply_before_a_dead_host() -> None:
    """Each retransmission is one packet in two copies, however many copies the one before it had."""
    network = stream(duplication=1.0, open_at_start=True)
    trace = play(SENDS, at(11, Crash(2)), network=network, duration=2000 * MS, journal=True)
    assert [row.sent_ns / MS for row in trace.messages if "a" in row.text[-3:]] == [
        12,
        12,
        212,
        212,
        612,
        612,
        1412,
        1412,
    ]


def test_held_segments_go_on_in_order_and_are_not_sent_again() -> None:
    """Issue 3: "`Hold`/`Release` (delay, not lose)"."""
    hold, release = HoldBack(links=LinkTargets(nodes=(2,))), Release()
    trace = play(SENDS, at(11, hold), at(250, release), network=CONNECTED, duration=500 * MS, journal=True)
    assert later(trace, 2) == [(252, "letter a"), (252, "letter b"), (302, "letter c")]
    assert len(trace.messages) == 3


# --- State


def ends_and_segments() -> list[object]:
    return [thing for thing in gc.get_objects() if isinstance(thing, Socket | Segment)]


@pytest.mark.parametrize(
    ("script", "faults"),
    [
        # Refused every 4 ms.
        (Script(start={1: send(2, "a")}, on={"disconnect n2 refused": send(2, "a")}), [Kill(2)]),
        # Killed, or crashed, and started every 20 ms, and connected from both sides in between.
        (Script(start={1: send(2, "a"), 2: send(1, "a")}, on={"letter a": send(1, "b")}), [Kill(2), Restart(2)] * 400),
        (Script(start={1: send(2, "a"), 2: send(1, "a")}, on={"letter a": send(1, "b")}), [Crash(2), Restart(2)] * 400),
    ],
    ids=["refused", "killed", "crashed"],
)
def test_connections_that_are_gone_leave_nothing_behind(script: Script, faults: Sequence[Fault]) -> None:
    """Issue 3: "State exists per connection in use". A trial collects no cycles, so there must be none."""
    counts: list[int] = []

    def count(_: Host) -> None:
        counts.append(len(ends_and_segments()))

    counting = Script(start={**script.start, 3: timer("count", 8100)}, on={**script.on, "timer count": count})
    gc.collect()
    schedule = [at(10 * number, fault) for number, fault in enumerate(faults, start=1)]
    play(counting, *schedule, network=stream(), nodes=3, duration=8200 * MS)
    assert counts[0] <= 24  # The timers of the last 200 ms still know of ten connections; there have been 400, or more.


def test_no_state_for_pairs_that_do_not_talk() -> None:
    """Issue 3: "State exists per connection in use, never for all pairs"."""
    counts: list[int] = []
    script = Script(
        start={1: send(2, "a"), 3: timer("t", 50)}, on={"timer t": lambda _: counts.append(len(ends_and_segments()))}
    )
    gc.collect()
    play(script, network=stream(), nodes=200)
    assert counts == [2]


def test_a_journal_does_not_change_a_stream_s_digest() -> None:
    """cluster.py: "With `journal`, the trace also holds every message; its digest is the same"."""
    network = stream(loss=0.2, duplication=0.2, open_at_start=True)
    faults = at(20, Kill(2)), at(30, Restart(2)), at(40, Partition(((1,),))), at(60, Heal())
    plain, journal = (
        play(SENDS, *faults, network=network, duration=3000 * MS, journal=with_it) for with_it in (False, True)
    )
    assert plain.digest == journal.digest
    assert journal.messages
