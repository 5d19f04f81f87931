"""Sockets: each side of a connection sends segments until they arrive, and delivers what arrives in order.

This models what TCP does to an election; docs/transport.md lists what is left out. Each copy of a segment is one
packet, whose fate the network decides. A lost segment is sent again after a timeout, which doubles until a segment
arrives. A segment that arrives early waits for those before it. Acknowledgements take no time and are never lost.

When a process dies, its host closes its connections, after everything that the process has sent. A host that crashes
tells no peer: a peer that sends to it learns of the crash when its own retransmissions give up, or by a reset once the
host is up again.

State exists per connection in use: one `Socket` for each process that has the connection. A closed socket refers to no
other socket, so that its memory is freed with its last packet, without a search for reference cycles.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulator.cluster.network.network import Endpoint, NetworkInterface
from simulator.cluster.network.tcp.segments import UNNUMBERED, Mark, Segment, SegmentNetwork
from simulator.protocol import SECOND, Message, Nanoseconds, NodeId

LONGEST_TIMEOUT = 120 * SECOND  # Linux's TCP_RTO_MAX.

# Why a connection has ended: the `reason` of `on_disconnect`.
REFUSED = "refused"  # The host is up, but no process listens there.
CLOSED = "closed"  # The peer's process has died, and its host has closed the connection.
RESET = "reset"  # The peer does not know this connection any more.
TIMEOUT = "timeout"  # No segment has arrived for too long.


class HostStack:
    """The transport's state at one node: whether its host is up, and the sockets of its process."""

    __slots__ = ("boots", "close_delays", "interface", "listening", "lives", "sockets", "up")

    def __init__(self, interface: NetworkInterface, close_delays: Iterator[int]) -> None:
        self.interface = interface
        self.close_delays = close_delays  # How long the host takes, each time, to close the sockets of a dead process.
        self.up = True
        self.boots = 0  # How often the host has gone down.
        self.lives = 0  # The number of processes that have started on this host so far.
        self.listening = False
        self.sockets: dict[NodeId, Socket] = {}  # The connections of the running process, by peer.


