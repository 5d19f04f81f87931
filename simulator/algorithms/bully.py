"""The Bully algorithm: Garcia-Molina, "Elections in a Distributed Computing System" (1982), sections 2 and 3.

The running node with the highest id leads. Messages and rules are those of the textbooks (Tanenbaum; Coulouris), in
which every node that is asked holds an election of its own. The paper's `AYUp` is Election with its Answer here, and
its Halt and "I am elected" are Coordinator.

A node that starts, or suspects its leader, becomes a candidate: it asks all higher nodes whether they are up. If no
higher node answers before the timeout, the candidate becomes leader and announces itself to all lower nodes. If a
higher node answers, but no leader announces itself in time, the candidate asks again. The leader asks from time to time
which nodes do not follow it (the paper's procedure Check), and so finds the nodes that its announcement did not reach.

Assumes what the paper assumes: no message is lost or late (assumption 8), and no node ever pauses (assumption 9). If
one of these is broken, two nodes may lead at once; during a partition, they do for as long as it lasts. Messages need
not arrive in the order in which they were sent (assumption 7).

Cost, if the highest of n nodes crashes, latency is constant, and only node k suspects it (messages to the crashed node
count). Nodes k to n - 1 hold one election each. That takes (n - k)(n - k + 1)/2 Election, (n - k)(n - k - 1)/2 Answer
and n - 2 Coordinator messages, together (n - k)^2 + n - 2: n^2 - n - 1 if the lowest node suspects (k = 1), and n - 1
if the second highest does (k = n - 1). Time: the time to detect the crash, and one answer timeout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from simulator.algorithms.bully_messages import Answer, AreYouNormal, Coordinator, Election, NotNormal
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
    CANDIDATE,
    FOLLOWER,
    LEADER,
    MILLISECOND,
    SECOND,
    Algorithm,
    Duration,
    Guarantee,
    Host,
    Message,
    Nanoseconds,
    NodeId,
    Role,
    option,
)
from simulator.quiet import Beat, Quiet

ANSWER, COORDINATOR, CHECK = "answer", "coordinator", "check"  # Timers.


@dataclass(frozen=True, slots=True, kw_only=True)
class BullyConfig:
    """Bully's options."""

    answer_timeout: Duration = option(
        100 * MILLISECOND, "How long a candidate waits for an answer before it becomes leader. At least a round trip."
    )
    coordinator_timeout: Duration = option(
        200 * MILLISECOND, "How long a candidate that was answered waits for a leader before it asks again."
    )
    check_interval: Duration = option(
        1 * SECOND, "How often a leader asks which nodes do not follow it (procedure Check)."
    )
    detector: DetectorOptions = option(HeartbeatOptions(), "The failure detector by which a node suspects its leader.")

    def __post_init__(self) -> None:
        if self.answer_timeout < 1:
            raise ValueError("answer_timeout: must be above 0")
        if self.coordinator_timeout <= self.answer_timeout:
            raise ValueError(
                "coordinator_timeout: must be above answer_timeout: a higher candidate waits for that long"
            )
        if self.check_interval < 1:
            raise ValueError("check_interval: must be above 0")


