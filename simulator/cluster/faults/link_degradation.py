"""Faults of links that let packets through: late, lost now and then, held back, or by fits and starts.

They concern the links that a `Reach` describes. Lifted by `heal`, by `release`, or when their time is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simulator.cluster.control import ClusterControl
from simulator.cluster.distributions import Constant, Distribution
from simulator.cluster.faults.node_faults import Injected
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.targets import Target, present, sides
from simulator.cluster.network.links import LinkSelector, Pairs, Touching
from simulator.cluster.network.rules import Cut, Degradation, Hold, LinkRule
from simulator.protocol import Nanoseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which links: every one of `nodes`; or those from `senders` to `receivers` (to all others where none are given),
    and back again where `both_ways`.
    """

    nodes: tuple[Target, ...] = ()
    senders: tuple[Target, ...] = ()
    receivers: tuple[Target, ...] = ()
    both_ways: bool = False

    def resolve(self, control: ClusterControl, fault_rng: RandomStreams) -> tuple[LinkSelector, object]:
        """The links, and the nodes at their ends as far as they were named: one list, or one for each side."""
        if self.nodes:
            nodes = present(self.nodes, control, fault_rng)
            return Touching(nodes), nodes
        senders, receivers = sides((self.senders, self.receivers), control, fault_rng)
        others = tuple(node for node in control.nodes_in_state("present") if node not in senders)
        links = Pairs(senders, receivers if self.receivers else others, both_ways=self.both_ways)
        return links, (senders, receivers) if self.receivers else senders


def rule_in_force(rule: LinkRule, control: ClusterControl, nodes: object) -> Injected:
    """Put a condition in force; undone, it alone is lifted."""
    control.add_rule(rule)
    return Injected(nodes, lambda: nodes if control.remove_rule(rule) else ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Degrade:
    """Packets take this much longer, and this share more of them is lost, or arrives twice."""

    reach: Reach
    latency: Distribution = Constant(0)
    loss: float = 0.0
    duplication: float = 0.0
    label: str | None = None
    name: ClassVar[str] = "degrade"

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        links, nodes = self.reach.resolve(control, fault_rng)
        degradation = Degradation(
            links,
            self.label,
            later=fault_rng.durations(self.latency, "latency"),
            lost=fault_rng.flips(self.loss, "loss"),
            duplicated=fault_rng.flips(self.duplication, "duplication"),
        )
        return rule_in_force(degradation, control, nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flap:
    """Links are cut for `down`, whole for `up`, and so on in turn."""

    reach: Reach
    down: Nanoseconds
    up: Nanoseconds
    label: str | None = None
    name: ClassVar[str] = "flap"

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        links, nodes = self.reach.resolve(control, fault_rng)
        cut = Cut(links, self.label)

        def turn() -> None:
            if control.switch(cut, not cut.stops):
                control.call_after(self.down if cut.stops else self.up, turn)

        control.call_after(self.down, turn)
        return rule_in_force(cut, control, nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldBack:
    """Packets wait, and go on their way when they are released: delayed, not lost."""

    reach: Reach
    label: str | None = None
    name: ClassVar[str] = "hold"

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        links, nodes = self.reach.resolve(control, fault_rng)
        return rule_in_force(Hold(links, self.label), control, nodes)


@dataclass(frozen=True, slots=True)
class Release:
    """What is held under that label goes on its way; without one, all that is held does."""

    label: str | None = None
    name: ClassVar[str] = "release"

    def inject(self, control: ClusterControl, _: RandomStreams) -> Injected:
        control.remove_labelled(self.label, Hold)
        return Injected(())


@dataclass(frozen=True, slots=True)
class Heal:
    """Every condition of that label is lifted; without one, all that are in force on links are."""

    label: str | None = None
    name: ClassVar[str] = "heal"

    def inject(self, control: ClusterControl, _: RandomStreams) -> Injected:
        control.remove_labelled(self.label)
        return Injected(())
