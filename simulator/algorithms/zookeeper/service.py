"""What a server of an ensemble does for its clients: sessions, reads, watches, and writes through the leader.

Hunt et al. 2010, section 4. A server answers reads from its own tree. It forwards a write to the leader, and answers it
after it has applied the committed transaction. Later operations of the same client wait until then, so the operations
of a client are carried out in the order in which it sent them.

A server remembers from which sessions it has heard, and reports them to its leader with each answer to a ping, twice a
tick. Only the leader decides that a session has expired (`session_leader.py`), by a transaction. If a client comes to
another server, that server asks the leader whether the session is still open. A server whose tree is older than what
the client has seen refuses the client.

The number of a session is that of the transaction that opened it. ZooKeeper derives it from the server's id and clock;
both are unique, which is sufficient.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from simulator.algorithms.zookeeper import operations
from simulator.algorithms.zookeeper.client_config import ZooKeeperConfig
from simulator.algorithms.zookeeper.client_messages import (
    CloseSession,
    ConnectRequest,
    ConnectResponse,
    Create,
    Delete,
    Disconnect,
    EndSession,
    Exists,
    GetChildren,
    GetData,
    Moved,
    OpenSession,
    Operation,
    Reply,
    Revalidate,
    Revalidated,
    SessionPing,
    SessionPong,
    WatcherEvent,
    WriteRequest,
)
from simulator.algorithms.zookeeper.messages import NOTHING, Zxid
from simulator.algorithms.zookeeper.replica import Replica, ReplicaServer
from simulator.algorithms.zookeeper.session_leader import TIMER, SessionLeader
from simulator.algorithms.zookeeper.sessions import negotiated
from simulator.algorithms.zookeeper.tree import Code, DataTree, SessionId, TreeError
from simulator.algorithms.zookeeper.watches import Change, Watches
from simulator.protocol import Message, Nanoseconds, NodeId

ELECTION = "/election"  # The parent of the candidates' znodes; it exists from the start.


@dataclass(slots=True)
class Connection:
    """A client's connection with this server. Until the session is open, `session` is None."""

    client: NodeId
    number: int
    session: SessionId | None = None
    writing: int | None = None  # The operation whose transaction is not committed yet.
    waiting: deque[Operation] = field(default_factory=deque)


