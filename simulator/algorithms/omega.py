"""Omega: each node takes as leader the node with the lowest id that its failure detector does not suspect.

This is the leader oracle Ω of Chandra, Hadzilacos and Toueg (The Weakest Failure Detector for Solving Consensus, 1996),
built from a failure detector: every node watches every other, and trusts the first node that it does not suspect. Ω
guarantees that from some time on all running nodes name the same running leader. Before that, nodes may name different
leaders, and several may act as leader. The algorithm has no term, vote or message of its own, so its times are exactly
those of its detector. It shows how good a detector is on its own.

Assumes that in the end messages arrive in time (partial synchrony), and that all nodes can reach each other. Agreement
is checked after this has held for long enough, in trials in which it always held. Cost: that of the detector, with
heartbeats n (n - 1) messages per interval. An election costs no message and no time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from simulator.algorithms.detectors import (
    DETECTOR_MESSAGES,
    MONITOR_GROUP,
    TIMELY_NETWORK,
    DetectorOptions,
    HeartbeatOptions,
    make_detector,
    never_quiet,
    watching,
)
from simulator.algorithms.registration import Registration
from simulator.protocol import (
    FOLLOWER,
    LEADER,
    Algorithm,
    Guarantee,
    Host,
    Message,
    Nanoseconds,
    NodeId,
    Role,
    option,
)
from simulator.quiet import Quiet


@dataclass(frozen=True, slots=True, kw_only=True)
class OmegaConfig:
    """The options of Omega."""

    detector: DetectorOptions = option(HeartbeatOptions(), "The failure detector by which nodes suspect each other.")


class Omega(Algorithm):
    """One node."""

    guarantees: ClassVar = frozenset({Guarantee.AGREEMENT})
    assumes: ClassVar = TIMELY_NETWORK

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

    def quiet(self) -> Quiet | None:
        return watching(self.leader, self.detector.quiet())

    def on_skipped(self, elapsed: Nanoseconds, running: frozenset[NodeId]) -> None:
        self.detector.on_skipped(elapsed)

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
    """The longest time that a message may take so that no running node is suspected."""
    bound: Nanoseconds = config.detector.delay_bound()
    return bound


def stabilization_bound(config: OmegaConfig, nodes: int) -> Nanoseconds:
    """How long it takes without faults, at most, until all nodes name the same leader.

    By then crashed nodes are suspected, and a node that is back has been asked again, has answered, and is trusted.
    """
    delay = max(0, delay_bound(config))
    settled: Nanoseconds = config.detector.detection_bound(delay) + 3 * delay
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
    never_quiet=never_quiet,
    bytes_per_pair=520,
)
