"""Omega: the node of the lowest id that its failure detector does not suspect is a node's leader.

The leader oracle Ω of Chandra, Hadzilacos and Toueg (The Weakest Failure Detector for Solving Consensus, 1996), made
from a failure detector that suspects: every node watches every other, and all trust the first of them that nobody
suspects. Ω promises that from some time on all nodes that run name the same leader, which runs. Until then nodes may
name different ones, and several may think that they lead: with no term, vote or message of its own, the algorithm is as
good, to the millisecond, as its detector. So it shows what detectors are worth, alone.

Assumes that in the end messages come in time (partial synchrony), and that everybody reaches everybody; what is checked
is that all agree once that has been so for long enough, in trials in which it was never otherwise. Costs what the
detector does: with heartbeats n (n - 1) messages per interval; an election costs none and takes no time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from simulator.algorithms.detectors import (
    DETECTOR_MESSAGES,
    MONITOR_GROUP,
    DetectorOptions,
    HeartbeatOptions,
    make_detector,
)
from simulator.algorithms.registration import Registration
from simulator.protocol import (
    FOLLOWER,
    LEADER,
    Algorithm,
    Assumption,
    Guarantee,
    Host,
    Message,
    Nanoseconds,
    NodeId,
    Role,
    option,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OmegaConfig:
    """The options of Omega."""

    detector: DetectorOptions = option(HeartbeatOptions(), "How nodes learn which of the others are down.")


class Omega(Algorithm):
    """One node."""

    guarantees: ClassVar = frozenset({Guarantee.AGREEMENT})
    assumes: ClassVar = frozenset(
        {
            Assumption.NO_LOSS,
            Assumption.BOUNDED_DELAY,
            Assumption.NO_PARTITION,
            Assumption.NO_PAUSE,
            Assumption.GOOD_CLOCKS,
            Assumption.MONITOR_RUNS,
        }
    )

    def __init__(self, host: Host, config: OmegaConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.members = sorted((host.me, *host.peers))
        self.leader: NodeId | None = None
        self.detector = make_detector(host, config.detector, self)

    def on_start(self) -> None:
        self._elect()
        self.detector.watch(self.host.peers)
        self.detector.show(self.host.peers)

    def on_timer(self, name: str) -> None:
        self.detector.on_timer(name)

    def view(self) -> Mapping[str, object]:
        return {"leader": self.leader, "detector": self.detector.view()}

    def on_opinion(self, node: NodeId, down: bool) -> None:
        if down and node == self.leader:
            self.host.note("suspected", leader=node)
        self._elect()

    def _elect(self) -> None:
        leader = next(node for node in self.members if node not in self.detector.suspected)
        if leader != self.leader:
            self._follow(leader, LEADER if leader == self.host.me else FOLLOWER)

    def _follow(self, leader: NodeId, role: Role) -> None:
        self.leader = leader
        self.host.transition(role, term=0, leader=leader)

    def _on_detector(self, sender: NodeId, message: Message) -> None:
        self.detector.on_message(sender, message)

    receive: ClassVar = dict.fromkeys(DETECTOR_MESSAGES, _on_detector)


def delay_bound(config: OmegaConfig) -> Nanoseconds:
    """The longest that a message may take for nobody who is up to be suspected."""
    bound: Nanoseconds = config.detector.tolerates()
    return bound


def stabilization_bound(config: OmegaConfig, nodes: int) -> Nanoseconds:
    """How long it takes in peace, at most, until all name one leader.

    The dead are suspected; whoever is back is asked again no later than that, answers, and is reported to be up.
    """
    delay = max(0, delay_bound(config))
    settled: Nanoseconds = config.detector.detects_within(delay) + 3 * delay
    return settled


OMEGA = Registration(
    name="omega",
    algorithm=Omega,
    config=OmegaConfig,
    paper="Chandra, Hadzilacos and Toueg 1996",
    cost="those of its detector; an election takes none",
    page="detectors.md",
    groups=(MONITOR_GROUP,),
    quorum=False,
    delay_bound=delay_bound,
    stabilization_bound=stabilization_bound,
    bytes_per_pair=520,
)
