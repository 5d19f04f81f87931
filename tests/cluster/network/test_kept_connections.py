"""Connections that processes drop when idle and open again themselves, at exact instants (docs/transport.md).

Source of the rules: bakwc/PySyncObj 0.3.17, `tcp_connection.py` and `transport.py`, read for issue 13. Links take 2 ms.
With `reopen_after`, n2 opens its connection to n1 at its start: n2 is connected at 4 ms, and n1 at 6 ms.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from simulator.cluster.cluster import network_class
from simulator.cluster.distributions import Constant
from simulator.cluster.faults.node_faults import Crash, Kill, Pause, Restart, Resume
from simulator.cluster.network.network import Network, NetworkSpec
from simulator.cluster.network.tcp.kept_connections import KeptStreamNetwork
from simulator.cluster.network.tcp.stream_network import StreamNetwork
from simulator.protocol import SECOND
from simulator.trace.trace import Trace
from tests.cluster.network.streams import CONNECTED, at_instants, cut, events, later, stream
from tests.cluster.network.test_stream_properties import PEERS, Habits, habits, networks, schedules
from tests.cluster.network.test_stream_properties import play as random_play
from tests.support.probe import MS, Deed, Script, at, every, play, send, timer

KEPT = stream(idle_timeout=100 * MS, reopen_after=400 * MS)


def both(one: dict[str, Deed], other: dict[str, Deed], **on: Deed) -> Script:
    """What n1 and n2 do at instants, and what anybody does when something reaches it."""
    first, second = at_instants(1, **one), at_instants(2, **other)
    return Script(start=first["start"] | second["start"], on=first["on"] | second["on"] | on)


def run(script: Script, *faults: object, network: NetworkSpec = KEPT, duration_ms: int = 1000) -> Trace:
    return play(script, *faults, network=network, duration=duration_ms * MS)  # type: ignore[arg-type]


def test_networks_without_these_options_do_none_of_this_work() -> None:
    """Brief of issue 13: "the hot path of the network stays bare"."""
    assert network_class(NetworkSpec()) is Network
    assert network_class(CONNECTED) is StreamNetwork
    assert network_class(stream(idle_timeout=MS)) is network_class(stream(reopen_after=MS)) is KeptStreamNetwork


def test_the_higher_node_opens_the_connection_when_it_starts() -> None:
    """`_shouldConnect`: a node connects to those of a lower address, and waits for the others."""
    trace = run(Script())
    assert events(trace, 2) == [(4, "connect n1")]
    assert events(trace, 1) == [(6, "connect n2")]


def test_a_message_without_a_connection_is_lost() -> None:
    """`TCPTransport.send`: unless the connection is open, it returns False, and nothing is sent later."""
    trace = run(both({"t5": send(2, "early")}, {"t1": send(1, "early"), "t10": send(1, "late")}))
    assert events(trace, 1) == [(6, "connect n2"), (12, "letter late")]
    assert events(trace, 2) == [(4, "connect n1")]


def test_an_idle_connection_is_dropped_at_the_next_send_and_that_message_is_lost() -> None:
    """`__trySendBuffer` calls `__processConnectionTimeout` first; `disconnect` clears the buffer.

    n2 has read nothing since 4 ms, and sends at 450. It opens anew at once, since its last attempt was at 0.
    """
    trace = run(both({}, {"t450": send(1, "lost"), "t460": send(1, "kept")}))
    assert later(trace, 2) == [(450, "disconnect n1 idle"), (454, "connect n1")]
    assert later(trace, 1, 6) == [(452, "disconnect n2 closed"), (456, "connect n2"), (462, "letter kept")]


def test_a_connection_is_idle_only_after_more_than_the_timeout() -> None:
    """`monotonicTime() - self.__lastReadTime > self.__timeout`: n2 has read last at 4 ms."""
    assert later(run(both({}, {"t104": send(1, "kept")})), 2) == []
    assert later(run(both({}, {"t104_001": send(1, "lost")})), 2)[0] == (104.001, "disconnect n1 idle")


def test_what_a_process_sends_does_not_keep_its_connection() -> None:
    """`__lastReadTime` is set where the process reads, nowhere else."""
    sends = {f"t{instant}": send(1, f"{instant}") for instant in (50, 100, 150)}
    trace = run(both({}, sends))
    assert later(trace, 1, 6)[:3] == [(52, "letter 50"), (102, "letter 100"), (152, "disconnect n2 closed")]


def test_answers_keep_a_connection() -> None:
    """Leader and followers: each AppendEntries is answered, and both sides read."""
    script = Script(
        start={2: every(*(timer(f"t{instant}", instant) for instant in range(50, 950, 90)))},
        on={f"timer t{instant}": send(1, "request") for instant in range(50, 950, 90)}
        | {"letter request": send(2, "answer")},
    )
    assert "disconnect" not in str(later(run(script), 2))


def test_an_idle_connection_is_dropped_when_something_is_to_be_read() -> None:
    """`__processConnection` calls `__processConnectionTimeout` before it reads: the message is lost unread.

    n1 reads at 52 only. n2 reads at 152, so its own side is fresh at 200, when it sends what n1 does not read.
    """
    sends = {"t90": send(2, "a"), "t150": send(2, "a")}
    trace = run(both(sends, {"t50": send(1, "b"), "t200": send(1, "unread")}))
    assert later(trace, 2)[1:] == [(152, "letter a"), (204, "disconnect n1 closed"), (404, "connect n1")]
    assert later(trace, 1, 6)[:2] == [(52, "letter b"), (202, "disconnect n2 idle")]


def test_attempts_are_as_far_apart_as_said() -> None:
    """`connectionRetryTime`, counted between attempts: n2's first was at 0, so the next is at 400."""
    trace = run(both({"t200": send(2, "lost")}, {}))
    assert later(trace, 1, 6) == [(200, "disconnect n2 idle"), (406, "connect n2")]
    assert later(trace, 2) == [(202, "disconnect n1 closed"), (404, "connect n1")]


