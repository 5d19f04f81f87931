"""Where nodes are, and the base latency from one place to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.protocol import Nanoseconds, NodeId


@dataclass(frozen=True, slots=True)
class Topology:
    """Zones, the least one-way latency between them, and the zone of each node."""

    zones: tuple[str, ...]
    base: tuple[tuple[Nanoseconds, ...], ...]  # Latencies from the zone of the row to the zone of the column.
    placed: tuple[int, ...]  # For each node from n1 on, the position of its zone in `zones`.

    def zone_of(self, node: NodeId) -> str:
        """The zone that a node is in."""
        return self.zones[self.placed[node - 1]]

    def nodes_in(self, zone: str) -> tuple[NodeId, ...]:
        """Rising; none in a zone that does not exist."""
        return tuple(node for node, place in enumerate(self.placed, start=1) if self.zones[place] == zone)

    def bases_from(self, node: NodeId) -> Sequence[Nanoseconds]:
        """The base latencies from a node, one per zone."""
        return self.base[self.placed[node - 1]]
