"""The Bully algorithm: Garcia-Molina, "Elections in a Distributed Computing System" (1982), sections 2 and 3.

The highest id that runs leads. Messages and rules are those of the textbooks (Tanenbaum; Coulouris), in which whoever
is asked holds an election of its own: the paper's `AYUp` is Election with its Answer, and its Halt and "I am elected"
are Coordinator. A node that starts, or suspects its leader, stands: it asks all higher nodes. Does none answer in time,
it leads, and tells all lower ones. Is it answered, but hears of no leader in time, it stands again. The paper's
procedure Check, by which a coordinator asks who is not normal, finds whom an announcement has not reached.

Assumes what the paper does: no message is lost, or late (assumption 8), and no node ever pauses (assumption 9). So two
leaders may be there at once when either is broken, and are for as long as a partition lasts. That messages keep their
order (assumption 7) is not needed here.

Cost, with the highest of n crashed, constant latency, and messages to it counted: node k alone notices, and each
process stands once. Nodes k to n - 1 stand, so there are (n - k)(n - k + 1)/2 Election, (n - k)(n - k - 1)/2 Answer and
n - 2 Coordinator messages, (n - k)^2 + n - 2 together: n^2 - n - 1 where the lowest notices (k = 1), n - 1 where the
second highest does (k = n - 1). Time: that of detection and one answer timeout.
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
    CANDIDATE,
    FOLLOWER,
    LEADER,
    MILLISECOND,
    SECOND,
    Algorithm,
    Assumption,
    Duration,
    Guarantee,
    Host,
    Message,
    Nanoseconds,
    NodeId,
    Role,
    message,
    option,
)

ANSWER, COORDINATOR, CHECK = "answer", "coordinator", "check"  # Timers.


@message
class Election:
    """Are you up? From a node that stands to all higher ones."""


@message
class Answer:
    """I am up, and higher than you: the textbooks' OK."""


@message
class Coordinator:
    """I lead. From the leader to all lower nodes."""


@message
class AreYouNormal:
    """Do you follow me? From the leader to all others, now and then (the paper's procedure Check)."""


@message
class NotNormal:
    """I do not. The leader that I name, if any."""

    leader: NodeId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BullyConfig:
    """Bully's options."""

    answer_timeout: Duration = option(
        100 * MILLISECOND, "How long a node that stands waits for an answer until it leads: a round trip or more."
    )
    coordinator_timeout: Duration = option(
        200 * MILLISECOND, "How long a node that was answered waits to hear of a leader until it stands again."
    )
    check_interval: Duration = option(1 * SECOND, "How often a leader asks who does not follow it: procedure Check.")
    detector: DetectorOptions = option(HeartbeatOptions(), "How a node learns that its leader is down.")

    def __post_init__(self) -> None:
        if self.answer_timeout < 1:
            raise ValueError("answer_timeout: must be above 0")
        if self.coordinator_timeout <= self.answer_timeout:
            raise ValueError("coordinator_timeout: must be above answer_timeout, in which a higher node may yet stand")
        if self.check_interval < 1:
            raise ValueError("check_interval: must be above 0")


