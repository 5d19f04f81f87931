"""The simple election by priority and heartbeat that many teams write first. There is no paper; issue 5 has the rules.

A node that has received no heartbeat of a leader for a random 5 to 10 s becomes a candidate. A peer grants its vote if
the candidate's (priority, id) is higher than its own, even if it has voted for another candidate. A candidate becomes
leader with the votes of a majority of the nodes that it believes alive, which are those seen within the last 10 s. A
leader sends a heartbeat every 2 s. Every second each node checks whether it has waited for too long.

The rules leave three questions open. Here they have the answer that is most favourable and still simple. A node is seen
whenever any message of it arrives, and nodes that do not lead say that they are alive as often as a leader does;
otherwise only the leader would be seen. A node that starts takes all nodes to have been seen. A leader that receives
the heartbeat of a higher leader follows it, and ignores that of a lower one, so that of two leaders one remains.

No node refuses the highest running node. So if nothing is lost, the highest running node, or a lower one that got a
majority before, leads after two timeouts at the latest: by then crashed nodes are not believed alive any more. The time
since a heartbeat is measured by the wall clock, as in such programs. A jump of the clock can start an election, or
delay one.

There are no guarantees. Votes are not remembered, so two candidates can win at once without any fault. The majority is
one of the nodes believed alive, so each side of a partition elects a leader of its own.

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
from simulator.quiet import Awaited, Beat, Quiet


@message
class RequestVote:
    """A candidate asks for the receiver's vote."""

    priority: int


@message
class Vote:
    """The answer to RequestVote: granted if the candidate is higher than the sender."""

    granted: bool


@message
class Heartbeat:
    """The sender leads."""

    priority: int


