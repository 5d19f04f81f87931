"""What faults of links have in common: they put rules in force on links, and can be healed by their label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from simulator.cluster.control import ClusterControl
from simulator.cluster.faults.record import Family, Fault, Injected, Kind, ResolvedFault, keyword
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.targets import Target, present, sides
from simulator.cluster.network.links import LinkSelector, Pairs, Touching
from simulator.cluster.network.rules import LinkRule
from simulator.protocol import NodeId

Nodes = tuple[NodeId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTargets:
    """The links that a fault concerns, by their ends: every link of `nodes`; or the links from `senders` to `receivers`
    (to all other nodes, if there are none), and with `both_ways` those back again.
    """

    nodes: tuple[Target, ...] = ()
    senders: tuple[Target, ...] = ()
    receivers: tuple[Target, ...] = ()
    both_ways: bool = False

    def select(self, control: ClusterControl, fault_rng: RandomStreams) -> tuple[LinkSelector, object]:
        """The links, and the nodes at their ends as far as they were named: one tuple, or one for each side."""
        if self.nodes:
            nodes = present(self.nodes, control, fault_rng)
            return Touching(nodes), nodes
        senders, receivers = sides((self.senders, self.receivers), control, fault_rng)
        if self.receivers:
            return Pairs(senders, receivers, both_ways=self.both_ways), (senders, receivers)
        return Pairs(senders, all_but(senders, control), both_ways=self.both_ways), senders

    def resolve_targets(self, control: ClusterControl, fault_rng: RandomStreams) -> tuple[LinkTargets, Nodes]:
        """The same with nodes in place of descriptions, and the nodes at the smaller end."""
        if self.nodes:
            nodes = present(self.nodes, control, fault_rng)
            return replace(self, nodes=nodes), nodes
        senders, receivers = sides((self.senders, self.receivers), control, fault_rng)
        return replace(self, senders=senders, receivers=receivers), smaller_end(
            senders, receivers if self.receivers else all_but(senders, control)
        )


def all_but(nodes: Sequence[NodeId], control: ClusterControl) -> Nodes:
    """All other nodes that are present."""
    excluded = frozenset(nodes)
    return tuple(node for node in control.nodes_in_state("present") if node not in excluded)


def smaller_end(nodes: Nodes, others: Nodes) -> Nodes:
    """The side with fewer nodes; the first side if both have the same number."""
    return min(nodes, others, key=len)


@dataclass(frozen=True, slots=True)
class LinkFault(Fault):
    """A fault of the links between nodes. With a `label`, `heal` can repair it alone."""

    # In a scenario, the label belongs to the entry of the schedule.
    label: str | None = field(default=None, kw_only=True)
    family: ClassVar[Family] = Family.LINKS
    what: ClassVar[str] = "fault of links"  # For errors.


@dataclass(frozen=True, slots=True)
class LinkRuleFault(LinkFault):
    """A fault that puts one rule in force on the links that it names. A new one defines `rule`."""

    links: LinkTargets = keyword(
        Kind.LINKS, "Which links: every link of these targets; or nodes, between, senders and receivers in a mapping."
    )

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        selector, nodes = self.links.select(control, fault_rng)
        return put_in_force(self.rule(selector, fault_rng), control, nodes)

    def rule(self, selector: LinkSelector, fault_rng: RandomStreams) -> LinkRule:
        """What holds on these links as long as the fault is in force."""
        raise NotImplementedError

    def resolve_targets(self, control: ClusterControl, fault_rng: RandomStreams) -> ResolvedFault:
        links, affected_nodes = self.links.resolve_targets(control, fault_rng)
        return ResolvedFault(replace(self, links=links), affected_nodes)


def put_in_force(rule: LinkRule, control: ClusterControl, nodes: object) -> Injected:
    """Put a rule in force. The repair removes this rule, and leaves the others."""
    control.add_rule(rule)
    everybody = (*control.nodes_in_state("present"), *control.outside_in_state("present"))
    why = None if rule.links.has_links(everybody) else "no link is between the nodes that it names"
    return Injected(nodes, lambda: nodes if control.remove_rule(rule) else (), lambda: why)