class Socket:
    """One side of a connection: the segments that it has sent until they have all arrived, and the number of the
    segment that it expects next.
    """

    def __init__(self, network: SegmentNetwork, host_stack: HostStack, peer: NodeId, *, known: bool) -> None:
        self.network = network
        self.host_stack = host_stack
        self.peer = peer
        self.other: Socket | None = None  # The other side of the connection.
        # Whether the process knows the connection: it has asked for the connection, or was told that it is open.
        self.known = known
        self.opened = False
        self.gone = False  # The process has closed the socket. The host still sends lost segments again,
        self.dropped = False  # unless no peer is left to send them to.
        self._accepted = False
        self._boots = host_stack.boots
        self._waiting: list[Message] = []  # Sent before the connection was open.
        self._next_number = 0
        self._expected = 0
        self._early: dict[int, Segment] = {}  # Segments that have arrived before their turn.
        self._lost: list[Segment] = []  # Segments to be sent again, and those that wait while no segment arrives.
        self._backing_off = False  # No segment has arrived since a timeout.
        self._timeout_ns = network.stream.retransmit_after
        self._due_ns: Nanoseconds | None = None  # When the timeout is over.
        # The instant since which a segment should have arrived and none has.
        self._silent_since_ns: Nanoseconds | None = None

    # --- What happens to a connection

    def send(self, message: Message) -> None:
        """Send a message, now or as soon as the connection is open."""
        self.known = True
        if self.opened:
            self._push(message, numbered=True)
        else:
            self._waiting.append(message)

    def connect(self) -> None:
        """Ask the peer for a connection."""
        self._push(Mark.OPEN)

    def accept(self) -> None:
        """The peer has asked for this connection: accept it, and repeat that until there is an answer."""
        if not (self.opened or self._accepted):
            self._accepted = True
            self._stop_asking()
            self._push(Mark.ACCEPT)

    def close(self) -> None:
        """The process has died: the host closes the connection, after everything that was sent."""
        if self.opened:
            self._push(Mark.CLOSE, numbered=True)
            self._forget_other()
        else:
            self.abandon()

    def abandon(self) -> None:
        """Send nothing more, and tell neither side."""
        self.dropped = True
        self._lost.clear()
        self._forget_other()

    def drop(self, reason: str) -> None:
        """End a connection whose other side does not exist any more. Segments that are in flight or wait are lost, and
        the process is told.
        """
        tell_process = self.known and not self.gone
        if not self.gone:
            del self.host_stack.sockets[self.peer]
        self.abandon()
        if tell_process:
            self._process.on_disconnected(self.peer, reason)

    # --- Receiving

    def receive(self, segment: Segment) -> None:
        """Take a segment from the other side, and deliver all messages that are next in order."""
        if segment.contents is Mark.ACCEPT and (self.opened or not self._accepted):
            # If this socket has accepted the connection as well, it has answered already, unless the answer was lost.
            self._push(Mark.CONFIRM)
        if not self.opened:
            self._establish()
        if segment.number == UNNUMBERED:
            return
        self._early[segment.number] = segment
        while due := self._early.pop(self._expected, None):
            self._expected += 1
            due.sender.got_through()
            if due.contents is Mark.CLOSE:
                self.drop(CLOSED)
            else:
                self.host_stack.interface.deliver(self.peer, due.contents)

    def _establish(self) -> None:
        """Any segment but an OPEN shows that the other side has the connection."""
        self.opened = self.known = True
        self._stop_asking()
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            self._push(message, numbered=True)
        self._process.on_connected(self.peer)

    # --- Sending, and sending again (RFC 6298, section 5)

    def lose(self, segment: Segment) -> None:
        """A segment was lost: send it again after the timeout. OPEN and ACCEPT are repeated in any case."""
        if segment.number != UNNUMBERED and not self._silent:
            self._send_again_later(segment)

    def got_through(self) -> None:
        """A segment of this socket has arrived: use the first timeout again, and send the segments that were held
        back.
        """
        backing_off, self._backing_off = self._backing_off, False
        self._timeout_ns = self.network.stream.retransmit_after
        self._silent_since_ns = self._due_ns = None
        if backing_off:
            lost, self._lost = sorted(self._lost, key=_number), []
            for segment in lost:
                self._send_segment(segment)
        elif self._lost:
            self._silent_since_ns = self.network.now
            self._set_timer(self.network.now)

    def _push(self, contents: Any, *, numbered: bool = False) -> None:
        segment = Segment(self, self.other, self._next_number if numbered else UNNUMBERED, contents)
        self._next_number += numbered
        if numbered and self._backing_off:
            self._lost.append(segment)
        else:
            self._send_segment(segment)

    def _send_segment(self, segment: Segment) -> None:
        segment.sent_ns = self.network.now
        segment.in_flight = True
        self.network.send_segment(segment)
        if segment.contents in (Mark.OPEN, Mark.ACCEPT):
            self._send_again_later(segment)

    def _send_again_later(self, segment: Segment) -> None:
        self._lost.append(segment)
        if self._silent_since_ns is None:
            self._silent_since_ns = segment.sent_ns
        if self._due_ns is None:
            self._set_timer(segment.sent_ns)

    def _stop_asking(self) -> None:
        self._lost.clear()
        self.got_through()

    def _set_timer(self, since_ns: Nanoseconds) -> None:
        self._due_ns = max(since_ns + self._timeout_ns, self.network.now)
        self.network.call_at(self._due_ns, self._on_timeout, self._due_ns)

    def _on_timeout(self, due_ns: Nanoseconds, _: None) -> None:
        """Send the earliest lost segment alone, until a segment arrives (RFC 5681, section 3.1)."""
        if self._silent:
            self._lost.clear()
            return
        if due_ns != self._due_ns:
            return  # The timer was set anew.
        assert self._silent_since_ns is not None
        self._due_ns = None
        if due_ns - self._silent_since_ns >= self.network.stream.give_up_after:
            self.drop(TIMEOUT)
            return
        self._backing_off = True
        self._timeout_ns = max(self._timeout_ns, min(2 * self._timeout_ns, LONGEST_TIMEOUT))
        first = min(self._lost, key=_number)
        self._lost.remove(first)
        self._send_segment(first)

    # --- Inside

    @property
    def _process(self) -> Endpoint:
        return self.host_stack.interface.endpoint

    @property
    def _silent(self) -> bool:
        """Whether the host sends nothing more for this socket."""
        return self.dropped or self._boots != self.host_stack.boots

    def _forget_other(self) -> None:
        self.gone = True
        self.other = None
        self._waiting.clear()
        self._early.clear()


def _number(segment: Segment) -> int:
    return segment.number
