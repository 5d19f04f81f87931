"""What is in force on links at present: cuts, holds and degradations. They overlap, and lifting one leaves the others.

State exists only where something differs from a clear network, never for all pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import repeat

from simulator.cluster.network.links import LinkSelector
from simulator.protocol import NodeId

_NEVER_LATER, _NEVER = repeat(0), repeat(False)


class LinkRule:
    """Something that holds on some links from when it is imposed until it is lifted."""

    __slots__ = ("label", "links", "stops")

    def __init__(self, links: LinkSelector, label: str | None = None) -> None:
        self.links = links
        self.label = label  # The name under which it can be lifted alone.
        self.stops = False  # Whether nothing passes at present.


class Cut(LinkRule):
    """Packets are lost. One that flaps is `stops` only now and then."""

    __slots__ = ()

    def __init__(self, links: LinkSelector, label: str | None = None) -> None:
        super().__init__(links, label)
        self.stops = True


class Hold(LinkRule):
    """Packets wait, and go on their way, each meeting its fate, when this is lifted."""

    __slots__ = ("held",)

    def __init__(self, links: LinkSelector, label: str | None = None) -> None:
        super().__init__(links, label)
        self.stops = True
        self.held: list[Callable[[], None]] = []  # What sends each of them again.


class Degradation(LinkRule):
    """Packets are later, and more of them are lost or arrive twice, than without this: one draw of each per packet."""

    __slots__ = ("duplicated", "later", "lost")

    def __init__(
        self,
        links: LinkSelector,
        label: str | None = None,
        *,
        later: Iterator[int] = _NEVER_LATER,
        lost: Iterator[bool] = _NEVER,
        duplicated: Iterator[bool] = _NEVER,
    ) -> None:
        super().__init__(links, label)
        self.later = later
        self.lost = lost
        self.duplicated = duplicated


class LinkRules:
    """The conditions in force, in the order in which they were imposed."""

    def __init__(self) -> None:
        self.in_force: list[LinkRule] = []

    def add_rule(self, rule: LinkRule) -> None:
        self.in_force.append(rule)

    def remove_rule(self, rule: LinkRule) -> bool:
        """False where it has been lifted before."""
        before = len(self.in_force)
        self.in_force = [other for other in self.in_force if other is not rule]
        return len(self.in_force) < before

    def labelled(self, label: str | None) -> list[LinkRule]:
        """Those of that label; all where none is given."""
        return [rule for rule in self.in_force if label in (None, rule.label)]

    def on(self, sender: NodeId, to: NodeId) -> list[LinkRule]:
        """Those on one link, in one direction."""
        return [rule for rule in self.in_force if rule.links.covers(sender, to)]

    def open(self, sender: NodeId, to: NodeId) -> bool:
        return not any(rule.stops and rule.links.covers(sender, to) for rule in self.in_force)

    def reachable_both_ways(self, one: NodeId, other: NodeId) -> bool:
        return not self.in_force or (self.open(one, other) and self.open(other, one))
