"""Faults of links that let packets through: late, lost now and then, held back, or only part of the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simulator.cluster.control import ClusterControl
from simulator.cluster.distributions import Constant, Distribution
from simulator.cluster.faults.link_faults import LinkFault, LinkRuleFault, put_in_force
from simulator.cluster.faults.record import Family, Fault, Injected, Kind, at_least_one_of, keyword, parameter
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.network.links import LinkSelector
from simulator.cluster.network.rules import Cut, Degradation, Hold, LinkRule
from simulator.protocol import Assumption, Nanoseconds


@dataclass(frozen=True, slots=True)
class Degrade(LinkRuleFault):
    """Packets take longer, and more of them are lost or arrive twice, in addition to what the network does."""

    latency: Distribution = parameter(Kind.DISTRIBUTION, "How much longer they take.", default=Constant(0))
    loss: float = parameter(
        Kind.PROBABILITY, "The probability of being lost, in addition to what the network does.", default=0.0
    )
    duplication: float = parameter(Kind.PROBABILITY, "The probability of arriving twice.", default=0.0)
    name: ClassVar[str] = "degrade"
    example: ClassVar[str] = "{at: 1s, degrade: n1, latency: {uniform: [10ms, 50ms]}, loss: 0.05}"
    breaks: ClassVar = (Assumption.NO_LOSS, Assumption.FIFO, Assumption.BOUNDED_DELAY)
    rules: ClassVar = (at_least_one_of("latency", "loss", "duplication"),)

    def rule(self, selector: LinkSelector, fault_rng: RandomStreams) -> LinkRule:
        return Degradation(
            selector,
            self.label,
            later=fault_rng.durations(self.latency, "latency"),
            lost=fault_rng.flips(self.loss, "loss"),
            duplicated=fault_rng.flips(self.duplication, "duplication"),
        )


@dataclass(frozen=True, slots=True)
class Flap(LinkRuleFault):
    """Links are cut for a while, whole for a while, and so on in turn."""

    down: Nanoseconds = parameter(Kind.DURATION, "How long they are cut, each time.")
    up: Nanoseconds = parameter(Kind.DURATION, "How long they are whole, each time.")
    name: ClassVar[str] = "flap"
    example: ClassVar[str] = "{at: 1s, flap: {between: [leader, follower]}, down: 200ms, up: 300ms, lasts: 2s}"
    breaks: ClassVar = (Assumption.NO_PARTITION, Assumption.NO_LOSS)

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        selector, nodes = self.links.select(control, fault_rng)
        cut = Cut(selector, self.label)

        def turn() -> None:
            if control.switch(cut, not cut.stops):
                control.call_after(self.down if cut.stops else self.up, turn)

        control.call_after(self.down, turn)
        return put_in_force(cut, control, nodes)


@dataclass(frozen=True, slots=True)
class HoldBack(LinkRuleFault):
    """Packets wait, and go on their way when they are released. They are delayed, not lost."""

    name: ClassVar[str] = "hold"
    example: ClassVar[str] = "{at: 1s, hold: {senders: leader}, lasts: 200ms}"
    breaks: ClassVar = (Assumption.FIFO, Assumption.BOUNDED_DELAY)
    what: ClassVar[str] = "hold"

    def rule(self, selector: LinkSelector, fault_rng: RandomStreams) -> LinkRule:
        return Hold(selector, self.label)


@dataclass(frozen=True, slots=True)
class Remedy(Fault):
    """A fault that ends faults of links: those of a label, or all."""

    label: str | None = keyword(Kind.LABEL, "`all`, or the label of the faults that end.", default=None)
    family: ClassVar[Family] = Family.LINKS
    repairable: ClassVar[bool] = False
    in_nemesis: ClassVar[bool] = False
    ends: ClassVar[type[LinkFault]]  # The label of the faults to end; None for all.
    removes: ClassVar[type[LinkRule]]  # The rules that these faults have put in force.

    def inject(self, control: ClusterControl, _: RandomStreams) -> Injected:
        control.remove_labelled(self.label, self.removes)
        return Injected(())


class Release(Remedy):
    """Packets that are held go on their way: all of them, or those held under a label."""

    name = "release"
    example = "{at: 2s, release: all}"
    ends = HoldBack
    removes = Hold


class Heal(Remedy):
    """Faults of links end: all of them, or those of a label."""

    name = "heal"
    example = "{at: 2s, heal: all}"
    ends = LinkFault
    removes = LinkRule
