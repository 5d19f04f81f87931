"""The plain election by priority and heartbeat that many teams write first. There is no paper; issue 5 has the rules.

A node that has had no heartbeat of a leader for a random 5 to 10 s stands. A peer grants its vote when the candidate's
(priority, id) is higher than its own, whomever else it has granted it to. A majority of the nodes believed alive, which
are those seen within 10 s, makes a leader, who sends a heartbeat every 2 s. A check each second sees to all of this.

The rules leave three things open, and here have the kindest answer that is still as plain. A node is seen whenever
anything arrives from it; those that do not lead say that they are there as often as a leader does, for else nobody
would be seen but the leader. A node that starts takes everybody to have been seen. And a leader that hears the
heartbeat of a higher leader follows it, while one that hears a lower leader leads on, so that of two one remains.

The highest node that runs is refused by nobody: where nothing is lost, it, or a lower one that the rest made a majority
of before, leads at the latest after two timeouts, by when the dead are believed alive no more. Ages are read off the
wall clock, as such programs do: a jump of it can start an election, or put one off.

It promises nothing. Votes are not remembered, so two candidates can win at once, without any fault; and since what
counts is a majority of the nodes that are believed alive, each side of a partition elects a leader of its own.

An election takes n - 1 requests, as many answers, and n - 1 heartbeats; besides, n(n - 1) messages every 2 s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from simulator.algorithms.registration import Registration
from simulator.protocol import (
    CANDIDATE,
    FOLLOWER,
    LEADER,
    SECOND,
    Algorithm,
    Duration,
    DurationRange,
    Host,
    Message,
    Nanoseconds,
    NodeId,
    Role,
    message,
    option,
    uniform,
)


@message
class RequestVote:
    """I stand."""

    priority: int


@message
class Vote:
    """The answer: whether the candidate is higher than who answers."""

    granted: bool


@message
class Heartbeat:
    """I lead."""

    priority: int


@message
class Alive:
    """I am there, and do not lead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityConfig:
    """The options of the plain election."""

    election_timeout: DurationRange = option(
        (5 * SECOND, 10 * SECOND), "How long a node waits for a heartbeat before it stands, drawn uniformly."
    )
    alive_for: Duration = option(10 * SECOND, "How long a node is believed alive after it was last seen.")
    heartbeat_interval: Duration = option(
        2 * SECOND, "How often a leader sends heartbeats, and the others say that they are there."
    )
    check_interval: Duration = option(SECOND, "How often a node looks whether it has waited long enough.")
    priorities: tuple[int, ...] = option((), "Of each node, from n1 on; by default, a node's priority is its id.")

    def __post_init__(self) -> None:
        low, high = self.election_timeout
        if not 0 < low <= high:
            raise ValueError("election_timeout: must be two durations above 0, the shorter one first")
        for name in ("alive_for", "heartbeat_interval", "check_interval"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: must be above 0")


class PriorityElection(Algorithm):
    """One node. It saves nothing: a vote is forgotten as soon as it is given."""

    def __init__(self, host: Host, config: PriorityConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.config: PriorityConfig = config
        self.priority = config.priorities[host.me - 1] if config.priorities else host.me
        self.role: Role = FOLLOWER
        self.leader: NodeId | None = None
        self.votes: set[NodeId] = set()  # Whose votes this candidate holds.
        self.seen_at: dict[NodeId, Nanoseconds] = {}
        self.waits_since: Nanoseconds = 0  # When it last heard a heartbeat, or stood.
        self.timeout: Nanoseconds = 0

    # --- Inputs

    def on_start(self) -> None:
        self.seen_at = dict.fromkeys(self.host.peers, self.host.now())
        self._become_follower(None)
        self._wait()
        self._beat()
        self.host.set_timer("check", self.config.check_interval)

    def on_message(self, sender: NodeId, message: Message) -> None:
        self.seen_at[sender] = self.host.now()
        super().on_message(sender, message)

    def on_timer(self, name: str) -> None:
        if name == "beat":
            self._beat()
        else:
            self._check()
            self.host.set_timer("check", self.config.check_interval)

    def view(self) -> Mapping[str, object]:
        return {
            "role": self.role,
            "leader": self.leader,
            "priority": self.priority,
            "votes": tuple(sorted(self.votes)),
            "last seen": dict(self.seen_at),
        }

    def _on_request_vote(self, sender: NodeId, message: RequestVote) -> None:
        self.host.send(sender, Vote(granted=self._is_higher(sender, message.priority)))

    def _on_vote(self, sender: NodeId, message: Vote) -> None:
        if self.role is CANDIDATE and message.granted:
            self.votes.add(sender)
            self.host.note("vote", term=0, voter=sender)
            self._count()

    def _on_heartbeat(self, sender: NodeId, message: Heartbeat) -> None:
        """Whoever leads is followed, but for a leader: it yields to a higher one only."""
        if self.role is LEADER and not self._is_higher(sender, message.priority):
            return
        if self.leader != sender:
            self._become_follower(sender)
        self._wait()

    def _on_alive(self, sender: NodeId, message: Alive) -> None:
        """It has been seen."""

    # --- What it does of its own accord

    def _check(self) -> None:
        if self.role is not LEADER and self.host.now() - self.waits_since >= self.timeout:
            if self.leader is not None:
                self.host.note("suspected", leader=self.leader)
            self._become_candidate()

    def _beat(self) -> None:
        self._tell_all(Heartbeat(self.priority) if self.role is LEADER else Alive())
        self.host.set_timer("beat", self.config.heartbeat_interval)

    def _wait(self) -> None:
        self.waits_since = self.host.now()
        self.timeout = uniform(self.host.random, self.config.election_timeout)

    def _count(self) -> None:
        """Lead, if more than half of the nodes believed alive, this one included, are for it."""
        if 2 * (1 + len(self.votes)) > 1 + self._believed_alive():
            self._become_leader()

    def _believed_alive(self) -> int:
        """How many peers have been seen of late; a vote counts even if its voter has not been seen for longer."""
        now = self.host.now()
        return sum(now - seen_at < self.config.alive_for for seen_at in self.seen_at.values())

    def _is_higher(self, node: NodeId, priority: int) -> bool:
        return (priority, node) > (self.priority, self.host.me)

    def _tell_all(self, message: Message) -> None:
        for peer in self.host.peers:
            self.host.send(peer, message)

    # --- Roles

    def _become_follower(self, leader: NodeId | None) -> None:
        self.role, self.leader = FOLLOWER, leader
        self.host.transition(FOLLOWER, term=0, leader=leader)

    def _become_candidate(self) -> None:
        assert self.role is not LEADER
        self.role, self.leader, self.votes = CANDIDATE, None, set()
        self.host.transition(CANDIDATE, term=0, leader=None)
        self._wait()
        self._tell_all(RequestVote(self.priority))
        self._count()  # Nobody else may be believed alive.

    def _become_leader(self) -> None:
        assert self.role is CANDIDATE
        self.role, self.leader = LEADER, self.host.me
        self.host.transition(LEADER, term=0, leader=self.host.me)
        self._beat()

    receive: ClassVar = {
        RequestVote: _on_request_vote,
        Vote: _on_vote,
        Heartbeat: _on_heartbeat,
        Alive: _on_alive,
    }


def delay_bound(config: PriorityConfig) -> Nanoseconds:
    """The longest that a message may take for nobody to stand while a leader sends heartbeats."""
    return config.election_timeout[0] - config.heartbeat_interval - 1


def stabilization_bound(config: PriorityConfig, nodes: int) -> Nanoseconds:
    """How long it takes in peace, at most, until all follow one leader; it is no promise, since there is no paper.

    Once the dead are believed alive no more, the highest node that runs has everybody's vote, and stands, unless it
    hears a leader, at its next timeout and the check after it. Of two leaders the lower one yields; who has followed
    it last hears the higher one's next heartbeat.
    """
    delay = max(0, delay_bound(config))
    stands = config.election_timeout[1] + config.check_interval
    return config.alive_for + stands + config.heartbeat_interval + 4 * delay


PRIORITY = Registration(
    name="priority",
    algorithm=PriorityElection,
    config=PriorityConfig,
    paper="None: the plain scheme that many teams write first",
    page="priority.md",
    cost="3(n - 1) messages an election, n(n - 1) every 2 s; 3 to 11 s to detect, one round trip",
    quorum=False,
    delay_bound=delay_bound,
    stabilization_bound=stabilization_bound,
    bytes_per_pair=32,
)