class Service(Replica):
    """The replica of one server, since its last start."""

    def __init__(self, server: ReplicaServer, durable: Mapping[str, Any]) -> None:
        super().__init__(server, durable)
        self.host = server.host
        self.config: ZooKeeperConfig = server.config
        self.watches = Watches(self)
        self.tree = DataTree(self.watches)
        self.tree.create(ELECTION)
        self.zxid = NOTHING  # The last transaction that was applied.
        # What the leader does for sessions. Set while this server leads and serves.
        self.leader: SessionLeader | None = None
        self.connections: dict[NodeId, Connection] = {}
        self._by_session: dict[SessionId, Connection] = {}
        self._heard_of: dict[SessionId, None] = {}  # The sessions heard from since the leader's last ping.

    def view(self) -> Mapping[str, object]:
        connected = {connection.client: connection.session for connection in self.connections.values()}
        return {"znodes": self.tree.view(), "sessions": dict(self.tree.sessions), "clients": connected}

    # --- The role of the server

    def led(self) -> None:
        self.leader = SessionLeader(self.server, self.tree)

    def unserving(self) -> None:
        self.leader = None
        self.host.cancel_timer(TIMER)
        self._heard_of.clear()
        for connection in tuple(self.connections.values()):
            self._close(connection)

    # --- Committed transactions

    def apply(self, zxid: Zxid, transaction: Message) -> None:
        self.zxid = zxid
        self.transactions[type(transaction)](self, transaction)

    def snapshot(self) -> object:
        return self.zxid, self.tree.snapshot()

    def restore(self, snapshot: Any) -> None:
        self.zxid, tree = snapshot
        self.tree.restore(tree)

    def _apply_open_session(self, opened: OpenSession) -> None:
        session = self.zxid.epoch << 32 | self.zxid.counter
        self.tree.open_session(session, opened.timeout)
        if self.leader is not None:
            self.leader.opened(session, opened.server)
        if opened.server == self.host.me:
            self._establish(opened.client, opened.connection, session, opened.timeout)

    def _apply_write(self, write: WriteRequest) -> None:
        try:
            code, value = Code.OK, operations.write(self.tree, write)
        except TreeError as error:
            code, value = error.code, ""
        connection = self._by_session.get(write.session)
        if connection is not None and connection.writing == write.operation.xid:
            self._reply(connection, write.operation, code, value)
            connection.writing = None
            self._go_on(connection)

    def _apply_end_session(self, ended: EndSession) -> None:
        self.tree.close_session(ended.session)
        if self.leader is not None:
            self.leader.closed(ended.session)
        connection = self._by_session.get(ended.session)
        if connection is not None:
            self._close(connection)

    transactions: ClassVar[Mapping[type, Callable[[Any, Any], None]]] = {
        OpenSession: _apply_open_session,
        WriteRequest: _apply_write,
        EndSession: _apply_end_session,
    }

    # --- Messages of clients

    def on_client_message(self, sender: NodeId, message: Message) -> None:
        self.receive[type(message)](self, sender, message)

    def on_client_disconnect(self, peer: NodeId, reason: str) -> None:
        """The connection is closed. The session continues: its client may come back, here or at another server."""
        self._forget(peer)

    def _on_disconnect(self, sender: NodeId, message: Disconnect) -> None:
        self._forget(sender)

    def _on_connect_request(self, sender: NodeId, message: ConnectRequest) -> None:
        self._forget(sender)
        if not self.server.serving or (message.last_zxid is not None and message.last_zxid > self.zxid):
            self.host.send(sender, Disconnect())
            return
        self.connections[sender] = Connection(sender, message.connection)
        if message.session is not None:
            self.server.forward(Revalidate(sender, message.connection, message.session))
        else:
            timeout = negotiated(message.timeout, self.config.tick_time)
            self.server.forward(OpenSession(self.host.me, sender, message.connection, timeout))

    def _on_ping(self, sender: NodeId, message: SessionPing) -> None:
        connection = self.connections.get(sender)
        if connection is not None and connection.session is not None:
            self._hear_of(connection.session)
            self.host.send(sender, SessionPong(self.zxid))

    def _on_operation(self, sender: NodeId, message: Operation) -> None:
        connection = self.connections.get(sender)
        if connection is not None and connection.session is not None:
            self._hear_of(connection.session)
            connection.waiting.append(message)
            self._go_on(connection)

    # --- Messages of the leader about clients

    def _on_revalidated(self, leader: NodeId, message: Revalidated) -> None:
        if message.timeout is not None:
            self._establish(message.client, message.connection, message.session, message.timeout)
            return
        connection = self.connections.get(message.client)
        if connection is not None and connection.number == message.connection:
            self.host.send(message.client, ConnectResponse(message.connection, None))
            self._forget(message.client)

    def _on_moved(self, leader: NodeId, message: Moved) -> None:
        """ "The old server detects that the session has moved, and closes the client connection" (Guide)."""
        connection = self._by_session.get(message.session)
        if connection is not None:
            self._close(connection)

    receive: ClassVar[Mapping[type, Callable[[Any, NodeId, Any], None]]] = {
        ConnectRequest: _on_connect_request,
        SessionPing: _on_ping,
        **dict.fromkeys((Create, Delete, Exists, GetData, GetChildren, CloseSession), _on_operation),
        Disconnect: _on_disconnect,
        Revalidated: _on_revalidated,
        Moved: _on_moved,
    }

    # --- The leader, and its learners

    def on_request(self, learner: NodeId, request: Message) -> None:
        assert self.leader is not None
        answer = self.leader.answer(learner, request)
        if answer is None:
            return
        if learner == self.host.me:
            self.on_client_message(learner, answer)
        else:
            self.host.send(learner, answer)

    def touched(self) -> tuple[SessionId, ...]:
        heard_of, self._heard_of = tuple(self._heard_of), {}
        return heard_of

    def on_touched(self, learner: NodeId, sessions: tuple[SessionId, ...]) -> None:
        assert self.leader is not None
        for session in sessions:
            self.leader.hear_of(session)

    def on_timer(self, name: str) -> None:
        assert self.leader is not None
        self.leader.on_timer()

    # --- Connections

    def _establish(self, client: NodeId, number: int, session: SessionId, timeout: Nanoseconds) -> None:
        connection = self.connections.get(client)
        if connection is None or connection.number != number or connection.session is not None:
            return  # The client has left, or has connected again, meanwhile.
        connection.session = session
        self._by_session[session] = connection
        self._hear_of(session)
        self.host.send(client, ConnectResponse(number, session, timeout))

    def _go_on(self, connection: Connection) -> None:
        """Carry out the client's operations in order, until one has to be committed first."""
        while connection.waiting and connection.writing is None:
            operation = connection.waiting.popleft()
            if isinstance(operation, Create | Delete | CloseSession):
                connection.writing = operation.xid
                assert connection.session is not None
                self.server.forward(operations.transaction_for(connection.session, operation))
            else:
                code, value = operations.read(self.tree, self.watches, connection.client, operation)
                self._reply(connection, operation, code, value)

    def _reply(self, connection: Connection, operation: Operation, code: Code, value: str | tuple[str, ...]) -> None:
        self.host.send(connection.client, Reply(operation.xid, self.zxid, code, value))

    def on_watch_triggered(self, client: NodeId, path: str, change: Change) -> None:
        self.host.send(client, WatcherEvent(path, change))

    def _hear_of(self, session: SessionId) -> None:
        if self.leader is not None:
            self.leader.hear_of(session)
        else:
            self._heard_of[session] = None

    def _close(self, connection: Connection) -> None:
        self.host.send(connection.client, Disconnect())
        self._forget(connection.client)

    def _forget(self, client: NodeId) -> None:
        connection = self.connections.pop(client, None)
        if connection is not None:
            self.watches.forget(client)
            if connection.session is not None and self._by_session.get(connection.session) is connection:
                del self._by_session[connection.session]
