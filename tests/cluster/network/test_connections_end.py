"""Connections when processes and hosts die, restart or pause, at exact instants (issue 3; docs/transport.md).

Links take 2 ms. n1 and n2 are connected at 4 ms where both open a connection at their start.
"""

from __future__ import annotations

from simulator.cluster.distributions import Constant
from simulator.cluster.faults.link_degradation import Heal
from simulator.cluster.faults.node_faults import Crash, Kill, Pause, Restart, Resume
from simulator.cluster.faults.partitions import PartitionOneway
from simulator.protocol import SECOND
from tests.cluster.network.streams import CONNECTED, SENDS, at_instants, cut, events, later, slow, stream
from tests.support.probe import MS, Script, at, every, play, send, timer

# --- Processes that die


def test_peers_are_told_of_a_dead_process_behind_all_that_it_sent() -> None:
    """Issue 3: "peers told when a process dies (after a delay with a distribution)"; RFC 9293, 3.6: FIN is in order."""
    network = stream(notice=Constant(17 * MS), open_at_start=True)
    assert later(play(Script(), at(50, Kill(2)), network=network), 1) == [(69, "disconnect n2 closed")]
    script = Script(**at_instants(2, t49=send(1, "a"), t49_8=send(1, "b")))
    trace = play(script, at(50, Kill(2)), *cut(48.5, 49.5), network=network, duration=500 * MS)
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
    trace = play(SENDS, at(11, Crash(2)), network=CONNECTED, duration=5000 * MS)
    assert later(trace, 1) == []


def test_a_connection_over_which_nothing_gets_through_is_given_up() -> None:
    """RFC 9293, 3.8.3: at threshold R2, "close the connection"; noticed when the next retransmission is due."""
    network = stream(open_at_start=True, give_up_after=1 * SECOND)
    trace = play(SENDS, at(11, Crash(2)), network=network, duration=5000 * MS)
    assert later(trace, 1) == [(1412, "disconnect n2 timeout")]  # At 612, it is silent for 600 ms only.


def test_patience_is_by_default_that_of_linux() -> None:
    """ip-sysctl, tcp_retries2: "The default value of 15 yields a hypothetical timeout of 924.6 seconds"."""
    trace = play(
        Script(**at_instants(1, t12=send(2, "a"))), at(11, Crash(2)), network=CONNECTED, duration=1_000_000 * MS
    )
    assert later(trace, 1) == [(12 + 924_600, "disconnect n2 timeout")]


def test_a_host_that_is_back_resets_what_it_knows_nothing_of() -> None:
    """RFC 9293, section 3.5.1, figure 10: what the other side sends discovers the half-open connection."""
    script = Script(**at_instants(1, t10=send(2, "x"), t80=send(2, "a")))
    trace = play(script, at(50, Crash(2)), at(70, Restart(2)), network=stream())
    assert later(trace, 1, 20) == [(84, "disconnect n2 reset")]
    assert later(trace, 2, 20) == []


def test_while_it_backs_off_it_does_not_find_out_that_the_host_is_back() -> None:
    """RFC 5681, 3.1: the next packet is the next retransmission, however often the process sends."""
    script = Script(**at_instants(1, t10=send(2, "x"), t50=send(2, "a"), t300=send(2, "b")))
    trace = play(script, at(40, Crash(2)), at(290, Restart(2)), network=stream(), duration=1000 * MS)
    assert later(trace, 1, 20) == [(654, "disconnect n2 reset")]  # a is sent at 50, 250 and 650.


def test_a_lost_reset_is_caused_again() -> None:
    """Whatever gets no answer is sent again, and answered again."""
    script = Script(**at_instants(1, t10=send(2, "x"), t80=send(2, "a")))
    oneway = at(81, PartitionOneway((2,), (1,))), at(83, Heal())
    trace = play(script, at(50, Crash(2)), at(70, Restart(2)), *oneway, network=stream(), duration=500 * MS)
    assert later(trace, 1, 20) == [(284, "disconnect n2 reset")]


def test_a_peer_that_begins_anew_resets_the_old_connection() -> None:
    """RFC 9293, section 3.5.1, figure 9: a SYN meets a half-open connection, which is reset at once."""
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
    """RFC 9293, section 3.4.1: sequence numbers keep the segments of an earlier connection out."""
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
