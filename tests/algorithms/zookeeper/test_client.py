"""A client's session, with an ensemble that agrees at once: Hunt et al. 2010, section 4.4, and the Guide."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.algorithms.zookeeper.client_messages import ConnectRequest, Create, Exists, Reply
from simulator.algorithms.zookeeper.messages import Zxid
from simulator.protocol import MILLISECOND as MS
from simulator.protocol import SECOND
from tests.algorithms.zookeeper.agreed import Scene

TICK, TIMEOUT = 500 * MS, 2 * SECOND


def scene(candidates: int = 1, *, at: str = "", **options: Any) -> Scene:
    """`at: follower` looks for a seed with which the first candidate is not connected with the ensemble's leader."""
    chosen: dict[str, Any] = {"tick_time": TICK, "session_timeout": TIMEOUT, "reconnect_delay": (0, 0)} | options
    benches = (Scene(candidates, seed=seed, **chosen) for seed in range(20))
    return next(bench for bench in benches if not at or bench.server_of(1) != candidates + 1)


def _sent(bench: Scene, kind: str, sender: int | None = None) -> list[str]:
    return [
        envelope.text
        for envelope in bench.sent
        if type(envelope.message).__name__ == kind and sender in (None, envelope.sender)
    ]


def _cut(bench: Scene, *nodes: int) -> None:
    """Lose all that is in flight to or from these nodes."""
    for envelope in tuple(bench.in_flight):
        if envelope.sender in nodes or envelope.to in nodes:
            bench.drop(envelope)


@pytest.mark.parametrize(("asked", "granted"), [(100 * MS, SECOND), (TIMEOUT, TIMEOUT), (60 * SECOND, 10 * SECOND)])
def test_the_timeout_is_negotiated(asked: int, granted: int) -> None:
    """Guide: "The client sends a requested timeout, the server responds with the timeout that it can give"."""
    bench = scene(session_timeout=asked)
    bench.settle()
    assert bench.candidate(1).client.timeout == granted
    (answer,) = _sent(bench, "ConnectResponse")
    assert f"timeout={granted}" in answer


def test_an_idle_session_pings_every_third_of_its_timeout() -> None:
    """Hunt et al., section 4.4: a heartbeat after the session has been idle for a third of its timeout, s/3.

    The last request is at 0; so pings leave at s/3, 2s/3, … of 2 s: 14 in 10 s, since 15 thirds are 10 s less 10 ns.
    """
    bench = scene(announce=False)
    bench.let_pass(10 * SECOND - 20)
    assert len(_sent(bench, "SessionPing")) == 14
    assert bench.candidate(1).client.connected


