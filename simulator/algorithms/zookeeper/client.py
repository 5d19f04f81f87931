"""A client's session with the ensemble, as ZooKeeper's own client keeps it.

Hunt et al. 2010, section 4.4: the client sends a heartbeat after its session has been idle for a third of its timeout.
It changes to another server after hearing nothing from its own for two thirds of the timeout. It tries the servers in a
random order. Each attempt may take the timeout divided by their number. Before every attempt but the first it waits for
a random time of up to a second, so that not all clients return at once (ClientCnxn.startConnect).

While a client changes servers, its session continues until the leader closes it. The client learns of that only from a
server ("Session expiration is managed by the ZooKeeper cluster itself", Programmer's Guide), and then asks for a new
session. When a connection is lost, replies that have not come are lost; the client has to find out what was done.

Only what a client sends prolongs its session. So a session lasts for its timeout, at least, from the instant at which
the client sent the last request that was answered. The instant of the answer is too late, and a notification of a watch
says nothing about the session: a server sends it even if it has not heard of the client for long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

from simulator.algorithms.coordination.calls import Calls
from simulator.algorithms.zookeeper.client_config import ZooKeeperConfig
from simulator.algorithms.zookeeper.client_messages import (
    ConnectRequest,
    ConnectResponse,
    Disconnect,
    Operation,
    Reply,
    SessionPing,
    SessionPong,
    WatcherEvent,
)
from simulator.algorithms.zookeeper.messages import Zxid
from simulator.algorithms.zookeeper.tree import SessionId
from simulator.algorithms.zookeeper.watches import Change
from simulator.clients.server_list import ServerList
from simulator.protocol import Host, Message, Nanoseconds, NodeId, uniform


class User(Protocol):
    """The algorithm that uses a session."""

    def on_connected(self, *, new: bool) -> None:
        """A server serves the session, which is new or continues. Watches set before are gone."""

    def on_disconnected(self) -> None:
        """No server serves the session any more. It may continue, or have expired."""

    def on_expired(self) -> None:
        """A server says that the session has expired. The client asks for a new one."""

    def on_notification(self, path: str, change: Change) -> None:
        """A znode with a watch has changed."""

    def on_reply(self, purpose: str, reply: Reply) -> None:
        """The reply to an operation that was asked for with this purpose."""


class _Asked(NamedTuple):
    """An operation that has had no reply yet."""

    purpose: str
    sent_at: Nanoseconds


class Client:
    """A session. Timers whose names begin with `client` are its own."""

    def __init__(self, host: Host, servers: Sequence[NodeId], config: ZooKeeperConfig, user: User) -> None:
        self.session: SessionId | None = None
        # The requested timeout; after the connection, the granted one.
        self.timeout: Nanoseconds = config.session_timeout
        self.connected = False
        self._host = host
        self._config = config
        self._user = user
        self._servers = ServerList(servers, host.random)
        self._server: NodeId | None = None  # The server that serves the session, or has been asked to.
        self._connection = 0
        self._last_zxid: Zxid | None = None
        self._asked: Calls[_Asked] = Calls()
        self._pinged: deque[Nanoseconds] = deque()  # The sending times of the pings that have not been answered yet.
        self._requested_at: Nanoseconds = 0  # When the session was asked for on the present connection.
        # The sending time of the last request that was answered, on the monotonic clock.
        self._sure_since: Nanoseconds = 0

    @property
    def time_left(self) -> Nanoseconds:
        """The time until the session may have expired: its timeout, less the time since the sending of the last request
        that was answered."""
        return self.timeout - (self._host.monotonic() - self._sure_since)

    def ask(self, operation: type[Any], *fields: object, purpose: str) -> None:
        """Send an operation to the server. `on_reply(purpose, reply)` follows, unless the connection is lost before."""
        xid = self._asked.open(_Asked(purpose, self._host.monotonic()))
        request: Operation = operation(xid, *fields)
        self._send(request)

    # --- Inputs

    def connect(self) -> None:
        """Ask the next server to serve the session."""
        self._server = self._servers.current
        self._servers.move_on(self._server)
        self._connection += 1
        self._host.set_timer("client-attempt", self.timeout // len(self._servers))
        self._requested_at = self._host.monotonic()
        request = ConnectRequest(self._connection, self.session, self._config.session_timeout, self._last_zxid)
        self._host.send(self._server, request)

    def on_message(self, sender: NodeId, message: Message) -> None:
        """Handle a message of a server. The client ignores servers that it has left."""
        if sender != self._server:
            return  # The client has left this server.
        if self.connected:
            self._heard()
        self.receive[type(message)](self, message)

    def on_timer(self, name: str) -> None:
        """Send a ping, connect, or leave a server that has been silent for too long."""
        if name == "client-ping":
            self._pinged.append(self._host.monotonic())
            self._send(SessionPing())
        elif name == "client-connect":
            self.connect()
        else:  # An attempt or a connection has been silent for too long.
            assert self._server is not None
            self._host.send(self._server, Disconnect())
            self._lose()

    def on_disconnect(self, peer: NodeId) -> None:
        """The connection to a server is closed."""
        if peer == self._server:
            self._lose()

    # --- What servers say

    def _on_connect_response(self, message: ConnectResponse) -> None:
        if self.connected or message.connection != self._connection:
            return
        self._host.cancel_timer("client-attempt")
        if message.session is None:
            self.session = None
            self._user.on_expired()
            self.connect()
            return
        new = message.session != self.session
        self.session, self.timeout, self.connected = message.session, message.timeout, True
        self._sure_since = self._requested_at
        self._heard()
        self._expect_ping()
        self._user.on_connected(new=new)

    def _on_pong(self, message: SessionPong) -> None:
        """Pings are answered in the order in which they were sent."""
        self._saw(message.zxid)
        if self._pinged:
            self._answered(self._pinged.popleft())

    def _on_reply(self, message: Reply) -> None:
        self._saw(message.zxid)
        asked = self._asked.close(message.xid)
        if asked is not None:
            self._answered(asked.sent_at)
            self._user.on_reply(asked.purpose, message)

    def _on_notification(self, message: WatcherEvent) -> None:
        if self.connected:
            self._user.on_notification(message.path, message.change)

    def _on_disconnected(self, message: Disconnect) -> None:
        self._lose()

    # --- Inside

    def _send(self, message: Message) -> None:
        assert self._server is not None
        self._host.send(self._server, message)
        self._expect_ping()

    def _expect_ping(self) -> None:
        """Ping a third of the timeout after the last message, or somewhat earlier (kazoo)."""
        early = uniform(self._host.random, self._config.ping_jitter)
        self._host.set_timer("client-ping", max(self.timeout // 3 - early, early))

    def _answered(self, sent_at: Nanoseconds) -> None:
        """A server has received what was sent then. A ping may be answered before an earlier write."""
        self._sure_since = max(self._sure_since, sent_at)

    def _heard(self) -> None:
        self._host.set_timer("client-read", 2 * self.timeout // 3)

    def _saw(self, zxid: Zxid) -> None:
        self._last_zxid = zxid

    def _lose(self) -> None:
        """The connection, or the attempt to open one, has failed."""
        was_connected, self.connected, self._server = self.connected, False, None
        self._asked.clear()
        self._pinged.clear()
        for timer in ("client-attempt", "client-read", "client-ping"):
            self._host.cancel_timer(timer)
        self._host.set_timer("client-connect", uniform(self._host.random, self._config.reconnect_delay))
        if was_connected:
            self._user.on_disconnected()

    receive: ClassVar[dict[type, Callable[[Any, Any], None]]] = {
        ConnectResponse: _on_connect_response,
        SessionPong: _on_pong,
        Reply: _on_reply,
        WatcherEvent: _on_notification,
        Disconnect: _on_disconnected,
    }
