"""A client of etcd: its connections with the members, its calls, and its watches (client/v3, on gRPC).

A client is connected with all members. Each call goes to the next member that is connected (gRPC's round robin), and
waits if none is. If a connection ends, its calls fail. Reads, and requests that grant leases, are sent again to
another member; transactions are not, since they may have been carried out: the application learns that they have failed
(client/v3/retry.go). A watch goes on at another member, from the revision after its last event.

A connection that has ended is opened again after a second, then after 1.6 times as long each time, up to two minutes,
with a fifth more or less, at random (gRPC's connection backoff). An attempt may take 20 s. If a member is silent for
`keepalive_time` while something is open on its connection, the client asks whether it is there. If no answer comes
within `keepalive_timeout`, it gives the connection up. On a connection on which nothing is open, gRPC asks nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

from simulator.algorithms.coordination.calls import Calls
from simulator.algorithms.etcd.config import RECONNECT_FIRST, RECONNECT_MOST, EtcdConfig
from simulator.algorithms.etcd.keys import Event
from simulator.algorithms.etcd.messages import (
    Call,
    CancelWatch,
    Connect,
    Connected,
    Disconnect,
    Failed,
    LeaseGrant,
    LeaseKeepAliveResponse,
    Ping,
    Pong,
    Range,
    Response,
    Result,
    StreamClosed,
    Watch,
    WatchResponse,
)
from simulator.protocol import SECOND, Host, Message, Nanoseconds, NodeId, uniform

CONNECT, ATTEMPT, PING = "client-connect ", "client-attempt ", "client-ping "  # Begin names of timers of a member.
ATTEMPT_TIMEOUT: Nanoseconds = 20 * SECOND


class User(Protocol):
    """The algorithm that uses a client."""

    def on_ready(self) -> None:
        """A member is connected, after none was, or after another one."""

    def on_result(self, purpose: str, result: Result) -> None:
        """The result of a call that was made with this purpose."""

    def on_failed(self, purpose: str) -> None:
        """A call has failed, and may have been carried out, or not."""

    def on_event(self, watch: int, event: Event) -> None:
        """An event of a watch."""

    def on_lost(self, server: NodeId) -> None:
        """The connection with a member has ended."""

    def on_stream_message(self, message: LeaseKeepAliveResponse | StreamClosed) -> None:
        """A member has answered a keep-alive, or closed the stream of keep-alives."""


class Asked(NamedTuple):
    """A call that has had no response yet."""

    purpose: str
    request: Any
    server: NodeId | None  # None: it waits for a member that is connected.

    @property
    def may_repeat(self) -> bool:
        """Whether the library sends it again after it has failed."""
        return isinstance(self.request, Range | LeaseGrant)


@dataclass(slots=True)
class Connection:
    """The connection with one member."""

    attempts: int = 0
    ready: bool = False
    failures: int = 0  # In a row.
    pinged: bool = False
    dormant: bool = False  # Nothing is open on it, and the client has stopped to look whether the member is silent.


@dataclass(slots=True)
class Watching:
    """A watch, and the member that serves it."""

    request: Watch
    server: NodeId | None = None


class Client:
    """The client library. Timers whose names begin with `client-` are its own."""

    def __init__(self, host: Host, servers: list[NodeId], config: EtcdConfig, user: User) -> None:
        host.random.shuffle(servers)
        self._host = host
        self._config = config
        self._user = user
        self._servers = servers
        self._next_server = 0  # An index of `_servers`.
        self._connections = {server: Connection() for server in servers}
        self._calls: Calls[Asked] = Calls()
        self._watches: Calls[Watching] = Calls()
        self._streams: set[NodeId] = set()  # The members with which a stream of keep-alives is open.

    # --- What the application asks for

    def ask(self, request: Any, *, purpose: str) -> int:
        """Make a call. `on_result` or `on_failed` follows. Returns its number."""
        number = self._calls.open(Asked(purpose, request, None))
        self._send_call(number)
        return number

    def forget(self, *purposes: str) -> None:
        """Ignore the responses to all calls that were made with these purposes."""
        for number, asked in self._calls:
            if asked.purpose in purposes:
                self._calls.close(number)

    def watch(self, key: str, revision: int, *, is_prefix: bool = False) -> int:
        """Watch a key, or all keys under a prefix, from a revision on. Returns the number of the watch."""
        number = self._watches.open(Watching(Watch(0, key, is_prefix, revision)))
        watching = self._watches.get(number)
        assert watching is not None
        watching.request = Watch(number, key, is_prefix, revision)
        self._send_watch(watching)
        return number

    def cancel_watch(self, number: int) -> None:
        """End a watch."""
        watching = self._watches.close(number)
        if watching is not None and watching.server is not None:
            self._host.send(watching.server, CancelWatch(number))

    def next_ready(self) -> NodeId | None:
        """The next member that is connected, in turn; None if none is."""
        for _ in self._servers:
            server = self._servers[self._next_server]
            self._next_server = (self._next_server + 1) % len(self._servers)
            if self._connections[server].ready:
                return server
        return None

    def open_stream(self, server: NodeId) -> None:
        """A stream of keep-alives is open with this member."""
        self._streams = {server}
        self._expect(server)

    def close_stream(self) -> None:
        """No stream of keep-alives is open."""
        self._streams.clear()

    def send(self, server: NodeId, message: Message) -> None:
        """Send a message to a member that is connected."""
        self._host.send(server, message)
        self._expect(server)

    # --- Inputs

    def connect(self) -> None:
        """Open the connections with all members."""
        for server in self._servers:
            self._connect(server)

    def on_message(self, sender: NodeId, message: Message) -> None:
        """A member has sent a message. Those of a connection that the client has given up are ignored."""
        connection = self._connections[sender]
        if not connection.ready and not isinstance(message, Connected):
            return
        connection.pinged = False
        if connection.ready and not connection.dormant:
            self._await_message(sender)
        self.receive[type(message)](self, sender, message)

    def on_timer(self, name: str) -> None:
        """Connect, give up an attempt, or ask whether a member is there."""
        kind, _, number = name.rpartition(" ")
        server = int(number)
        if f"{kind} " == CONNECT:
            self._connect(server)
        elif f"{kind} " == ATTEMPT:
            self._lose(server)
        else:
            self._on_silence(server)

    def on_disconnect(self, server: NodeId) -> None:
        """The transport's connection with a member is closed."""
        if server in self._connections:
            self._lose(server)

    # --- What members say

    def _on_connected(self, server: NodeId, message: Connected) -> None:
        connection = self._connections[server]
        if connection.ready or message.number != connection.attempts:
            return
        self._host.cancel_timer(f"{ATTEMPT}{server}")
        connection.ready, connection.dormant, connection.failures = True, False, 0
        self._await_message(server)
        for number, asked in self._calls:
            if asked.server is None:
                self._send_call(number)
        for _, watching in self._watches:
            if watching.server is None:
                self._send_watch(watching)
        self._user.on_ready()

    def _on_pong(self, server: NodeId, message: Pong) -> None:
        """The member is there; nothing else."""

    def _on_response(self, server: NodeId, message: Response) -> None:
        asked = self._calls.close(message.number)
        if asked is not None:
            self._user.on_result(asked.purpose, message.result)

    def _on_failed(self, server: NodeId, message: Failed) -> None:
        if self._calls.awaits(message.number):
            self._fail(message.number)

    def _on_watch_response(self, server: NodeId, message: WatchResponse) -> None:
        watching = self._watches.get(message.number)
        if watching is None or watching.server != server:
            return
        for event in message.events:
            if self._watches.awaits(message.number):
                request = watching.request
                revision = event.kv.mod_revision + 1
                watching.request = Watch(request.number, request.key, request.is_prefix, revision)
                self._user.on_event(message.number, event)

    def _on_stream_message(self, server: NodeId, message: LeaseKeepAliveResponse | StreamClosed) -> None:
        self._user.on_stream_message(message)

    # --- Connections

    def _connect(self, server: NodeId) -> None:
        connection = self._connections[server]
        connection.attempts += 1
        self._host.set_timer(f"{ATTEMPT}{server}", ATTEMPT_TIMEOUT)
        self._host.send(server, Connect(connection.attempts))

    def _lose(self, server: NodeId) -> None:
        """A connection, or the attempt to open one, has failed."""
        connection = self._connections[server]
        was_ready, connection.ready, connection.pinged = connection.ready, False, False
        for timer in (ATTEMPT, PING):
            self._host.cancel_timer(f"{timer}{server}")
        delay = min(round(RECONNECT_FIRST * 1.6**connection.failures), RECONNECT_MOST)
        connection.failures += 1
        self._host.set_timer(f"{CONNECT}{server}", uniform(self._host.random, (delay * 4 // 5, delay * 6 // 5)))
        if not was_ready:
            return
        self._streams.discard(server)
        self._user.on_lost(server)
        for _, watching in self._watches:
            if watching.server == server:
                watching.server = None
                self._send_watch(watching)
        for number, asked in self._calls:
            if asked.server == server:
                self._fail(number)

    def _expect(self, server: NodeId) -> None:
        """Something is open on a connection: if it was dormant, ask at once whether the member is there."""
        connection = self._connections[server]
        if connection.dormant:
            connection.dormant = False
            self._on_silence(server)

    def _await_message(self, server: NodeId) -> None:
        if self._config.keepalive_time is not None:
            self._host.set_timer(f"{PING}{server}", self._config.keepalive_time)

    def _on_silence(self, server: NodeId) -> None:
        """A member was silent for `keepalive_time`, or has not answered a ping in time."""
        connection = self._connections[server]
        if self._config.keepalive_time is None:
            return
        if connection.pinged:
            self._host.send(server, Disconnect())
            self._lose(server)
        elif self._is_used(server):
            connection.pinged = True
            self._host.send(server, Ping())
            self._host.set_timer(f"{PING}{server}", self._config.keepalive_timeout)
        else:
            connection.dormant = True

    def _is_used(self, server: NodeId) -> bool:
        calls = any(asked.server == server for _, asked in self._calls)
        return calls or server in self._streams or any(watching.server == server for _, watching in self._watches)

    # --- Calls and watches

    def _send_call(self, number: int) -> None:
        asked = self._calls.get(number)
        server = self.next_ready()
        if asked is not None and server is not None:
            self._calls.replace(number, asked._replace(server=server))
            self.send(server, Call(number, asked.request))

    def _fail(self, number: int) -> None:
        asked = self._calls.get(number)
        assert asked is not None
        if asked.may_repeat:
            self._calls.replace(number, asked._replace(server=None))
            self._send_call(number)
        else:
            self._calls.close(number)
            self._user.on_failed(asked.purpose)

    def _send_watch(self, watching: Watching) -> None:
        watching.server = self.next_ready()
        if watching.server is not None:
            self.send(watching.server, watching.request)

    receive: ClassVar[dict[type, Callable[[Any, NodeId, Any], None]]] = {
        Connected: _on_connected,
        Pong: _on_pong,
        Response: _on_response,
        Failed: _on_failed,
        WatchResponse: _on_watch_response,
        LeaseKeepAliveResponse: _on_stream_message,
        StreamClosed: _on_stream_message,
    }