def test_kazoos_pings_come_earlier_by_a_draw() -> None:
    """Reference: "the client pings at about a third of the timeout minus 0.01–0.4 s". So about 10 s / (0.667 - 0.2)."""
    bench = scene(announce=False, ping_jitter=(10 * MS, 400 * MS))
    bench.let_pass(10 * SECOND)
    assert 10 * SECOND / (TIMEOUT // 3) < len(_sent(bench, "SessionPing")) <= 10 * SECOND / (TIMEOUT // 3 - 400 * MS)


def test_silence_of_two_thirds_sends_a_client_to_another_server() -> None:
    """Hunt et al., section 4.4: it goes to another server if it has not heard from its own for two thirds, 2s/3."""
    bench = scene()
    bench.settle()
    client, before = bench.candidate(1).client, bench.server_of(1)
    session, heard_at = client.session, bench.now()
    while bench.server_of(1) == before and bench.now() < 5 * SECOND:
        _cut(bench, before)
        bench.advance(MS)
        if not client.connected:
            break
    assert bench.now() - heard_at == 2 * TIMEOUT // 3 // MS * MS + MS  # At the first whole millisecond after.
    bench.advance(0)  # It asks again after no time at all.
    bench.settle()
    assert client.connected and client.session == session and bench.server_of(1) != before


def test_a_server_that_stops_serving_closes_its_clients_which_keep_their_sessions() -> None:
    """Guide: "the session will either again transition to the connected state (if reconnected within the session
    timeout value) or it will transition to the expired state"."""
    bench = scene(3, at="follower")
    bench.let_pass(SECOND)
    leaders = bench.leaders
    session, tree = bench.candidate(1).client.session, bench.server(4).replica.tree
    znodes = tree.children("/election")
    left = bench.server_of(1)
    bench.server(left).stop_serving()
    bench.let_pass(SECOND)
    assert bench.candidate(1).client.session == session and bench.server_of(1) != left
    assert tree.children("/election") == znodes
    assert bench.leaders == leaders and bench.named() == leaders * 3


def test_a_session_that_has_expired_is_told_so_and_begins_anew() -> None:
    """Guide: "it will not be notified of the session expiration until/unless it is able to re-establish a connection";
    then only a new session helps, whose znode comes last."""
    bench = scene(2)
    bench.let_pass(SECOND)
    old = bench.leaders[0]
    session = bench.candidate(old).client.session
    for _ in range(4000):
        bench.settle_without(old)
        bench.advance(MS)
    assert bench.leaders == [3 - old] and bench.candidate(old).client.session == session  # It does not know.
    assert not _sent(bench, "Reply", old)
    bench.let_pass(SECOND)
    assert bench.candidate(old).client.session not in (None, session)
    assert bench.leaders == [3 - old] and bench.named() == [3 - old] * 2
    children = bench.server(3).replica.tree.children("/election")
    assert [name[:2] for name in children] == [f"n{3 - old}", f"n{old}"]
    assert children[1].endswith("n_0000000002")


def test_a_server_that_knows_less_than_the_client_sends_it_away() -> None:
    """Hunt et al., section 4.4: a server does not re-establish a session until it is as recent as the client's view."""
    bench = scene()
    bench.settle()
    late = next(server for server in (3, 4) if server != bench.server_of(1))
    bench.server(late).replica.zxid = Zxid(1, 1)
    seen = bench.server(2).replica.zxid
    assert seen > Zxid(1, 1)
    answers = len(bench.sent)
    bench.deliver(bench.inject(1, late, ConnectRequest(9, bench.candidate(1).client.session, TIMEOUT, seen)))
    assert [envelope.text for envelope in bench.sent[answers:]] == ["Disconnect()"]


def test_an_attempt_that_is_not_answered_ends_after_its_part_of_the_timeout() -> None:
    """The timeout divided by the number of servers is the connect timeout of ZooKeeper's client (ClientCnxn).

    What the first server answers later is not taken for the answer of the second.
    """
    bench = scene()
    first = bench.server_of(1)
    (request,) = bench.in_flight
    bench.drop(request)
    bench.advance(TIMEOUT // 3)
    bench.advance(0)
    second = bench.server_of(1)
    assert second != first
    late = bench.inject(1, first, request.message)
    bench.deliver(late)
    for envelope in [envelope for envelope in bench.in_flight if first in (envelope.sender, envelope.to)]:
        bench.deliver(envelope)
    assert not bench.candidate(1).client.connected
    bench.settle()
    assert bench.candidate(1).client.connected and bench.server_of(1) == second


def test_a_request_on_a_connection_that_was_left_is_refused() -> None:
    """Guide, SessionMovedException: "When the delayed packet arrives at the first server, the old server detects that
    the session has moved, and closes the client connection"."""
    bench = scene(at="follower")
    bench.settle()
    client = bench.candidate(1).client
    old = bench.server_of(1)
    other = next(server for server in (2, 3, 4) if server != old)
    before = bench.server(2).replica.tree.children("/")
    bench.inject(1, other, ConnectRequest(7, client.session, TIMEOUT))  # The client has moved, as the leader is told.
    bench.settle()
    bench.inject(1, old, Create(99, "/late"))
    bench.settle()
    assert "Disconnect()" in [envelope.text for envelope in bench.sent if envelope.sender == old]
    assert bench.server(2).replica.tree.children("/") == before


def test_requests_are_answered_in_the_order_in_which_they_were_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hunt et al., section 2.3: "FIFO client order: all requests from a given client are executed in the order that
    they were sent by the client": a read waits for the write before it."""
    bench = scene()
    bench.settle()
    client, answers = bench.candidate(1).client, list[tuple[str, str]]()

    def on_reply(purpose: str, reply: Reply) -> None:
        answers.append((purpose, str(reply.code)))

    monkeypatch.setattr(bench.candidate(1), "on_reply", on_reply)
    client.ask(Create, "/mine", purpose="create")
    client.ask(Exists, "/mine", purpose="exists")
    client.ask(Create, "/mine", purpose="again")
    bench.settle()
    assert answers == [("create", "ok"), ("exists", "ok"), ("again", "node-exists")]


def test_a_creation_that_went_unanswered_is_found_again() -> None:
    """Recipes, "Recoverable Errors and the GUID": after a recoverable error of create() the client calls getChildren()
    and looks for a node with its guid. So it has one znode, and not two."""
    bench = scene(at="follower")
    while not any(isinstance(envelope.message, Reply) for envelope in bench.in_flight):
        bench.deliver(bench.in_flight[0])
    server = bench.server_of(1)
    _cut(bench, 1)
    bench.server(server).stop_serving()
    bench.let_pass(SECOND)
    assert bench.leaders == [1]
    assert len(bench.server(2).replica.tree.children("/election")) == 1


def test_nothing_is_left_of_a_client_that_has_gone() -> None:
    """Watches and connections are the server's for as long as the connection lasts (Guide, "Semantics of Watches")."""
    bench = scene(2)
    bench.let_pass(SECOND)
    bench.node(1).crash()
    replica = bench.server(bench.server_of(2)).replica
    for server in (3, 4, 5):
        bench.server(server).replica.on_client_disconnect(1, "closed")
    bench.let_pass(4 * SECOND)
    assert list(replica.tree.sessions) == [bench.candidate(2).client.session]
    assert all(1 not in bench.server(server).replica.connections for server in (3, 4, 5))
