"""The stream transport: messages travel over connections, in order per direction, and again until they are there.

A model of what TCP does to an election, not of TCP (docs/transport.md says what is left out). Each copy of a segment is
a packet with a fate of its own. What is lost is sent again after a timeout, which doubles until something gets through;
what arrives early waits for what was sent before it. Acknowledgements take no time and are never lost. When a process
dies, its host closes its connections, in order behind what was sent. A host that goes silent tells nobody: whoever
sends to it learns of that from its own patience running out or, once the host is up again, from a reset.

State exists per connection in use: a `Socket` for each process that has one. An end that is gone points at no other, so
that it is freed with the last of its packets, without a search for cycles.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from simulator.cluster.network.network import Endpoint, NetworkInterface, StreamSpec
from simulator.protocol import SECOND, Message, Nanoseconds, NodeId

LONGEST_TIMEOUT = 120 * SECOND  # Linux's TCP_RTO_MAX.
_UNNUMBERED = -1

# Why a connection is gone, as `on_disconnect` is told.
REFUSED = "refused"  # The host is up, but no process listens there.
CLOSED = "closed"  # The peer's process has died, and its host has said so.
RESET = "reset"  # The peer has no such connection any more.
TIMEOUT = "timeout"  # Nothing has got through for too long.


class Mark(enum.Enum):
    """What a segment holds that is no message. The first three are the handshake, and take no place in the order."""

    OPEN = enum.auto()  # Asks for a connection, until there is an answer;
    ACCEPT = enum.auto()  # grants it, until there is an answer;
    CONFIRM = enum.auto()  # and says that this has been heard.
    CLOSE = enum.auto()  # The last: the process that sent all before it has died.


class Carrier(Protocol):
    """What a connection asks of the network."""

    stream: StreamSpec

    @property
    def now(self) -> Nanoseconds: ...
    def call_at(self, at_ns: Nanoseconds, act: Callable[[Any, Any], None], one: Any, other: Any = None) -> None: ...
    def carry_segment(self, segment: Segment) -> None: ...
    def arrived(self, segment: Segment) -> None: ...


class HostStack:
    """What the transport knows of one node: whether its host is up, and whether sockets of a process are open there."""

    __slots__ = ("boots", "ends", "interface", "listening", "lives", "notices", "up")

    def __init__(self, interface: NetworkInterface, notices: Iterator[int]) -> None:
        self.interface = interface
        self.notices = notices  # How long the host takes, each time, to close the sockets of a process that died.
        self.up = True
        self.boots = 0  # How often the host has gone down.
        self.lives = 0  # How many processes have started here.
        self.listening = False
        self.ends: dict[NodeId, Socket] = {}  # The connections of the process, by peer.


class Segment:
    """A message, or a mark, in one direction of a connection."""

    __slots__ = ("contents", "end", "number", "on_its_way", "sent_ns", "to")

    def __init__(self, end: Socket, to: Socket | None, number: int, contents: Any) -> None:
        self.end = end
        self.to = to  # None: whoever accepts the connection.
        self.number = number
        self.contents = contents
        self.sent_ns: Nanoseconds = 0
        self.on_its_way = False

    def arrive(self, _: NodeId, __: Message) -> None:
        """A copy has arrived. The first settles the fate of this sending; any other changes nothing."""
        if self.on_its_way:
            self.on_its_way = False
            self.end.network.arrived(self)


class Socket:
    """One side of a connection: what it sends, until all of it has arrived, and what it expects."""

    def __init__(self, network: Carrier, machine: HostStack, peer: NodeId, *, known: bool) -> None:
        self.network = network
        self.machine = machine
        self.peer = peer
        self.other: Socket | None = None
        self.known = known  # To the process, which has asked for it, or has been told that it is open.
        self.opened = False
        self.gone = False  # The process has it no more. Its host still sends again what was lost, unless
        self.dropped = False  # there is nobody to send to.
        self._accepted = False
        self._boots = machine.boots
        self._waiting: list[Message] = []  # Sent before the connection was open.
        self._next_number = 0
        self._expected = 0
        self._early: dict[int, Segment] = {}  # What has arrived before its turn.
        self._lost: list[Segment] = []  # To be sent again; also what waits while nothing gets through.
        self._backing_off = False  # Nothing has got through since a timeout.
        self._timeout_ns = network.stream.retransmit_after
        self._due_ns: Nanoseconds | None = None  # When the timeout is over.
        self._silent_since_ns: Nanoseconds | None = None  # Since when nothing has got through, though something should.

    # --- What happens to a connection

    def send(self, message: Message) -> None:
        self.known = True
        if self.opened:
            self._push(message, numbered=True)
        else:
            self._waiting.append(message)

    def ask(self) -> None:
        """Ask the peer for a connection."""
        self._push(Mark.OPEN)

    def accept(self) -> None:
        """The other end has asked for this connection. To accept it asks for it, too."""
        if not (self.opened or self._accepted):
            self._accepted = True
            self._forget_asking()
            self._push(Mark.ACCEPT)

    def close(self) -> None:
        """The process has died, and its host says so, behind all that was sent."""
        if self.opened:
            self._push(Mark.CLOSE, numbered=True)
            self._leave()
        else:
            self.vanish()

    def vanish(self) -> None:
        """The host sends nothing more for it."""
        self.dropped = True
        self._lost.clear()
        self._leave()

    def drop(self, reason: str) -> None:
        """There is nobody to send to: whatever is still on its way back, or waits, is lost, and the process is told."""
        told = self.known and not self.gone
        if not self.gone:
            del self.machine.ends[self.peer]
        self.vanish()
        if told:
            self._process.on_disconnected(self.peer, reason)

    # --- Receiving

    def receive(self, segment: Segment) -> None:
        """A segment of the other end has arrived: take it, and all that waited for it, in order."""
        if segment.contents is Mark.ACCEPT and (self.opened or not self._accepted):
            self._push(Mark.CONFIRM)  # Where this end has accepted, too, that is an answer already, unless it is lost.
        if not self.opened:
            self._establish()
        if segment.number == _UNNUMBERED:
            return
        self._early[segment.number] = segment
        while due := self._early.pop(self._expected, None):
            self._expected += 1
            due.end.got_through()
            if due.contents is Mark.CLOSE:
                self.drop(CLOSED)
            else:
                self.machine.interface.deliver(self.peer, due.contents)

    def _establish(self) -> None:
        """Whatever comes but an OPEN answers what this end has asked."""
        self.opened = self.known = True
        self._forget_asking()
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            self._push(message, numbered=True)
        self._process.on_connected(self.peer)

    # --- Sending, and sending again (RFC 6298, section 5)

    def lose(self, segment: Segment) -> None:
        """A segment that was sent has not arrived: send it again after the timeout. Asking is repeated in any case."""
        if segment.number != _UNNUMBERED and not self._silent:
            self._keep(segment)

    def _keep(self, segment: Segment) -> None:
        self._lost.append(segment)
        if self._silent_since_ns is None:
            self._silent_since_ns = segment.sent_ns
        if self._due_ns is None:
            self._set_timer(segment.sent_ns)

    def got_through(self) -> None:
        """Something has arrived in its turn: begin anew with the first timeout, and with what was held back."""
        backing_off, self._backing_off = self._backing_off, False
        self._timeout_ns = self.network.stream.retransmit_after
        self._silent_since_ns = self._due_ns = None
        if backing_off:
            lost, self._lost = sorted(self._lost, key=_number), []
            for segment in lost:
                self._attempt(segment)
        elif self._lost:
            self._silent_since_ns = self.network.now
            self._set_timer(self.network.now)

    def _push(self, contents: Any, *, numbered: bool = False) -> None:
        segment = Segment(self, self.other, self._next_number if numbered else _UNNUMBERED, contents)
        self._next_number += numbered
        if numbered and self._backing_off:
            self._lost.append(segment)
        else:
            self._attempt(segment)

    def _attempt(self, segment: Segment) -> None:
        segment.sent_ns = self.network.now
        segment.on_its_way = True
        self.network.carry_segment(segment)
        if segment.contents in (Mark.OPEN, Mark.ACCEPT):
            self._keep(segment)

    def _forget_asking(self) -> None:
        self._lost.clear()
        self.got_through()

    def _set_timer(self, since_ns: Nanoseconds) -> None:
        self._due_ns = max(since_ns + self._timeout_ns, self.network.now)
        self.network.call_at(self._due_ns, self._time_out, self._due_ns)

    def _time_out(self, due_ns: Nanoseconds, _: None) -> None:
        """Send the earliest that is lost alone, until something gets through (RFC 5681, section 3.1)."""
        if self._silent:
            self._lost.clear()
            return
        if due_ns != self._due_ns:
            return  # It was set anew.
        assert self._silent_since_ns is not None
        self._due_ns = None
        if due_ns - self._silent_since_ns >= self.network.stream.give_up_after:
            self.drop(TIMEOUT)
            return
        self._backing_off = True
        self._timeout_ns = max(self._timeout_ns, min(2 * self._timeout_ns, LONGEST_TIMEOUT))
        first = min(self._lost, key=_number)
        self._lost.remove(first)
        self._attempt(first)

    # --- Inside

    @property
    def _process(self) -> Endpoint:
        return self.machine.interface.endpoint

    @property
    def _silent(self) -> bool:
        """Whether its host sends nothing more for it."""
        return self.dropped or self._boots != self.machine.boots

    def _leave(self) -> None:
        self.gone = True
        self.other = None
        self._waiting.clear()
        self._early.clear()


def _number(segment: Segment) -> int:
    return segment.number
