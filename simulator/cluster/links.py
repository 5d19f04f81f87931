"""Which links are cut. State exists only where something differs from a clear network, never for all pairs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from simulator.protocol import NodeId


class Cut(Protocol):
    """Something that stops packets."""

    def severs(self, sender: NodeId, to: NodeId) -> bool:
        """Whether a packet from `sender` to `to` is stopped."""
        ...


class Groups:
    """Nodes reach those of their own group only; those in no group form one more. Bridges are in every group."""

    __slots__ = ("_bridges", "_group_of")

    def __init__(self, groups: Iterable[Iterable[NodeId]], bridges: Collection[NodeId] = ()) -> None:
        self._group_of = {node: number for number, group in enumerate(groups) for node in group}
        self._bridges = frozenset(bridges)

    def severs(self, sender: NodeId, to: NodeId) -> bool:
        if sender in self._bridges or to in self._bridges:
            return False
        return self._group_of.get(sender) != self._group_of.get(to)


class Pairs:
    """Packets from any of the senders to any of the receivers are stopped; with `both_ways`, answers are, too."""

    __slots__ = ("_both_ways", "_receivers", "_senders")

    def __init__(self, senders: Iterable[NodeId], receivers: Iterable[NodeId], *, both_ways: bool = False) -> None:
        self._senders = frozenset(senders)
        self._receivers = frozenset(receivers)
        self._both_ways = both_ways

    def severs(self, sender: NodeId, to: NodeId) -> bool:
        if sender in self._senders and to in self._receivers:
            return True
        return self._both_ways and to in self._senders and sender in self._receivers


class Neighbourhoods:
    """On a ring of nodes, each reaches those at most `reach` places away. Who is not on the ring reaches nobody."""

    __slots__ = ("_place_of", "_reach")

    def __init__(self, ring: Iterable[NodeId], reach: int) -> None:
        self._place_of: Mapping[NodeId, int] = {node: place for place, node in enumerate(ring)}
        self._reach = reach

    def severs(self, sender: NodeId, to: NodeId) -> bool:
        places = self._place_of
        if sender not in places or to not in places:
            return sender != to
        apart = abs(places[sender] - places[to])
        return min(apart, len(places) - apart) > self._reach


class Links:
    """The cuts in force. They overlap: a link is open when none of them severs it."""

    def __init__(self) -> None:
        self.cuts: list[tuple[str | None, Cut]] = []  # Each with the name under which it can be healed alone.

    def cut(self, cut: Cut, name: str | None = None) -> None:
        self.cuts.append((name, cut))

    def heal(self, name: str | None = None) -> None:
        """Lift the cuts of that name; every cut where none is given."""
        self.cuts = [] if name is None else [(its, cut) for its, cut in self.cuts if its != name]

    def open(self, sender: NodeId, to: NodeId) -> bool:
        return not any(cut.severs(sender, to) for _, cut in self.cuts)

    def two_way(self, one: NodeId, other: NodeId) -> bool:
        return not self.cuts or (self.open(one, other) and self.open(other, one))
