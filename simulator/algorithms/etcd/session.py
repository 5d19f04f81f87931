"""A session: a lease that a client keeps alive (client/v3/concurrency/session.go, client/v3/lease.go).

The client has one stream of keep-alives, with one member. It looks every 500 ms from the opening of the stream on, and
sends a keep-alive if the next one is due. The next one is due a third of the time to live after the last answer came.
So keep-alives have a grid of 500 ms: with 5 s they come every 2 s. Without an answer, it sends one at each look.

The session ends when a member says that there is no such lease; or when its time to live has passed since the last
answer came, for which the client looks once a second. If the stream ends, the client waits for 500 ms and opens another
one, with the next member; the session goes on meanwhile.
"""

from __future__ import annotations

from typing import Protocol

from simulator.algorithms.etcd.client import Client
from simulator.algorithms.etcd.config import EtcdElectionConfig
from simulator.algorithms.etcd.messages import (
    LeaseGrant,
    LeaseId,
    LeaseKeepAlive,
    LeaseKeepAliveResponse,
    Result,
    StreamClosed,
)
from simulator.protocol import MILLISECOND, SECOND, Host, Nanoseconds, NodeId

GRANTED = "granted"  # The purpose of the call that asks for a lease.
SEND, DEADLINE, REOPEN = "session-send", "session-deadline", "session-reopen"  # Timers.
LOOK_INTERVAL: Nanoseconds = 500 * MILLISECOND  # Also how long the client waits before it opens another stream.
DEADLINE_INTERVAL: Nanoseconds = SECOND


class Holder(Protocol):
    """The algorithm that holds a session."""

    def on_session(self) -> None:
        """The session has begun: there is a lease."""

    def on_session_ended(self) -> None:
        """The session has ended (`Done`)."""


class Session:
    """A client's session, or none, and its stream of keep-alives. Timers that begin with `session-` are its own."""

    def __init__(self, host: Host, config: EtcdElectionConfig, client: Client, holder: Holder) -> None:
        self.lease: LeaseId | None = None  # None: there is no session.
        self.ttl_s = 0
        self._host = host
        self._config = config
        self._client = client
        self._holder = holder
        self._next_due: Nanoseconds = 0  # When the next keep-alive is due, on the monotonic clock.
        self._deadline: Nanoseconds = 0
        self._begun = False  # Whether the client has begun to look; then it does so for good.
        self._waits = False  # Whether the client waits before it opens another stream.
        self._stream = 0
        self._server: NodeId | None = None  # With which the stream is open.

    def begin(self) -> None:
        """Ask for a lease."""
        self._client.ask(LeaseGrant(self._config.session_ttl // SECOND), purpose=GRANTED)

    def end(self) -> None:
        """Keep the lease alive no more (`Orphan`). It expires."""
        self.lease = None

    # --- Inputs

    def on_granted(self, result: Result) -> None:
        """A lease was granted: keep it alive."""
        now = self._host.monotonic()
        self.lease, self.ttl_s = result.lease, result.ttl_s
        # The first one is due at once.
        self._next_due, self._deadline = now - 1, now + self._config.first_keepalive_timeout
        if not self._begun:
            self._begun = True
            self._host.set_timer(DEADLINE, DEADLINE_INTERVAL)
            self._open()
        self._holder.on_session()

    def on_ready(self) -> None:
        """A member is connected: open a stream, if one is wanted."""
        if self._begun and self._server is None and not self._waits:
            self._open()

    def on_lost(self, server: NodeId) -> None:
        """The connection with a member has ended, and with it the stream, if it was there."""
        if server == self._server:
            self._on_stream_ended()

    def on_timer(self, name: str) -> None:
        """Look whether a keep-alive is due, or whether the session has lasted too long; or open another stream."""
        if name == SEND:
            self._look()
        elif name == DEADLINE:
            self._host.set_timer(DEADLINE, DEADLINE_INTERVAL)
            if self.lease is not None and self._deadline < self._host.monotonic():
                self._end()
        else:
            self._waits = False
            self._open()

    def on_keep_alive(self, message: LeaseKeepAliveResponse) -> None:
        """A member has renewed the lease, or says that there is none."""
        if message.stream != self._stream or message.lease != self.lease:
            return
        if message.ttl_s <= 0:
            self._end()
            return
        now = self._host.monotonic()
        self._next_due, self._deadline = now + message.ttl_s * SECOND // 3, now + message.ttl_s * SECOND

    def on_stream_closed(self, message: StreamClosed) -> None:
        """The member has closed the stream."""
        if message.stream == self._stream and self._server is not None:
            self._on_stream_ended()

    # --- Inside

    def _open(self) -> None:
        self._server = self._client.connections.next_ready()
        if self._server is not None:
            self._stream += 1
            self._client.open_stream(self._server)
            self._look()

    def _look(self) -> None:
        """Send a keep-alive if it is due."""
        if self._server is None:
            return
        self._host.set_timer(SEND, LOOK_INTERVAL)
        if self.lease is not None and self._next_due < self._host.monotonic():
            self._client.connections.send(self._server, LeaseKeepAlive(self._stream, self.lease))

    def _on_stream_ended(self) -> None:
        self._server = None
        self._client.close_stream()
        self._host.cancel_timer(SEND)
        self._waits = True
        self._host.set_timer(REOPEN, LOOK_INTERVAL)

    def _end(self) -> None:
        self.lease = None
        self._holder.on_session_ended()
