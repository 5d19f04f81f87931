"""Which links are cut. State exists only where something differs from a clear network, never for all pairs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from simulator.protocol import NodeId


class Cut(Protocol):
    """Something that stops packets."""

    def severs(self, sender: NodeId, to: NodeId) -> bool:
        """Whether a packet from `sender` to `to` is stopped."""
        ...


class Groups:
    """A partition: nodes reach those of their own group only. Nodes that are in no group form one more."""

    __slots__ = ("_group_of",)

    def __init__(self, groups: Iterable[Iterable[NodeId]]) -> None:
        self._group_of = {node: number for number, group in enumerate(groups) for node in group}

    def severs(self, sender: NodeId, to: NodeId) -> bool:
        return self._group_of.get(sender) != self._group_of.get(to)


class Links:
    """The cuts in force. They overlap: a link is open when none of them severs it."""

    def __init__(self) -> None:
        self.cuts: list[Cut] = []

    def open(self, sender: NodeId, to: NodeId) -> bool:
        return not any(cut.severs(sender, to) for cut in self.cuts)

    def two_way(self, one: NodeId, other: NodeId) -> bool:
        return not self.cuts or (self.open(one, other) and self.open(other, one))