class Bully(Algorithm):
    """One node. It is a candidate from when it stands until it knows a leader, answered or not."""

    guarantees: ClassVar = frozenset({Guarantee.AGREEMENT, Guarantee.HIGHEST_ID})
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

    def __init__(self, host: Host, config: BullyConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.lower = [peer for peer in host.peers if peer < host.me]
        self.higher = [peer for peer in host.peers if peer > host.me]
        self.role: Role = FOLLOWER
        self.leader: NodeId | None = None
        self.detector = make_detector(host, config.detector, self)

    # --- Inputs

    def on_start(self) -> None:
        """A node that recovers tries to become the coordinator (section 3): the bully is back."""
        self.host.transition(FOLLOWER, 0, None)
        self._stand()

    def on_timer(self, name: str) -> None:
        if self.detector.owns(name):
            self.detector.on_timer(name)
        elif name == ANSWER:  # Nobody higher is up.
            self._become_leader()
        elif name == COORDINATOR:  # Whoever answered has died since, or its announcement is lost.
            self._stand()
        else:
            self._check()

    def on_opinion(self, node: NodeId, down: bool) -> None:
        """The detector has another opinion. A leader that comes back after all will say so itself."""
        if down and self.role is FOLLOWER and node == self.leader:
            self.host.note("suspected", leader=node)
            self._stand()

    def view(self) -> Mapping[str, object]:
        return {"role": self.role, "leader": self.leader, "answered": self.answered, "detector": self.detector.view()}

    # --- Elections

    def _stand(self) -> None:
        self._become_candidate()
        for node in self.higher:
            self.host.send(node, Election())
        if self.higher:
            self.host.set_timer(ANSWER, self.config.answer_timeout)
        else:
            self._become_leader()

    def _on_election(self, sender: NodeId, message: Election) -> None:
        if sender > self.host.me:
            return  # Only lower nodes ask.
        self.host.send(sender, Answer())
        if self.role is LEADER:  # It has held its election: the sender only has not heard of it.
            self.host.send(sender, Coordinator())
        elif self.role is FOLLOWER:
            self._stand()

    def _on_answer(self, sender: NodeId, message: Answer) -> None:
        """From now on it waits for a leader; further answers change nothing, or late ones would hold it up for ever."""
        if self.role is CANDIDATE and not self.answered:
            self.answered = True
            self.host.cancel_timer(ANSWER)
            self.host.set_timer(COORDINATOR, self.config.coordinator_timeout)

    def _on_coordinator(self, sender: NodeId, message: Coordinator) -> None:
        if sender > self.host.me:
            self._become_follower(sender)
        elif self.role is LEADER:  # A lower node leads, too: it and its followers have not heard.
            self._announce()
        elif self.role is FOLLOWER:
            self._stand()

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
        """A lower node is told again; where anybody is said to be higher, an election finds out."""
        if self.role is not LEADER:
            return
        if sender > self.host.me or (message.leader or 0) > self.host.me:
            self._stand()
        else:
            self.host.send(sender, Coordinator())

    # --- Roles

    def _become_candidate(self) -> None:
        """From any role. It goes on to watch its old leader, so that a mistake about it can show as one."""
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
        """From any role: a higher node bullies a leader out of it."""
        self._cancel()
        self.detector.show(())
        if leader in self.detector.suspected:  # It gets another chance, and a timeout of its own: it may be dead.
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

    answered = False  # Whether a higher node has answered this candidacy.

    receive: ClassVar = {
        Election: _on_election,
        Answer: _on_answer,
        Coordinator: _on_coordinator,
        AreYouNormal: _on_are_you_normal,
        NotNormal: _on_not_normal,
        **dict.fromkeys(DETECTOR_MESSAGES, _on_detector),
    }


def delay_bound(config: BullyConfig) -> Nanoseconds:
    """The longest that a message may take, D: answers come in time, leaders are heard of in time, nobody is suspected.

    A node asks, and is answered, within 2D, which must be below the answer timeout. Whoever is highest stands within D
    of being asked, leads an answer timeout later, and is heard of within another D.
    """
    answered, heard_of = config.answer_timeout, config.coordinator_timeout - config.answer_timeout
    bound: Nanoseconds = min((answered - 1) // 2, (heard_of - 1) // 2, config.detector.tolerates())
    return bound


def stabilization_bound(config: BullyConfig, nodes: int) -> Nanoseconds:
    """How long it takes in peace, at most, until all follow the highest node that runs, with D of `delay_bound`.

    The highest node finds out that its leader is dead (by its detector), or waits in vain for one that has died
    (coordinator timeout); then it stands, for an answer timeout, and is heard of. Who has believed an older leader
    since is found by its detector or by a check; standing, it makes others stand, who do so in turn in the order of
    their ids, each at most D after another, until the leader answers.
    """
    delay = max(0, delay_bound(config))
    detection = config.detector.detects_within(delay)
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
    bytes_per_pair=9,
)