def test_the_opener_is_refused_and_tries_again() -> None:
    """`_connectIfNecessary` in each turn: attempts at 0, and at 400 if the peer has not listened before."""
    trace = run(Script(), at(1, Kill(1)), at(300, Restart(1)))
    assert events(trace, 2) == [(4, "disconnect n1 refused"), (404, "connect n1")]
    assert events(trace, 1)[-1] == (406, "connect n2")


def test_the_lower_node_of_a_restarted_pair_waits_to_be_asked() -> None:
    """`_shouldConnect` again: n1, though it has just started, opens nothing."""
    trace = run(Script(), at(500, Kill(1)), at(600, Restart(1)))
    # Closed at 500. n2 hears that at 502 and asks at once, is refused, and asks again at 902.
    assert later(trace, 2) == [(502, "disconnect n1 closed"), (506, "disconnect n1 refused"), (906, "connect n1")]


def test_a_process_that_starts_has_tried_nothing_yet() -> None:
    """`_lastConnectAttempt` is an attribute of the process: it ends with it."""
    trace = run(Script(), at(100, Kill(2)), at(110, Restart(2)))
    assert later(trace, 2) == [(114, "connect n1")]


def test_a_connection_that_takes_too_long_to_open_is_dropped_when_it_opens() -> None:
    """`connect` sets `__lastReadTime`, and `__processConnection` looks at it before it calls the connection open.

    n2's first OPEN is lost in a cut; the next leaves at 200, and is accepted at 204. The next attempt is at 400.
    """
    trace = run(Script(), *cut(0, 100))
    assert events(trace, 2)[0] == (204, "disconnect n1 idle")
    assert events(trace, 2)[1] == (404, "connect n1")
    assert events(trace, 1)[-1] == (406, "connect n2")


@pytest.mark.parametrize(("pause_ms", "read"), [(90, ["letter a", "letter b"]), (120, ["disconnect n2 idle"])])
def test_a_process_that_was_paused_for_too_long_reads_nothing_of_what_has_come(pause_ms: int, read: list[str]) -> None:
    """`__processConnection`: when the process runs again, it looks how long ago it read before it reads.

    n1 has read at 42 ms, and is paused from 43 on.
    """
    sends = {"t40": send(1, "first"), "t60": send(1, "a"), "t61": send(1, "b")}
    trace = run(both({}, sends), at(43, Pause(1)), at(43 + pause_ms, Resume(1)))
    assert [(instant, event) for instant, event in later(trace, 1, 43)][: len(read)] == [
        (43 + pause_ms, event) for event in read
    ]


def test_a_connection_that_a_paused_process_is_yet_to_accept_is_not_idle() -> None:
    """A connection that the host has taken becomes a `TcpConnection`, with its time of reading, when it is accepted."""
    trace = run(both({}, {"t10": send(1, "a")}), at(1, Pause(1)), at(300, Resume(1)))
    assert events(trace, 1) == [(300, "connect n2"), (300, "letter a")]


def test_a_paused_process_reads_what_came_before_the_end_of_its_connection() -> None:
    """As with any connection: what has arrived in order is read before the close."""
    trace = run(both({}, {"t40": send(1, "a")}), at(30, Pause(1)), at(45, Kill(2)), at(80, Resume(1)))
    assert later(trace, 1, 6) == [(80, "letter a"), (80, "disconnect n2 closed")]


