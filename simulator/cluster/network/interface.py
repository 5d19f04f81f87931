"""A node's connection to the network."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import Protocol

from simulator.cluster.distributions import durations
from simulator.cluster.network.loss import Bernoulli, GilbertElliott, Loses, LossModel
from simulator.cluster.network.spec import NetworkSpec
from simulator.cluster.network.supply import CoinFlips, Supply
from simulator.protocol import Message, Nanoseconds, NodeId
from simulator.randomness import Streams


class Endpoint(Protocol):
    """A node as the network sees it."""

    @property
    def awake(self) -> bool:
        """Whether the process runs, and is not paused."""
        ...

    def on_delivery(self, sender: NodeId, message: Message) -> None:
        """A message has arrived."""
        ...

    def on_connected(self, peer: NodeId) -> None:
        """A connection to a peer is open; stream transport only."""
        ...

    def on_disconnected(self, peer: NodeId, reason: str) -> None:
        """The connection to a peer is closed, for the given reason; stream transport only."""
        ...


class NetworkInterface:
    """A node's connection to the network: its random streams, and where packets for it are delivered."""

    __slots__ = (
        "bases",
        "deliver",
        "duplicate_latencies",
        "duplicates",
        "duplications",
        "endpoint",
        "latencies",
        "loses",
        "losses",
        "node",
        "supply",
        "wires_free_at",
    )

    def __init__(self, node: NodeId, spec: NetworkSpec, streams: Streams, endpoint: Endpoint) -> None:
        self.node = node
        self.endpoint = endpoint
        self.deliver = endpoint.on_delivery
        self.supply = Supply(spec.latency, streams, f"n{node} latency")
        self.latencies: Iterator[int] = self.supply.values
        self.losses = _flips(spec.loss, streams, f"n{node} loss")
        self.loses = _loses(spec.loss, self.losses, streams, f"n{node} loss")
        self.duplications = _flips(spec.duplication, streams, f"n{node} duplication")
        self.duplicates: Iterator[bool] = repeat(False) if self.duplications is None else self.duplications.values
        self.duplicate_latencies: Iterator[int] = durations(spec.latency, streams, f"n{node} duplicate latency")
        self.bases = None if spec.topology is None else spec.topology.bases_from(node)
        self.wires_free_at: dict[NodeId, Nanoseconds] = {}  # When the link to each receiver is free.


def _flips(chance: float | LossModel, streams: Streams, name: str) -> Supply | None:
    """Whether each next packet is lost, or duplicated, independently of all others; None if none is, or by bursts."""
    if isinstance(chance, GilbertElliott):
        return None
    probability = chance.probability if isinstance(chance, Bernoulli) else chance
    return Supply(CoinFlips(probability), streams, name) if probability else None


def _loses(loss: float | LossModel, flips: Supply | None, streams: Streams, name: str) -> Loses | None:
    """Whether each next packet is lost; None if no packet ever is."""
    if flips is not None:
        lost = flips.values
        return lambda _: next(lost)
    return loss.of(streams, name) if isinstance(loss, GilbertElliott) else None
