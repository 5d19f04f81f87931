"""The connections of a client with the members (gRPC).

A client is connected with all members. A connection that has ended is opened again after a while, which grows with each
failed attempt (`reconnect_delay`). An attempt may take `connect_timeout`. If a member is silent for `keepalive_time`
while something is open on its connection, the client asks whether it is there. If no answer comes within
`keepalive_timeout`, it gives the connection up. On a connection on which nothing is open, gRPC asks nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from simulator.algorithms.etcd.config import EtcdConfig
from simulator.algorithms.etcd.messages import Connect, Connected, Disconnect, Ping
from simulator.protocol import Host, Message, NodeId, uniform

CONNECT, ATTEMPT, PING = "client-connect ", "client-attempt ", "client-ping "  # Begin names of timers of a member.


class Listener(Protocol):
    """What uses the connections."""

    def on_ready(self) -> None:
        """A connection is open."""

    def on_lost(self, server: NodeId) -> None:
        """A connection that was open has ended."""

    def uses(self, server: NodeId) -> bool:
        """Whether something is open on the connection with this member, so that messages are to come."""
        ...


@dataclass(slots=True)
class Connection:
    """The connection with one member."""

    attempts: int = 0
    ready: bool = False
    failures: int = 0  # In a row.
    pinged: bool = False
    dormant: bool = False  # Nothing is open on it, and the client has stopped to look whether the member is silent.


class Connections:
    """The connections with all members. Their order is random."""

    def __init__(self, host: Host, servers: list[NodeId], config: EtcdConfig, listener: Listener) -> None:
        host.random.shuffle(servers)
        self._host = host
        self._config = config
        self._listener = listener
        self._servers = servers
        self._next_server = 0  # An index of `_servers`.
        self._connections = {server: Connection() for server in servers}

    def open(self) -> None:
        """Open the connections with all members."""
        for server in self._servers:
            self._connect(server)

    def next_ready(self) -> NodeId | None:
        """The next member that is connected, in turn (gRPC's round robin); None if none is."""
        for _ in self._servers:
            server = self._servers[self._next_server]
            self._next_server = (self._next_server + 1) % len(self._servers)
            if self._connections[server].ready:
                return server
        return None

    def send(self, server: NodeId, message: Message) -> None:
        """Send a message to a member that is connected. If its connection was dormant, ask whether it is there."""
        self._host.send(server, message)
        connection = self._connections[server]
        if connection.dormant:
            connection.dormant = False
            self._on_silence(server)

    # --- Inputs

    def on_message(self, server: NodeId, message: Message) -> bool:
        """A member has sent a message. Returns False if the client has given up its connection, and ignores it."""
        connection = self._connections[server]
        if isinstance(message, Connected):
            self._on_connected(server, message)
        if not connection.ready:
            return False
        connection.pinged = False
        if not connection.dormant:
            self._await_message(server)
        return True

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

    # --- Inside

    def _connect(self, server: NodeId) -> None:
        connection = self._connections[server]
        connection.attempts += 1
        self._host.set_timer(f"{ATTEMPT}{server}", self._config.connect_timeout)
        self._host.send(server, Connect(connection.attempts))

    def _on_connected(self, server: NodeId, message: Connected) -> None:
        connection = self._connections[server]
        if connection.ready or message.number != connection.attempts:
            return
        self._host.cancel_timer(f"{ATTEMPT}{server}")
        connection.ready, connection.dormant, connection.failures = True, False, 0
        self._await_message(server)
        self._listener.on_ready()

    def _lose(self, server: NodeId) -> None:
        """A connection, or the attempt to open one, has failed."""
        connection = self._connections[server]
        was_ready, connection.ready, connection.pinged = connection.ready, False, False
        connection.attempts += 1  # An answer to the last attempt comes too late.
        for timer in (ATTEMPT, PING):
            self._host.cancel_timer(f"{timer}{server}")
        first, most = self._config.reconnect_delay
        delay = first
        for _ in range(connection.failures):
            delay = min(delay * 8 // 5, most)
        connection.failures += 1
        self._host.set_timer(f"{CONNECT}{server}", uniform(self._host.random, (delay * 4 // 5, delay * 6 // 5)))
        if was_ready:
            self._listener.on_lost(server)

    def _await_message(self, server: NodeId) -> None:
        if self._config.keepalive_time is not None:
            self._host.set_timer(f"{PING}{server}", self._config.keepalive_time)

    def _on_silence(self, server: NodeId) -> None:
        """A member was silent for `keepalive_time`, or has not answered a ping in time."""
        connection = self._connections[server]
        if connection.pinged:
            self._host.send(server, Disconnect())
            self._lose(server)
        elif self._listener.uses(server):
            connection.pinged = True
            self._host.send(server, Ping())
            self._host.set_timer(f"{PING}{server}", self._config.keepalive_timeout)
        else:
            connection.dormant = True
