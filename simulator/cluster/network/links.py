"""Sets of links, each with a direction. A set holds no pairs: it answers for any pair whether it covers that link."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from simulator.protocol import NodeId


class LinkSelector(Protocol):
    """Some of the links between nodes."""

    named: frozenset[NodeId]  # The nodes that the set names. Others may have links in it, too.

    def covers(self, sender: NodeId, to: NodeId) -> bool:
        """Whether the link from `sender` to `to` is in the set."""
        ...

    def has_links(self, nodes: Collection[NodeId]) -> bool:
        """Whether the set has any link between these nodes. Returns True if the answer would take long to find."""
        ...


class Everywhere:
    """All links."""

    named: frozenset[NodeId] = frozenset()

    def covers(self, sender: NodeId, to: NodeId) -> bool:
        return True

    def has_links(self, nodes: Collection[NodeId]) -> bool:
        return len(nodes) > 1


class Touching:
    """Every link of these nodes, in both directions."""

    __slots__ = ("named",)

    def __init__(self, nodes: Iterable[NodeId]) -> None:
        self.named = frozenset(nodes)

    def covers(self, sender: NodeId, to: NodeId) -> bool:
        return sender in self.named or to in self.named

    def has_links(self, nodes: Collection[NodeId]) -> bool:
        return len(nodes) > 1 and not self.named.isdisjoint(nodes)


class Pairs:
    """Links from each sender to each receiver; with `both_ways`, also from each receiver to each sender."""

    __slots__ = ("_both_ways", "_receivers", "_senders", "named")

    def __init__(self, senders: Iterable[NodeId], receivers: Iterable[NodeId], *, both_ways: bool = False) -> None:
        self._senders = frozenset(senders)
        self._receivers = frozenset(receivers)
        self._both_ways = both_ways
        self.named = self._senders | self._receivers

    def covers(self, sender: NodeId, to: NodeId) -> bool:
        if sender in self._senders and to in self._receivers:
            return True
        return self._both_ways and to in self._senders and sender in self._receivers

    def has_links(self, nodes: Collection[NodeId]) -> bool:
        senders, receivers = self._senders.intersection(nodes), self._receivers.intersection(nodes)
        return bool(senders and receivers) and len(senders | receivers) > 1


_REST = frozenset((-1,))  # The number of the group that all nodes outside the named groups form.


class BetweenGroups:
    """Links from one group to another. Nodes in no group form one more group. Bridges are in every group.

    A node in several groups reaches the nodes of each of them.
    """

    __slots__ = ("_bridges", "_groups_of", "named")

    def __init__(self, groups: Iterable[Iterable[NodeId]], bridges: Collection[NodeId] = ()) -> None:
        self._groups_of: dict[NodeId, frozenset[int]] = {}
        for number, group in enumerate(groups):
            for node in group:
                self._groups_of[node] = self._groups_of.get(node, frozenset()) | {number}
        self._bridges = frozenset(bridges)
        self.named = self._bridges.union(self._groups_of)

    def covers(self, sender: NodeId, to: NodeId) -> bool:
        if sender in self._bridges or to in self._bridges:
            return False
        return self._groups_of.get(sender, _REST).isdisjoint(self._groups_of.get(to, _REST))

    def has_links(self, nodes: Collection[NodeId]) -> bool:
        groups = [self._groups_of.get(node, _REST) for node in nodes if node not in self._bridges]
        return bool(groups) and not frozenset.intersection(*groups)


class BeyondNeighbours:
    """Links between nodes that are more than `reach` places apart on a ring. A node that is not on the ring has no
    neighbour.
    """

    __slots__ = ("_place_of", "_reach", "named")

    def __init__(self, ring: Iterable[NodeId], reach: int) -> None:
        self._place_of: Mapping[NodeId, int] = {node: place for place, node in enumerate(ring)}
        self._reach = reach
        self.named = frozenset(self._place_of)

    def covers(self, sender: NodeId, to: NodeId) -> bool:
        places = self._place_of
        if sender not in places or to not in places:
            return sender != to
        apart = abs(places[sender] - places[to])
        return min(apart, len(places) - apart) > self._reach

    def has_links(self, nodes: Collection[NodeId]) -> bool:
        return True
