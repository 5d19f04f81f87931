"""A client of etcd: its calls and its watches (client/v3).

Each call goes to the next member that is connected (`connections`), and waits if none is. If a connection ends, its
calls fail. Reads, and requests that grant leases, are sent again to another member; transactions are not, since they
may have been carried out: the application learns that they have failed (client/v3/retry.go). A watch goes on at another
member, from the revision after its last event.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

from simulator.algorithms.coordination.calls import Calls
from simulator.algorithms.etcd.config import EtcdConfig
from simulator.algorithms.etcd.connections import Connections
from simulator.algorithms.etcd.keys import Event
from simulator.algorithms.etcd.messages import (
    Call,
    CancelWatch,
    Connected,
    Failed,
    LeaseGrant,
    LeaseKeepAliveResponse,
    Pong,
    Range,
    Response,
    Result,
    StreamClosed,
    Watch,
    WatchResponse,
)
from simulator.protocol import Host, Message, NodeId


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
class Watching:
    """A watch, and the member that serves it."""

    request: Watch
    server: NodeId | None = None


class Client:
    """The client library. Timers whose names begin with `client-` are its own."""

    def __init__(self, host: Host, servers: list[NodeId], config: EtcdConfig, user: User) -> None:
        self.connections = Connections(host, servers, config, self)
        self._user = user
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
            self.connections.send(watching.server, CancelWatch(number))

    def open_stream(self, server: NodeId) -> None:
        """A stream of keep-alives is open with this member."""
        self._streams = {server}

    def close_stream(self) -> None:
        """No stream of keep-alives is open."""
        self._streams.clear()

    # --- Inputs

    def on_message(self, sender: NodeId, message: Message) -> None:
        """A member has sent a message. Those of a connection that the client has given up are ignored."""
        if self.connections.on_message(sender, message):
            self.receive[type(message)](self, sender, message)

    # --- The connections (`Listener`)

    def on_ready(self) -> None:
        """A member is connected: send what waits for one."""
        for number, asked in self._calls:
            if asked.server is None:
                self._send_call(number)
        for _, watching in self._watches:
            if watching.server is None:
                self._send_watch(watching)
        self._user.on_ready()

    def on_lost(self, server: NodeId) -> None:
        """The connection with a member has ended: go on with watches elsewhere, and let calls fail."""
        self._streams.discard(server)
        self._user.on_lost(server)
        for _, watching in self._watches:
            if watching.server == server:
                self._send_watch(watching)
        for number, asked in self._calls:
            if asked.server == server:
                self._fail(number)

    def uses(self, server: NodeId) -> bool:
        """Whether a call, a watch or the stream of keep-alives is open with a member."""
        calls = any(asked.server == server for _, asked in self._calls)
        return calls or server in self._streams or any(watching.server == server for _, watching in self._watches)

    # --- What members say

    def _on_sign_of_life(self, server: NodeId, message: Connected | Pong) -> None:
        """The connection is open, or the member is there: nothing else."""

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

    # --- Calls and watches

    def _send_call(self, number: int) -> None:
        asked = self._calls.get(number)
        server = self.connections.next_ready()
        if asked is not None and server is not None:
            self._calls.replace(number, asked._replace(server=server))
            self.connections.send(server, Call(number, asked.request))

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
        watching.server = self.connections.next_ready()
        if watching.server is not None:
            self.connections.send(watching.server, watching.request)

    receive: ClassVar[dict[type, Callable[[Any, NodeId, Any], None]]] = {
        Connected: _on_sign_of_life,
        Pong: _on_sign_of_life,
        Response: _on_response,
        Failed: _on_failed,
        WatchResponse: _on_watch_response,
        LeaseKeepAliveResponse: _on_stream_message,
        StreamClosed: _on_stream_message,
    }
