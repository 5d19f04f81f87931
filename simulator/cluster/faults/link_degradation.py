"""Faults of links that let packets through: late, lost now and then, held back, or by fits and starts.

They concern the links that a `Reach` describes. Lifted by `heal`, by `release`, or when their time is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simulator.cluster.distributions import Constant, Distribution
from simulator.cluster.faults.node_faults import Struck
from simulator.cluster.faults.rng import Luck
from simulator.cluster.faults.targets import Patient, Target, present, sides
from simulator.cluster.network.links import LinkSet, Pairs, Touching
from simulator.cluster.network.rules import Condition, Cut, Degradation, Hold
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

    def resolve(self, patient: Patient, luck: Luck) -> tuple[LinkSet, object]:
        """The links, and the nodes at their ends as far as they were named: one list, or one for each side."""
        if self.nodes:
            nodes = present(self.nodes, patient, luck)
            return Touching(nodes), nodes
        senders, receivers = sides((self.senders, self.receivers), patient, luck)
        others = tuple(node for node in patient.where("present") if node not in senders)
        links = Pairs(senders, receivers if self.receivers else others, both_ways=self.both_ways)
        return links, (senders, receivers) if self.receivers else senders


def imposed(condition: Condition, patient: Patient, nodes: object) -> Struck:
    """Put a condition in force; undone, it alone is lifted."""
    patient.impose(condition)
    return Struck(nodes, lambda: nodes if patient.lift(condition) else ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Degrade:
    """Packets take this much longer, and this share more of them is lost, or arrives twice."""

    reach: Reach
    latency: Distribution = Constant(0)
    loss: float = 0.0
    duplication: float = 0.0
    label: str | None = None
    name: ClassVar[str] = "degrade"

    def strike(self, patient: Patient, luck: Luck) -> Struck:
        links, nodes = self.reach.resolve(patient, luck)
        degradation = Degradation(
            links,
            self.label,
            later=luck.durations(self.latency, "latency"),
            lost=luck.flips(self.loss, "loss"),
            duplicated=luck.flips(self.duplication, "duplication"),
        )
        return imposed(degradation, patient, nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flap:
    """Links are cut for `down`, whole for `up`, and so on in turn."""

    reach: Reach
    down: Nanoseconds
    up: Nanoseconds
    label: str | None = None
    name: ClassVar[str] = "flap"

    def strike(self, patient: Patient, luck: Luck) -> Struck:
        links, nodes = self.reach.resolve(patient, luck)
        cut = Cut(links, self.label)

        def turn() -> None:
            if patient.switch(cut, not cut.stops):
                patient.call_after(self.down if cut.stops else self.up, turn)

        patient.call_after(self.down, turn)
        return imposed(cut, patient, nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldBack:
    """Packets wait, and go on their way when they are released: delayed, not lost."""

    reach: Reach
    label: str | None = None
    name: ClassVar[str] = "hold"

    def strike(self, patient: Patient, luck: Luck) -> Struck:
        links, nodes = self.reach.resolve(patient, luck)
        return imposed(Hold(links, self.label), patient, nodes)


@dataclass(frozen=True, slots=True)
class Release:
    """What is held under that label goes on its way; without one, all that is held does."""

    label: str | None = None
    name: ClassVar[str] = "release"

    def strike(self, patient: Patient, _: Luck) -> Struck:
        patient.lift_labelled(self.label, Hold)
        return Struck(())


@dataclass(frozen=True, slots=True)
class Heal:
    """Every condition of that label is lifted; without one, all that are in force on links are."""

    label: str | None = None
    name: ClassVar[str] = "heal"

    def strike(self, patient: Patient, _: Luck) -> Struck:
        patient.lift_labelled(self.label)
        return Struck(())
