"""The stream transport, rule by rule, at exact instants (issue 3, "Transport"; docs/transport.md).

Links take 2 ms. n1 and n2 are connected at 4 ms where both open a connection at their start.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Any

import pytest

from simulator.cluster.connections import End, Segment
from simulator.cluster.cuts import CutLink, Partition, PartitionOneway
from simulator.cluster.distributions import Constant
from simulator.cluster.faults import Crash, Fault, Kill, Pause, Restart, Resume
from simulator.cluster.network import NetworkSpec, StreamSpec, Transport
from simulator.cluster.schedule import Scheduled
from simulator.cluster.weather import Degrade, Heal, HoldBack, Reach, Release
from simulator.protocol import SECOND, Host, NodeId
from simulator.trace.trace import Trace
from tests.cluster.probe import MS, Deed, Script, at, every, play, reached, send, timer

LATENCY = 2


def stream(loss: float = 0, duplication: float = 0, **options: Any) -> NetworkSpec:
    return NetworkSpec(
        latency=Constant(LATENCY * MS),
        loss=loss,
        duplication=duplication,
        transport=Transport.STREAM,
        stream=StreamSpec(**options),
    )


CONNECTED = stream(open_at_start=True)


def at_instants(node: NodeId, **deeds: Deed) -> dict[str, Any]:
    """A script in which a node does things at instants, named `t12` or `t12_5` (12.5 ms)."""
    instants = {name: float(name.removeprefix("t").replace("_", ".")) for name in deeds}
    start = every(*(timer(name, instant) for name, instant in instants.items()))
    return {"start": {node: start}, "on": {f"timer {name}": deed for name, deed in deeds.items()}}


def cut(begin_ms: float, end_ms: float) -> Sequence[Scheduled]:
    label = f"{begin_ms}"
    return at(begin_ms, CutLink(1, 2, label)), at(end_ms, Heal(label))


def slow(begin_ms: float, end_ms: float, later_ms: float) -> Sequence[Scheduled]:
    """What n1 sends n2 meanwhile takes so much longer."""
    reach = Reach(senders=(1,), receivers=(2,))
    degrade = Degrade(reach=reach, latency=Constant(round(later_ms * MS)), label="slow")
    return at(begin_ms, degrade), at(end_ms, Heal("slow"))


def events(trace: Trace, node: NodeId) -> list[tuple[float, str]]:
    """What has reached a node, but for its timers."""
    return [(instant, event) for instant, event in reached(trace, node) if not event.startswith("timer")]


def later(trace: Trace, node: NodeId, than_ms: float = 4) -> list[tuple[float, str]]:
    """What has reached a node since it was connected at its start."""
    return [(instant, event) for instant, event in events(trace, node) if instant > than_ms]


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
    trace = play(script, at(9, PartitionOneway((1,), (2,))), at(11, Heal()), network=stream(), duration_ms=500)
    # n1's OPEN is lost; n2's arrives at 12, n1's ACCEPT at 14, n2's CONFIRM at 16. Nothing remains to be sent again.
    assert events(trace, 1) == [(16, "connect n2"), (16, "letter b")]
    assert events(trace, 2) == [(14, "connect n1"), (18, "letter a")]


def test_a_lost_handshake_is_repeated() -> None:
    """RFC 6298, section 5: a SYN is retransmitted like anything else. Here each of the three packets in turn."""
    script = Script(**at_instants(1, t10=send(2, "a")))
    lost_open = play(script, *cut(9, 11), network=stream(), duration_ms=500)
    assert events(lost_open, 2) == [(216, "connect n1"), (216, "letter a")]
    lost_accept = play(script, *cut(11, 13), network=stream(), duration_ms=500)  # Sent at 12, and again at 212.
    assert (events(lost_accept, 1), events(lost_accept, 2)[-1]) == ([(214, "connect n2")], (216, "letter a"))
    # CONFIRM and the letter leave at 14 and are lost. The letter, sent again, confirms as well.
    lost_confirm = play(script, *cut(13, 15), network=stream(), duration_ms=500)
    assert events(lost_confirm, 2) == [(216, "connect n1"), (216, "letter a")]


def test_who_has_had_no_answer_asks_again() -> None:
    """RFC 9293, 3.10.7.4: a SYN on a connection that is established is acknowledged again."""
    # Both open at 0 and accept at 2. n2's ACCEPT is lost; it hears n1's, and is connected. n1 repeats its own at 202.
    oneway = at(1, PartitionOneway((2,), (1,))), at(3, Heal())
    trace = play(Script(), *oneway, network=CONNECTED, duration_ms=500)
    assert events(trace, 1) == [(206, "connect n2")]
    assert events(trace, 2) == [(4, "connect n1")]
    # n2's host goes silent when it has accepted; n1, which has heard nothing yet, asks the new one as it did the old.
    script = Script(**at_instants(1, t10=send(2, "a")))
    trace = play(script, at(12.5, Crash(2)), *cut(11, 13), at(50, Restart(2)), network=stream(), duration_ms=500)
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
    trace = play(Script(), network=network, absent=frozenset({2}), duration_ms=3000)
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
    trace = play(script, at(9.5, PartitionOneway((1,), (2,))), at(20, Heal()), network=CONNECTED, duration_ms=500)
    assert later(trace, 1) == [(13, "letter b")]
    assert later(trace, 2) == [(212, "letter a")]


SENDS = Script(**at_instants(1, t12=send(2, "a"), t20=send(2, "b"), t300=send(2, "c")))


def test_what_is_lost_is_sent_again_after_200_ms_and_holds_up_the_rest() -> None:
    """Issue 3: "loss repaired by retransmission with RTO doubling from 200 ms" (Linux's TCP_RTO_MIN)."""
    trace = play(SENDS, *cut(11, 13), network=CONNECTED, duration_ms=500)
    assert later(trace, 2) == [(214, "letter a"), (214, "letter b"), (302, "letter c")]


def test_the_timeout_doubles_and_meanwhile_nothing_else_is_sent() -> None:
    """RFC 6298, 5.5: "back off the timer"; RFC 5681, 3.1: after a timeout, the window is one segment."""
    trace = play(SENDS, *cut(11, 1000), network=CONNECTED, duration_ms=2000, journal=True)
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
    trace = play(script, *cut(11.5, 13), network=CONNECTED, duration_ms=500)
    assert later(trace, 2) == [(13, "letter z"), (215, "letter a")]  # z arrives at 13, a is sent again at 213.


def test_the_timeout_is_short_again_once_something_has_got_through() -> None:
    """As Linux does: what acknowledges new data ends the backoff. A stall of 800 ms must not be followed by another."""
    # a gets through at 1414; b, sent then, is lost once more, and again 200 ms later, not 800.
    trace = play(SENDS, *cut(11, 1000), *cut(1413.5, 1414.5), network=CONNECTED, duration_ms=2500)
    assert later(trace, 2) == [(1414, "letter a"), (1616, "letter b"), (1618, "letter c")]


def test_copies_change_nothing() -> None:
    """Issue 3: a stream delivers in order, and once: RFC 9293, section 3.4, on duplicates."""
    plain = play(SENDS, *cut(11, 1000), network=CONNECTED, duration_ms=2000)
    twice = play(SENDS, *cut(11, 1000), network=stream(duplication=1.0, open_at_start=True), duration_ms=2000)
    assert reached(twice, 1) == reached(plain, 1)
    assert reached(twice, 2) == reached(plain, 2)


def test_copies_do_not_multiply_before_a_dead_host() -> None:
    """Each retransmission is one packet in two copies, however many copies the one before it had."""
    network = stream(duplication=1.0, open_at_start=True)
    trace = play(SENDS, at(11, Crash(2)), network=network, duration_ms=2000, journal=True)
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
    hold, release = HoldBack(reach=Reach(nodes=(2,))), Release()
    trace = play(SENDS, at(11, hold), at(250, release), network=CONNECTED, duration_ms=500, journal=True)
    assert later(trace, 2) == [(252, "letter a"), (252, "letter b"), (302, "letter c")]
    assert len(trace.messages) == 3


# --- Processes that die


def test_peers_are_told_of_a_dead_process_behind_all_that_it_sent() -> None:
    """Issue 3: "peers told when a process dies (after a delay with a distribution)"; RFC 9293, 3.6: FIN is in order."""
    network = stream(notice=Constant(17 * MS), open_at_start=True)
    assert later(play(Script(), at(50, Kill(2)), network=network), 1) == [(69, "disconnect n2 closed")]
    script = Script(**at_instants(2, t49=send(1, "a"), t49_8=send(1, "b")))
    trace = play(script, at(50, Kill(2)), *cut(48.5, 49.5), network=network, duration_ms=500)
    # a is lost; b arrives at 51.8, CLOSE at 69, and both wait for a, which the dead process's host sends again at 249.
    assert later(trace, 1) == [(251, "letter a"), (251, "letter b"), (251, "disconnect n2 closed")]


def test_until_its_sockets_are_closed_a_dead_process_s_host_takes_what_comes() -> None:
    """A host acknowledges what arrives for a process, whether that reads it or not (as with a pause)."""
    network = stream(notice=Constant(17 * MS))
    script = Script(**at_instants(1, t51=send(2, "a"), t60=send(2, "b")))
    trace = play(script, at(50, Kill(2)), network=network)
    assert events(trace, 1) == [(55, "connect n2"), (69, "disconnect n2 closed")]
    assert events(trace, 2) == []


def test_a_process_that_starts_again_has_waited_for_the_old_one_s_sockets_to_close() -> None:
    """An address in use cannot be listened on: the notice is no later than the restart."""
    network = stream(notice=Constant(17 * MS), open_at_start=True)
    trace = play(Script(), at(50, Kill(2)), at(55, Restart(2)), network=network)
    # CLOSE and the new OPEN leave at 55. n2 is connected when ACCEPT is back at 59, n1 with CONFIRM at 61.
    assert later(trace, 1) == [(57, "disconnect n2 closed"), (61, "connect n2")]
    assert later(trace, 2) == [(59, "connect n1")]


def test_a_closed_peer_refuses_after_a_round_trip() -> None:
    """Issue 3: "sends to a closed peer refused after a round trip"; RFC 9293, 3.5.2: a reset answers a SYN."""
    script = Script(**at_instants(1, t20=send(2, "a"), t30=send(2, "b")))
    trace = play(script, at(10, Kill(2)), at(26, Restart(2)), network=stream())
    assert events(trace, 1) == [(24, "disconnect n2 refused"), (34, "connect n2")]
    assert events(trace, 2) == [(36, "connect n1"), (36, "letter b")]


def test_a_host_that_goes_silent_tells_nobody() -> None:
    """Issue 3: "but not when a host goes silent"."""
    trace = play(SENDS, at(11, Crash(2)), network=CONNECTED, duration_ms=5000)
    assert later(trace, 1) == []


def test_a_connection_over_which_nothing_gets_through_is_given_up() -> None:
    """RFC 9293, 3.8.3: at threshold R2, "close the connection"; noticed when the next retransmission is due."""
    network = stream(open_at_start=True, give_up_after=1 * SECOND)
    trace = play(SENDS, at(11, Crash(2)), network=network, duration_ms=5000)
    assert later(trace, 1) == [(1412, "disconnect n2 timeout")]  # At 612, it is silent for 600 ms only.


def test_patience_is_by_default_that_of_linux() -> None:
    """ip-sysctl, tcp_retries2: "The default value of 15 yields a hypothetical timeout of 924.6 seconds"."""
    trace = play(Script(**at_instants(1, t12=send(2, "a"))), at(11, Crash(2)), network=CONNECTED, duration_ms=1e6)
    assert later(trace, 1) == [(12 + 924_600, "disconnect n2 timeout")]


def test_a_host_that_is_back_resets_what_it_knows_nothing_of() -> None:
    """RFC 9293, section 3.5.1, half-open connections: figure 11, "the reset" that data from the other side causes."""
    script = Script(**at_instants(1, t10=send(2, "x"), t80=send(2, "a")))
    trace = play(script, at(50, Crash(2)), at(70, Restart(2)), network=stream())
    assert later(trace, 1, 20) == [(84, "disconnect n2 reset")]
    assert later(trace, 2, 20) == []


def test_while_it_backs_off_it_does_not_find_out_that_the_host_is_back() -> None:
    """RFC 5681, 3.1: the next packet is the next retransmission, however often the process sends."""
    script = Script(**at_instants(1, t10=send(2, "x"), t50=send(2, "a"), t300=send(2, "b")))
    trace = play(script, at(40, Crash(2)), at(290, Restart(2)), network=stream(), duration_ms=1000)
    assert later(trace, 1, 20) == [(654, "disconnect n2 reset")]  # a is sent at 50, 250 and 650.


def test_a_lost_reset_is_caused_again() -> None:
    """Whatever gets no answer is sent again, and answered again."""
    script = Script(**at_instants(1, t10=send(2, "x"), t80=send(2, "a")))
    oneway = at(81, PartitionOneway((2,), (1,))), at(83, Heal())
    trace = play(script, at(50, Crash(2)), at(70, Restart(2)), *oneway, network=stream(), duration_ms=500)
    assert later(trace, 1, 20) == [(284, "disconnect n2 reset")]


def test_a_peer_that_begins_anew_resets_the_old_connection() -> None:
    """RFC 9293, section 3.5.1, figure 10: "old connection" meets a SYN; here it is reset as soon as that arrives."""
    trace = play(Script(), at(50, Crash(2)), at(70, Restart(2)), network=CONNECTED)
    assert later(trace, 1) == [(72, "disconnect n2 reset"), (76, "connect n2")]
    assert later(trace, 2) == [(74, "connect n1")]


def test_who_answers_a_reset_with_a_new_connection_joins_that_of_the_peer() -> None:
    """A process told that a connection is gone may open another at once, while the peer's opening is being handled."""
    script = Script(start={2: send(1, "hello")}, on={"disconnect n2 reset": send(2, "again")})
    trace = play(script, at(50, Crash(2)), at(70, Restart(2)), network=stream())
    assert later(trace, 1, 20) == [(72, "disconnect n2 reset"), (76, "connect n2"), (76, "letter hello")]
    assert later(trace, 2, 20) == [(74, "connect n1"), (78, "letter again")]


# --- Lives


def test_nothing_from_an_old_life_reaches_a_new_life_of_the_receiver() -> None:
    """ "A crash throws the object away …. Nothing else survives" (design.md, section 3): no message either."""
    script = Script(**at_instants(1, t10=send(2, "a")))
    for fault in (Crash(2), Kill(2)):
        trace = play(script, *slow(9, 11, 48), at(20, fault), at(25, Restart(2)), network=CONNECTED)
        assert [event for _, event in events(trace, 2)] == ["connect n1", "connect n1"]


def test_nothing_from_an_old_life_of_the_sender_is_taken_for_its_new_life_s() -> None:
    """RFC 9293, section 3.4.1: sequence numbers keep "old duplicate segments" of an earlier connection out."""
    script = Script(start={1: timer("t10", 10)}, on={"timer t10": send(2, "a")})
    trace = play(script, *slow(9, 11, 48), at(20, Crash(1)), at(25, Restart(1)), network=CONNECTED)
    # The new connection is opened at 25 and takes the place of the old one at 27. Its own a is sent at 35.
    assert later(trace, 2) == [(27, "disconnect n1 reset"), (31, "connect n1"), (37, "letter a")]


def test_what_left_before_a_crash_still_arrives() -> None:
    """ "one that left before a partition still arrives" (docs/decisions.md): before a crash, too."""
    trace = play(Script(**at_instants(1, t10=send(2, "a"))), at(11, Crash(1)), network=CONNECTED)
    assert later(trace, 2) == [(12, "letter a")]


def test_an_old_opening_does_not_disturb_the_new_connection() -> None:
    """RFC 9293, section 3.5, figure 8: recovery from an old duplicate SYN."""
    script = Script(start={1: timer("t10", 10)}, on={"timer t10": send(2, "a")})
    # The OPEN of n1's first life, sent at 10, arrives at 60; all of its second life has happened by then.
    trace = play(script, *slow(9, 11, 48), at(15, Crash(1)), at(20, Restart(1)), network=stream())
    assert events(trace, 1) == [(34, "connect n2")]
    assert events(trace, 2) == [(36, "connect n1"), (36, "letter a")]


def test_a_paused_process_finds_all_that_its_host_has_taken_when_it_resumes() -> None:
    """Issue 3: "exactly the messages that arrived are handled on resume, in order, at the resume instant"."""
    script = Script(start={1: every(send(2, "a"), timer("x", 20))}, on={"timer x": send(2, "b")})
    trace = play(script, at(1, Pause(2)), at(50, Resume(2)), at(50, Kill(1)), network=stream())
    assert events(trace, 1) == [(4, "connect n2")]  # The host accepts for it.
    assert events(trace, 2) == [
        (50, "connect n1"),
        (50, "letter a"),
        (50, "letter b"),
        (52, "disconnect n1 closed"),
    ]


# --- State


def ends_and_segments() -> list[object]:
    return [thing for thing in gc.get_objects() if isinstance(thing, End | Segment)]


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
    play(counting, *schedule, network=stream(), nodes=3, duration_ms=8200)
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
        play(SENDS, *faults, network=network, duration_ms=3000, journal=with_it) for with_it in (False, True)
    )
    assert plain.digest == journal.digest
    assert journal.messages