def test_nothing_that_a_process_has_not_read_reaches_its_next_life() -> None:
    """docs/transport.md, lives: "what one life of a process … was to receive, reaches no other life"."""
    trace = run(both({}, {"t40": send(1, "a")}), at(30, Pause(1)), at(50, Kill(1)), at(60, Restart(1)))
    assert later(trace, 1, 6) == [(406, "connect n2")]


def test_a_paused_opener_opens_when_it_resumes() -> None:
    """A process that does not run cannot connect: `_connectIfNecessary` is called in its turns."""
    trace = run(Script(), at(410, Pause(2)), at(420, Kill(1)), at(430, Restart(1)), at(600, Resume(2)))
    assert later(trace, 2) == [(600, "disconnect n1 closed"), (604, "connect n1")]


def test_a_host_that_crashed_is_asked_until_it_is_back() -> None:
    """The opener's host repeats the opening, as for any connection."""
    script = both({}, {"t510": send(1, "lost")})
    trace = run(script, at(500, Crash(1)), at(600, Restart(1)), duration_ms=2000)
    # At 510 the connection is idle. That OPEN is lost with the host; the next one leaves at 710, and takes too long.
    assert later(trace, 2) == [(510, "disconnect n1 idle"), (714, "disconnect n1 idle"), (914, "connect n1")]


def test_an_idle_connection_without_an_opener_is_opened_by_the_next_message() -> None:
    """`idle_timeout` alone: the usual rule of opening stays, "the next message to the peer opens a new connection"."""
    network = stream(idle_timeout=100 * MS, open_at_start=True)
    trace = run(both({"t150": send(2, "lost"), "t160": send(2, "opens")}, {}), network=network)
    assert later(trace, 1) == [(150, "disconnect n2 idle"), (164, "connect n2")]
    assert later(trace, 2) == [(152, "disconnect n1 closed"), (166, "connect n1"), (166, "letter opens")]


def test_both_may_drop_an_idle_connection_at_once() -> None:
    """Two survivors of a leader that campaign in the same turn: both requests are lost, and n2 opens anew."""
    trace = run(both({"t450_0": send(2, "lost")}, {"t450": send(1, "lost")}))
    assert later(trace, 2) == [(450, "disconnect n1 idle"), (454, "connect n1")]
    assert later(trace, 1, 6) == [(450, "disconnect n2 idle"), (456, "connect n2")]


def test_a_dead_process_opens_nothing_while_its_host_closes_its_sockets() -> None:
    """Between a kill and the close of its sockets, the host acts for the process, which can do nothing."""
    network = stream(idle_timeout=100 * MS, reopen_after=10 * MS, notice=Constant(50 * MS))
    trace = run(Script(), at(100, Kill(2)), at(110, Kill(1)), network=network)
    assert events(trace, 1) == [(6, "connect n2")]


# --- Random schedules


@settings(max_examples=100, deadline=None, phases=[Phase.generate, Phase.shrink])
@given(
    networks,
    st.sampled_from([None, 50 * MS, SECOND, 10 * SECOND]),
    st.sampled_from([None, 20 * MS, 5 * SECOND]),
    habits,
    schedules,
)
def test_what_a_process_is_told_of_kept_connections_is_consistent(
    network: NetworkSpec, idle: int | None, reopen: int | None, habits: Habits, moves: bytes
) -> None:
    """docs/transport.md: connections and their ends alternate, and letters come over an open one, in order, once.

    A letter may be missing where its connection was idle and, with `reopen_after`, where there was none.
    """
    spec = replace(network, stream=replace(network.stream, idle_timeout=idle, reopen_after=reopen))
    is_open: dict[tuple[object, object, object], bool] = {}
    last: dict[tuple[object, object, object, object], int] = {}
    for row in random_play(spec, habits, moves).rows:
        if row.kind not in ("connect", "disconnect", "letter"):
            continue
        seen = dict(row.detail)
        pair = row.node, seen["life"], seen["peer"]
        if row.kind == "letter":
            assert is_open[pair], row
            assert seen["number"] > last.get((*pair, seen["its_life"]), 0), row
            last[*pair, seen["its_life"]] = seen["number"]
        else:
            assert row.kind == "disconnect" or not is_open.get(pair, False), row
            is_open[pair] = row.kind == "connect"


def test_connections_that_are_kept_are_there_again_after_all_faults() -> None:
    """`_connectIfNecessary` in each turn: in the end, all pairs of running processes are connected."""
    moves = bytes(range(3 * 60))
    for seed in range(20):
        shuffled = bytes((byte * (2 * seed + 1)) % 256 for byte in moves)
        spec = stream(idle_timeout=SECOND, reopen_after=5 * SECOND)
        trace = random_play(spec, Habits(), shuffled)
        state = {}
        for row in trace.rows:
            if row.kind in ("connect", "disconnect"):
                state[row.node, dict(row.detail)["peer"]] = row.kind
        assert state == dict.fromkeys(PEERS, "connect")
