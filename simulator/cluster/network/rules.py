"""The rules in force on links: cuts, holds and degradations. Rules overlap, and removing one leaves the others.

State exists per rule, never per pair of nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import repeat

from simulator.cluster.network.links import LinkSelector
from simulator.protocol import NodeId

_NEVER_LATER, _NEVER = repeat(0), repeat(False)


class LinkRule:
    """What happens to packets on some links, from when the rule is added until it is removed."""

    __slots__ = ("label", "links", "stops")

    def __init__(self, links: LinkSelector, label: str | None = None) -> None:
        self.links = links
        self.label = label  # The name by which a fault can remove the rule.
        self.stops = False  # Whether packets are stopped at present.


class Cut(LinkRule):
    """Packets are lost. A flapping cut switches `stops` on and off."""

    __slots__ = ()

    def __init__(self, links: LinkSelector, label: str | None = None) -> None:
        super().__init__(links, label)
        self.stops = True


class Hold(LinkRule):
    """Packets wait until the rule is removed. They are sent then, and each may be late or lost like any other."""

    __slots__ = ("held",)

    def __init__(self, links: LinkSelector, label: str | None = None) -> None:
        super().__init__(links, label)
        self.stops = True
        self.held: list[Callable[[], None]] = []  # Each call sends one waiting packet.


class Degradation(LinkRule):
    """Packets are delayed, lost or duplicated, besides what the link does anyway. Each is drawn once per packet."""

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
    """The rules in force, in the order in which they were added."""

    def __init__(self) -> None:
        self.in_force: list[LinkRule] = []

    def add_rule(self, rule: LinkRule) -> None:
        """Put a rule in force."""
        self.in_force.append(rule)

    def remove_rule(self, rule: LinkRule) -> bool:
        """Remove a rule, found by identity. False if it was removed before."""
        before = len(self.in_force)
        self.in_force = [other for other in self.in_force if other is not rule]
        return len(self.in_force) < before

    def labelled(self, label: str | None) -> list[LinkRule]:
        """The rules with a label; without a label, all rules."""
        return [rule for rule in self.in_force if label in (None, rule.label)]

    def on(self, sender: NodeId, to: NodeId) -> list[LinkRule]:
        """The rules on one link, in one direction."""
        return [rule for rule in self.in_force if rule.links.covers(sender, to)]

    def open(self, sender: NodeId, to: NodeId) -> bool:
        """Whether no rule stops packets on one link, in one direction."""
        return not any(rule.stops and rule.links.covers(sender, to) for rule in self.in_force)

    def reachable_both_ways(self, node_a: NodeId, node_b: NodeId) -> bool:
        """Whether no rule stops packets between two nodes, in either direction."""
        return not self.in_force or (self.open(node_a, node_b) and self.open(node_b, node_a))