class Bully(Algorithm):
    """One node. It is a candidate from the start of its election until it knows a leader."""

    guarantees: ClassVar = frozenset({Guarantee.AGREEMENT, Guarantee.HIGHEST_ID})
    assumes: ClassVar = TIMELY_NETWORK

    def __init__(self, host: Host, config: BullyConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.lower = [peer for peer in host.peers if peer < host.me]
        self.higher = [peer for peer in host.peers if peer > host.me]
        self.role: Role = FOLLOWER
        self.leader: NodeId | None = None
        self.detector = make_detector(host, config.detector, self)

    # --- Inputs

    def on_start(self) -> None:
        """A node that recovers tries to become the coordinator (section 3)."""
        self.host.transition(FOLLOWER, 0, None)
        self._campaign()

    def on_timer(self, name: str) -> None:
        if self.detector.owns(name):
            self.detector.on_timer(name)
        elif name == ANSWER:  # No higher node is up.
            self._become_leader()
        elif name == COORDINATOR:  # The node that answered has crashed since, or its announcement was lost.
            self._campaign()
        else:
            self._check()

    def on_opinion(self, node: NodeId, down: bool) -> None:
        """A follower whose leader is suspected becomes a candidate. A leader that is trusted again announces itself."""
        if down and self.role is FOLLOWER and node == self.leader:
            self.host.note("suspected", leader=node)
            self._campaign()

    def view(self) -> Mapping[str, object]:
        return {"role": self.role, "leader": self.leader, "answered": self.answered, "detector": self.detector.view()}

    def quiet(self) -> Quiet | None:
        check = Beat(timer=CHECK, period_ns=self.config.check_interval, message=AreYouNormal, to=self.host.peers)
        return watching(self.leader, self.detector.quiet(), [check] if self.role is LEADER else [])

    def on_skipped(self, elapsed: Nanoseconds, running: frozenset[NodeId]) -> None:
        self.detector.on_skipped(elapsed)

    # --- Elections

    def _campaign(self) -> None:
        self._become_candidate()
        for node in self.higher:
            self.host.send(node, Election())
        if self.higher:
            self.host.set_timer(ANSWER, self.config.answer_timeout)
        else:
            self._become_leader()

    def _on_election(self, sender: NodeId, message: Election) -> None:
        if sender > self.host.me:
            return  # Only lower nodes send this message.
        self.host.send(sender, Answer())
        if self.role is LEADER:  # No new election is needed: the sender only has not heard of this leader.
            self.host.send(sender, Coordinator())
        elif self.role is FOLLOWER:
            self._campaign()

    def _on_answer(self, sender: NodeId, message: Answer) -> None:
        """Wait for a leader from now on.

        Only the first answer counts, or late answers could extend the wait for ever.
        """
        if self.role is CANDIDATE and not self.answered:
            self.answered = True
            self.host.cancel_timer(ANSWER)
            self.host.set_timer(COORDINATOR, self.config.coordinator_timeout)

    def _on_coordinator(self, sender: NodeId, message: Coordinator) -> None:
        if sender > self.host.me:
            self._become_follower(sender)
        elif self.role is LEADER:  # A lower node leads, too: it and its followers have not heard of this leader.
            self._announce()
        elif self.role is FOLLOWER:
            self._campaign()

    def _announce(self) -> None:
        for node in self.lower:
            self.host.send(node, Coordinator())

    # --- Check

    def _check(self) -> None:
        for node in self.host.peers:
            self.host.send(node, AreYouNormal())
        self.host.set_timer(CHECK, self.config.check_interval)

    def _on_are_you_normal(self, sender: NodeId, message: AreYouNormal) -> None:
        if self.leader != sender:
            self.host.send(sender, NotNormal(self.leader))

    def _on_not_normal(self, sender: NodeId, message: NotNormal) -> None:
        """Tell a lower node again. If a higher node is up or leads, hold an election to find out."""
        if self.role is not LEADER:
            return
        if sender > self.host.me or (message.leader or 0) > self.host.me:
            self._campaign()
        else:
            self.host.send(sender, Coordinator())

    # --- Roles

    def _become_candidate(self) -> None:
        """From any role. It still watches its old leader, so that the trace shows if the suspicion was a mistake."""
        self._cancel()
        self.detector.show(())
        self.role, self.leader, self.answered = CANDIDATE, None, False
        self.host.transition(CANDIDATE, 0, None)

    def _become_leader(self) -> None:
        assert self.role is CANDIDATE
        self._cancel()
        self.role, self.leader = LEADER, self.host.me
        self.host.transition(LEADER, 0, self.host.me)
        self._announce()
        self.detector.watch(())
        self.detector.show(self.host.peers)
        self.host.set_timer(CHECK, self.config.check_interval)

    def _become_follower(self, leader: NodeId) -> None:
        """From any role: a leader steps down for a higher node."""
        self._cancel()
        self.detector.show(())
        if leader in self.detector.suspected:  # Trust the node for a whole timeout: it may have crashed since.
            self.detector.watch(())
        self.detector.watch((leader,))
        if (self.role, self.leader) != (FOLLOWER, leader):
            self.role, self.leader = FOLLOWER, leader
            self.host.transition(FOLLOWER, 0, leader)

    def _cancel(self) -> None:
        for name in (ANSWER, COORDINATOR, CHECK):
            self.host.cancel_timer(name)

    def _on_detector(self, sender: NodeId, message: Message) -> None:
        self.detector.on_message(sender, message)

    answered = False  # Whether a higher node has answered this candidate.

    receive: ClassVar = {
        Election: _on_election,
        Answer: _on_answer,
        Coordinator: _on_coordinator,
        AreYouNormal: _on_are_you_normal,
        NotNormal: _on_not_normal,
        **dict.fromkeys(DETECTOR_MESSAGES, _on_detector),
    }


def delay_bound(config: BullyConfig) -> Nanoseconds:
    """The longest time D that a message may take so that no timeout expires too early.

    A candidate is answered within 2D, which must be below the answer timeout. The highest node becomes a candidate
    within D of a question, leads an answer timeout later, and its announcement arrives within another D. No detector
    may suspect a running node."""
    answered, heard_of = config.answer_timeout, config.coordinator_timeout - config.answer_timeout
    bound: Nanoseconds = min((answered - 1) // 2, (heard_of - 1) // 2, config.detector.delay_bound())
    return bound


def stabilization_bound(config: BullyConfig, nodes: int) -> Nanoseconds:
    """How long it takes without faults, at most, until all nodes follow the highest running node. D is `delay_bound`.

    The highest node learns that its leader has crashed from its detector, or by waiting in vain (coordinator timeout).
    Then it is a candidate for an answer timeout, and announces itself. Meanwhile a node may have followed an older
    leader. Its detector or a check finds it. It becomes a candidate and makes others candidates, one after another in
    the order of their ids, each at most D later, until the leader answers.
    """
    delay = max(0, delay_bound(config))
    detection = config.detector.detection_bound(delay)
    leads = max(detection, config.coordinator_timeout) + config.answer_timeout + 2 * delay
    settled: Nanoseconds = leads + max(detection, config.check_interval) + (nodes + 3) * delay
    return settled


BULLY = Registration(
    name="bully",
    algorithm=Bully,
    config=BullyConfig,
    paper="Garcia-Molina 1982, section 3",
    page="bully.md",
    cost="n² − n − 1 messages at worst, n − 1 at best; detection and one answer timeout",
    groups=(MONITOR_GROUP,),
    quorum=False,
    delay_bound=delay_bound,
    stabilization_bound=stabilization_bound,
    never_quiet=never_quiet,
    bytes_per_pair=9,
)
