"""A network without a cluster: what is sent by hand, and when each copy arrives where."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from simulator.cluster.kernel import Kernel
from simulator.cluster.network.network import Network, NetworkSpec
from simulator.protocol import Message, Nanoseconds, NodeId
from simulator.randomness import Streams
from tests.support.probe import Letter

END = 1 << 62


@dataclass(frozen=True, slots=True)
class Arrival:
    at_ns: Nanoseconds
    sender: NodeId
    to: NodeId
    text: str


class Wire:
    """A network of a few nodes, each of which notes what arrives."""

    def __init__(self, spec: NetworkSpec, nodes: int = 3, seed: int = 1) -> None:
        self.kernel = Kernel()
        self.network = Network(spec, self.kernel, Streams(seed, 0), [Letter])
        self.arrivals: list[Arrival] = []
        for node in range(1, nodes + 1):
            self.network.attach(node, _Endpoint(self, node))

    def send(self, sender: NodeId, to: NodeId, text: str = "", at_ns: Nanoseconds = 0) -> None:
        self.kernel.push(
            at_ns, lambda _, __: self.network.send_message(self.network.interfaces[sender], to, Letter(text))
        )

    def run(self) -> list[Arrival]:
        """All that arrives, in order."""
        self.kernel.run_until(END, event_limit=10_000_000)
        return self.arrivals

    def fates(self, sender: NodeId, to: NodeId, packets: int, *others: NodeId) -> np.ndarray:
        """Whether each of so many packets was lost; after each, one goes to each of the others. Shape (packets,)."""
        for number in range(packets):
            for receiver in (to, *others):
                self.send(sender, receiver, str(number), at_ns=number)
        lost = np.ones(packets, dtype=bool)
        lost[[int(arrival.text) for arrival in self.run() if arrival.to == to]] = False
        return lost


class _Endpoint:
    awake = True

    def __init__(self, wire: Wire, node: NodeId) -> None:
        self._wire = wire
        self._node = node

    def on_delivery(self, sender: NodeId, message: Message) -> None:
        self._wire.arrivals.append(Arrival(int(self._wire.kernel.now), sender, self._node, message.text))

    def on_connected(self, peer: NodeId) -> None:
        raise AssertionError("datagrams know no connections")

    def on_disconnected(self, peer: NodeId, reason: str) -> None:
        raise AssertionError("datagrams know no connections")


def runs(lost: np.ndarray) -> np.ndarray:
    """The lengths of the runs of lost packets that both began and ended within sight."""
    edges = np.flatnonzero(np.diff(lost.astype(int)))
    lengths: list[Any] = [end - begin for begin, end in pairwise(edges) if lost[begin + 1]]
    return np.array(lengths)