@message
class Alive:
    """The sender is up, and does not lead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityConfig:
    """The options of the simple election."""

    election_timeout: DurationRange = option(
        (5 * SECOND, 10 * SECOND),
        "How long a node waits for a heartbeat before it becomes a candidate. Drawn uniformly.",
    )
    alive_for: Duration = option(10 * SECOND, "How long a node is believed alive after it was last seen.")
    heartbeat_interval: Duration = option(
        2 * SECOND, "How often a leader sends heartbeats, and other nodes say that they are up."
    )
    check_interval: Duration = option(SECOND, "How often a node checks whether it has waited long enough.")
    priorities: tuple[int, ...] = option(
        (), "The priorities of all nodes, from n1 on. By default a node's priority is its id."
    )

    def __post_init__(self) -> None:
        low, high = self.election_timeout
        if not 0 < low <= high:
            raise ValueError("election_timeout: must be two durations above 0, the shorter one first")
        for name in ("alive_for", "heartbeat_interval", "check_interval"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: must be above 0")


_ANY = 1 << 60  # Longer than any trial: nothing happens if a node says no more that it is up.


class PriorityElection(Algorithm):
    """One node. It saves nothing, and does not remember its votes."""

    def __init__(self, host: Host, config: PriorityConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.config: PriorityConfig = config
        self.priority = config.priorities[host.me - 1] if config.priorities else host.me
        self.role: Role = FOLLOWER
        self.leader: NodeId | None = None
        self.votes: set[NodeId] = set()  # The peers that have voted for this candidate.
        self.seen_at: dict[NodeId, Nanoseconds] = {}
        # The instant at which this node last received a heartbeat, or became a candidate.
        self.waiting_since: Nanoseconds = 0
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

    def quiet(self) -> Quiet | None:
        """All nodes say that they are up, and a follower waits for heartbeats of its leader."""
        leader, config = self.leader, self.config
        if leader is None:
            return None
        leads = leader == self.host.me
        says = Beat(
            timer="beat",
            period_ns=config.heartbeat_interval,
            message=Heartbeat if leads else Alive,
            to=self.host.peers,
        )
        waits = [
            Awaited(of=peer, message=Alive, bears_ns=_ANY, left_ns=_ANY) for peer in self.host.peers if peer != leader
        ]
        if not leads:
            left_ns = self.waiting_since + self.timeout - self.host.now()
            low = config.election_timeout[0]
            waits.append(Awaited(of=leader, message=Heartbeat, bears_ns=low, left_ns=left_ns, draws=1))
        return Quiet(leader=leader, beats=[says, Beat(timer="check", period_ns=config.check_interval)], awaits=waits)

    def on_skipped(self, elapsed: Nanoseconds, running: frozenset[NodeId]) -> None:
        if self.role is not LEADER:
            self.waiting_since += elapsed

    def _on_request_vote(self, sender: NodeId, message: RequestVote) -> None:
        self.host.send(sender, Vote(granted=self._is_higher(sender, message.priority)))

    def _on_vote(self, sender: NodeId, message: Vote) -> None:
        if self.role is CANDIDATE and message.granted:
            self.votes.add(sender)
            self.host.note("vote", term=0, voter=sender)
            self._count()

    def _on_heartbeat(self, sender: NodeId, message: Heartbeat) -> None:
        """A non-leader follows any node that sends heartbeats.

        A leader steps down only for a node of higher priority.
        """
        if self.role is LEADER and not self._is_higher(sender, message.priority):
            return
        if self.leader != sender:
            self._become_follower(sender)
        self._wait()

    def _on_alive(self, sender: NodeId, message: Alive) -> None:
        """Nothing more to do: `on_message` has recorded when the sender was seen."""

    # --- Timers, votes and heartbeats

    def _check(self) -> None:
        if self.role is not LEADER and self.host.now() - self.waiting_since >= self.timeout:
            if self.leader is not None:
                self.host.note("suspected", leader=self.leader)
            self._become_candidate()

    def _beat(self) -> None:
        self._send_to_all(Heartbeat(self.priority) if self.role is LEADER else Alive())
        self.host.set_timer("beat", self.config.heartbeat_interval)

    def _wait(self) -> None:
        self.waiting_since = self.host.now()
        self.timeout = uniform(self.host.random, self.config.election_timeout)

    def _count(self) -> None:
        """Become leader if more than half of the nodes believed alive, this one included, have voted for this node."""
        if 2 * (1 + len(self.votes)) > 1 + self._believed_alive():
            self._become_leader()

    def _believed_alive(self) -> int:
        """The number of peers seen within `alive_for`. A vote counts even if its voter is not among them."""
        now = self.host.now()
        return sum(now - seen_at < self.config.alive_for for seen_at in self.seen_at.values())

    def _is_higher(self, node: NodeId, priority: int) -> bool:
        return (priority, node) > (self.priority, self.host.me)

    def _send_to_all(self, message: Message) -> None:
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
        self._send_to_all(RequestVote(self.priority))
        self._count()  # The node may believe that no other node is alive.

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
    """The longest time that a message may take so that no node becomes a candidate while a leader sends heartbeats."""
    return config.election_timeout[0] - config.heartbeat_interval - 1


def stabilization_bound(config: PriorityConfig, nodes: int) -> Nanoseconds:
    """How long it takes without faults, at most, until all nodes follow one leader. Not a guarantee: there is no paper.

    When crashed nodes are not believed alive any more, the highest running node gets all votes. It becomes a candidate
    at the check after its next timeout, unless a leader sends it heartbeats. If there are two leaders, the lower one
    steps down. Its followers receive the next heartbeat of the higher one.
    """
    delay = max(0, delay_bound(config))
    candidacy_ns = config.election_timeout[1] + config.check_interval
    return config.alive_for + candidacy_ns + config.heartbeat_interval + 4 * delay


def never_quiet(config: PriorityConfig) -> str | None:
    """None: with any options, nodes send at fixed intervals between elections."""
    return None


PRIORITY = Registration(
    name="priority",
    algorithm=PriorityElection,
    config=PriorityConfig,
    paper="None: the simple scheme that many teams write first",
    page="priority.md",
    cost="3(n - 1) messages an election, n(n - 1) every 2 s; 3 to 11 s to detect, one round trip",
    quorum=False,
    delay_bound=delay_bound,
    stabilization_bound=stabilization_bound,
    never_quiet=never_quiet,
    bytes_per_pair=32,
)
