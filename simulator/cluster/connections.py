"""The stream transport: messages travel over connections, in order per direction, and again until they are there.

A model of what TCP does to an election, not of TCP. Each copy of a segment on its way is a packet with a fate of its
own. What is lost is sent again after a timeout that doubles until something gets through; what arrives early waits for
what was sent before it. Acknowledgements take no time and are never lost. When a process dies, its host closes its
connections, in order behind what was sent. A host that goes silent tells nobody: whoever sends to it learns of that
from its own patience running out or, once the host is up again, from a reset.

State exists per connection in use: an `End` for each process that has one.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from simulator.cluster.distributions import durations
from simulator.cluster.network import Network, Port
from simulator.protocol import SECOND, Message, Nanoseconds, NodeId

LONGEST_TIMEOUT = 120 * SECOND  # Linux's TCP_RTO_MAX.

# Why a connection is gone, as `on_disconnect` is told.
REFUSED = "refused"  # The host is up, but no process listens there.
CLOSED = "closed"  # The peer's process has died, and its host has said so.
RESET = "reset"  # The peer's host knows nothing of this connection any more.
TIMEOUT = "timeout"  # Nothing has got through for too long.


class Mark(enum.Enum):
    """What a segment holds that is no message."""

    OPEN = enum.auto()  # The first of who opens a connection,
    ACCEPT = enum.auto()  # and of who accepts it: nothing else is sent before it has arrived.
    CLOSE = enum.auto()  # The last.


class Machine:
    """What the transport knows of one node: whether its host is up, and which process, if any, listens there."""

    __slots__ = ("boots", "ends", "notices", "port", "process", "up")

    def __init__(self, port: Port, notices: Iterator[int]) -> None:
        self.port = port
        self.notices = notices  # How long the host takes, each time, to close a dead process's connections.
        self.up = True
        self.boots = 0  # How often the host has gone down.
        self.process: object = None  # Another object in every life of the process.
        self.ends: dict[NodeId, End] = {}  # Of this process's connections, by peer.


class Segment:
    """A message, or a mark, at its place in one direction of a connection."""

    __slots__ = ("contents", "end", "number", "sent_ns")

    def __init__(self, end: End, number: int, contents: Any) -> None:
        self.end = end
        self.number = number
        self.contents = contents
        self.sent_ns: Nanoseconds = 0


class End:
    """One side of a connection: what it sends, until all of it has arrived, and what it expects."""

    def __init__(self, network: StreamNetwork, machine: Machine, peer: NodeId, other: End | None = None) -> None:
        """`other` is the end that is accepted by this one; without it, this one opens the connection."""
        self.machine = machine
        self.peer = peer
        self.other = other
        self.opened = other is not None
        self.superseded = False  # Both sides were opening one; the other one's goes on.
        self.dropped = False
        self._network = network
        self._process, self._boots = machine.process, machine.boots
        self._waiting: list[Message] = []  # Sent before the connection was open.
        self._next_number = 0
        self._expected = 0
        self._early: dict[int, Segment] = {}  # What has arrived before its turn.
        self._lost: list[Segment] = []
        self._timeout_ns = network.spec.stream.retransmit_after
        self._timer_is_set = False
        self._silent_since_ns: Nanoseconds | None = None  # Since when nothing has got through, though something should.

    @property
    def gone(self) -> bool:
        """Whether its process has it no more: it has been told so, or has died."""
        return self.dropped or self._process is not self.machine.process

    @property
    def silent(self) -> bool:
        """Whether its host sends nothing more for it."""
        return self.dropped or self._boots != self.machine.boots

    def send(self, message: Message) -> None:
        if self.opened:
            self.push(message)
        else:
            self._waiting.append(message)

    def push(self, contents: Any) -> None:
        """Send the next segment of this direction."""
        segment = Segment(self, self._next_number, contents)
        self._next_number += 1
        self._attempt(segment)

    def close(self) -> None:
        """The host closes what its dead process has left, behind all that was sent."""
        if self.opened and not self.silent:
            self.push(Mark.CLOSE)

    def drop(self, reason: str) -> None:
        """The connection is gone: whatever is still on its way or waits is lost, and the process is told."""
        told, self.dropped = not self.gone, True
        if told:
            del self.machine.ends[self.peer]
            self.machine.port.endpoint.on_disconnected(self.peer, reason)

    def supersede(self, opening: End) -> None:
        """Go on in place of an end of the same process, which was opening a connection to the same peer."""
        opening.superseded = opening.dropped = True
        self._waiting, opening._waiting = opening._waiting, []

    def established(self) -> None:
        """Both sides have the connection, as far as this one knows."""
        self.opened = True
        self.machine.port.endpoint.on_connected(self.peer)
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            self.push(message)

    # --- Receiving

    def receive(self, segment: Segment) -> None:
        """A segment of the other end has arrived: take it, and all that waited for it, in order."""
        if segment.number < self._expected:
            return  # A copy of what has been taken.
        self._early[segment.number] = segment
        while not self.gone and (due := self._early.pop(self._expected, None)):
            self._expected += 1
            due.end.got_through()
            self._take(due.contents)

    def _take(self, contents: Any) -> None:
        if contents is Mark.ACCEPT:
            self.established()
        elif contents is Mark.CLOSE:
            self.drop(CLOSED)
        elif contents is not Mark.OPEN:
            self.machine.port.deliver(self.peer, contents)

    # --- Sending again

    def lose(self, segment: Segment) -> None:
        """A segment that was sent has not arrived: send it again after the timeout, with whatever is lost by then."""
        if self.silent:
            return
        self._lost.append(segment)
        if self._silent_since_ns is None:
            self._silent_since_ns = segment.sent_ns
        if not self._timer_is_set:
            self._timer_is_set = True
            self._network.call_at(segment.sent_ns + self._timeout_ns, self._send_again)

    def got_through(self) -> None:
        self._timeout_ns = self._network.spec.stream.retransmit_after
        self._silent_since_ns = None

    def _send_again(self) -> None:
        self._timer_is_set = False
        if self.silent:
            return
        now, stream = self._network.now, self._network.spec.stream
        if self._silent_since_ns is not None and now - self._silent_since_ns >= stream.give_up_after:
            self.drop(TIMEOUT)
            return
        self._timeout_ns = min(2 * self._timeout_ns, LONGEST_TIMEOUT)
        lost, self._lost = sorted(self._lost, key=lambda segment: segment.number), []
        for segment in lost:
            self._attempt(segment)

    def _attempt(self, segment: Segment) -> None:
        segment.sent_ns = self._network.now
        self._network.carry_segment(segment)


class StreamNetwork(Network):
    """Carries messages between ports over connections, which are opened by the first message or by a start."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._machines: dict[NodeId, Machine] = {}

    def transmit(self, port: Port, to: NodeId, message: Message) -> None:
        self.sent[type(message)] += 1
        self._end(port.node, to).send(message)

    def process_started(self, port: Port, peers: Iterable[NodeId]) -> None:
        machine = self._machine(port.node)
        machine.up, machine.process, machine.ends = True, object(), {}
        if self.spec.stream.open_at_start:
            for peer in peers:
                self._end(port.node, peer)

    def process_died(self, port: Port) -> None:
        machine = self._machine(port.node)
        left, machine.process, machine.ends = list(machine.ends.values()), None, {}
        closed_ns = self.now + next(machine.notices)
        for end in left:
            self.call_at(closed_ns, end.close)

    def host_died(self, port: Port) -> None:
        machine = self._machine(port.node)
        machine.up, machine.process, machine.ends = False, None, {}
        machine.boots += 1

    # --- What ends ask for

    @property
    def now(self) -> Nanoseconds:
        return int(self._kernel._now)

    def call_at(self, at_ns: Nanoseconds, call: Callable[[], None]) -> None:
        self._kernel.push(max(at_ns, self.now), lambda _, __: call())

    def carry_segment(self, segment: Segment) -> None:
        end = segment.end
        message = None if isinstance(segment.contents, Mark) else segment.contents
        self.carry(
            end.machine.port,
            end.peer,
            message,
            lambda _, __: self._segment_arrived(segment),
            lambda: end.lose(segment),
        )

    # --- Inside

    def _machine(self, node: NodeId) -> Machine:
        if node not in self._machines:
            notices = durations(self.spec.stream.notice, self._streams, f"n{node} notice")
            self._machines[node] = Machine(self.ports[node], notices)
        return self._machines[node]

    def _end(self, node: NodeId, peer: NodeId) -> End:
        machine = self._machine(node)
        if peer not in machine.ends:
            end = machine.ends[peer] = End(self, machine, peer)
            end.push(Mark.OPEN)
        return machine.ends[peer]

    def _segment_arrived(self, segment: Segment) -> None:
        end = segment.end
        machine = self._machine(end.peer)
        if end.superseded:
            return
        if not machine.up:
            end.lose(segment)
        elif end.other is None and machine.process is None:
            self._answer(machine, segment, REFUSED)
        elif end.other is None and not self._accept(machine, end):
            end.lose(segment)  # Its own attempt to open one goes on; if that fails, this one comes again.
        elif end.other is not None and end.other.gone:
            self._answer(machine, segment, RESET)
        elif end.other is not None:
            end.other.receive(segment)

    def _accept(self, machine: Machine, opener: End) -> bool:
        """Whether the peer takes the connection. Where both open one at once, that of the lower id goes on."""
        node, peer = machine.port.node, opener.machine.port.node
        own = machine.ends.get(peer)
        if own is not None and not own.opened and node < peer:
            return False
        end = End(self, machine, peer, opener)
        opener.other = end
        if own is not None and own.opened:
            own.drop(RESET)  # The peer has begun anew.
        elif own is not None:
            end.supersede(own)
        machine.ends[peer] = end
        end.push(Mark.ACCEPT)
        end.established()
        return True

    def _answer(self, machine: Machine, segment: Segment, reason: str) -> None:
        """Tell who has sent a segment that there is nobody to take it."""
        end = segment.end
        self.carry(
            machine.port,
            end.machine.port.node,
            None,
            lambda _, __: end.drop(reason),
            lambda: end.lose(segment),
        )
