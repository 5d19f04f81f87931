"""The network: one place decides a packet's fate. Reachable? Lost? How late? Duplicated?

A packet's fate is settled when it is sent: one that left before a partition still arrives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappush
from typing import Any

from simpy.events import NORMAL

from simulator.cluster.distributions import Constant, Distribution, coin_flips, durations
from simulator.cluster.kernel import Kernel
from simulator.cluster.links import Cut, Links
from simulator.protocol import MILLISECOND, Message, NodeId, describe
from simulator.randomness import Streams
from simulator.trace.trace import MessageRow


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """What every link does: one-way latency, and the probabilities of loss and duplication, per packet."""

    latency: Distribution = Constant(5 * MILLISECOND)
    loss: float = 0.0
    duplication: float = 0.0


class Port:
    """A node's way into the network: its own random streams, and where what arrives for it is delivered."""

    __slots__ = ("deliver", "duplicate_latencies", "duplicates", "latencies", "losses", "node")

    def __init__(self, node: NodeId, spec: NetworkSpec, streams: Streams, deliver: Any) -> None:
        self.node = node
        self.deliver = deliver
        self.latencies: Iterator[int] = durations(spec.latency, streams, f"n{node} latency")
        self.losses: Iterator[bool] = coin_flips(spec.loss, streams, f"n{node} loss")
        self.duplicates: Iterator[bool] = coin_flips(spec.duplication, streams, f"n{node} duplication")
        self.duplicate_latencies: Iterator[int] = durations(spec.latency, streams, f"n{node} duplicate latency")


class Network:
    """Carries messages between ports, and counts what was sent by type, lost or not."""

    def __init__(self, spec: NetworkSpec, kernel: Kernel, streams: Streams, message_types: Iterable[type]) -> None:
        self.sent: dict[type, int] = dict.fromkeys(message_types, 0)
        self.links = Links()
        self.ports: dict[NodeId, Port] = {}
        self._spec = spec
        self._streams = streams
        self._kernel = kernel
        self._queue: list[Any] = kernel._queue
        self._order = kernel._eid
        self._clear = self._is_clear()

    def attach(self, node: NodeId, deliver: Any) -> Port:
        port = self.ports[node] = Port(node, self._spec, self._streams, deliver)
        return port

    def transmit(self, port: Port, to: NodeId, message: Message) -> None:
        """Send one packet. The hot path: a clear network costs a latency and a push."""
        self.sent[type(message)] += 1
        if self._clear:
            arrives = self._kernel._now + next(port.latencies)
            heappush(
                self._queue,
                (arrives, NORMAL, next(self._order), self.ports[to].deliver, port.node, message),
            )
        else:
            for latency in self._fate(port, to):
                self._deliver_after(latency, port, to, message)

    def cut(self, cut: Cut, name: str | None = None) -> None:
        self.links.cut(cut, name)
        self._clear = False

    def heal(self, name: str | None = None) -> None:
        """Lift the cuts of that name; every cut where none is given."""
        self.links.heal(name)
        self._clear = self._is_clear()

    def _is_clear(self) -> bool:
        return not (self.links.cuts or self._spec.loss or self._spec.duplication)

    def _fate(self, port: Port, to: NodeId) -> Sequence[int]:
        """The latency of each copy that arrives; none for a packet that is stopped or lost."""
        if self.links.cuts and not self.links.open(port.node, to):
            return ()
        latency = next(port.latencies)
        if self._spec.loss and next(port.losses):
            return ()
        if self._spec.duplication and next(port.duplicates):
            return latency, next(port.duplicate_latencies)
        return (latency,)

    def _deliver_after(self, latency: int, port: Port, to: NodeId, message: Message) -> None:
        self._kernel.push(self._kernel._now + latency, self.ports[to].deliver, port.node, message)


class JournallingNetwork(Network):
    """The same network, writing every message down: for one trial that is looked at closely."""

    def __init__(self, spec: NetworkSpec, kernel: Kernel, streams: Streams, message_types: Iterable[type]) -> None:
        super().__init__(spec, kernel, streams, message_types)
        self.journal: list[MessageRow] = []

    def transmit(self, port: Port, to: NodeId, message: Message) -> None:
        self.sent[type(message)] += 1
        sent_ns = int(self._kernel._now)
        latencies = self._fate(port, to)
        arrivals: Sequence[int | None] = [sent_ns + latency for latency in latencies] or [None]
        for arrives_ns in arrivals:
            name, text = type(message).__name__, describe(message)
            self.journal.append(MessageRow(sent_ns, arrives_ns, port.node, to, name, text))
        for latency in latencies:
            self._deliver_after(latency, port, to, message)
