"""Segments: what travels over a connection, and the network that carries it."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from simulator.cluster.network.network import StreamSpec
from simulator.protocol import Message, Nanoseconds

if TYPE_CHECKING:
    from simulator.cluster.network.tcp.sockets import Socket

UNNUMBERED = -1


class Mark(enum.Enum):
    """What a segment holds in place of a message. OPEN, ACCEPT and CONFIRM are the handshake, and have no number."""

    OPEN = enum.auto()  # Asks for a connection. It is repeated until there is an answer.
    ACCEPT = enum.auto()  # Accepts the connection. It is repeated until there is an answer.
    CONFIRM = enum.auto()  # Confirms that ACCEPT has arrived.
    CLOSE = enum.auto()  # The last segment: the process that sent all segments before it has died.


class SegmentNetwork(Protocol):
    """What a socket needs of the network."""

    stream: StreamSpec

    @property
    def now(self) -> Nanoseconds:
        """The present instant."""
        ...

    def call_at(
        self, at_ns: Nanoseconds, act: Callable[[Any, Any], None], argument_a: Any, argument_b: Any = None
    ) -> None:
        """Call `act(argument_a, argument_b)` at an instant."""
        ...

    def send_segment(self, segment: Segment) -> None:
        """Send a segment as one packet. The segment's `arrive`, or its socket's `lose`, is called."""
        ...

    def segment_arrived(self, segment: Segment) -> None:
        """The first copy of a segment has arrived at the receiver's host."""
        ...


class Segment:
    """A message, or a mark, in one direction of a connection."""

    __slots__ = ("contents", "in_flight", "number", "receiver", "sender", "sent_ns")

    def __init__(self, sender: Socket, receiver: Socket | None, number: int, contents: Any) -> None:
        self.sender = sender
        self.receiver = receiver  # None stands for the socket that will accept the connection.
        self.number = number
        self.contents = contents
        self.sent_ns: Nanoseconds = 0
        self.in_flight = False

    def arrive(self, _: int, __: Message) -> None:
        """A copy has arrived. The first copy settles the fate of this sending; later copies change nothing."""
        if self.in_flight:
            self.in_flight = False
            self.sender.network.segment_arrived(self)
