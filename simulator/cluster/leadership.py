"""Which nodes of a group claim to lead, which of them is the current leader, and when that leader is lost.

The current leader is the claimant of the highest term, and of the latest claim among equal terms. It is lost at the
instant at which it crashes, is paused, steps down, or is cut off. A leader is cut off if it has no two-way path to the
nodes that its algorithm needs (`QuorumRule`):

- a majority of the voters. The voters are those of the leader's own configuration, where members change. A voter that
  is down or paused counts as unreachable, because it cannot answer;
- or, for an algorithm without quorums, a majority of the voters that are awake;
- or, for clients of an ensemble, one server that itself reaches a majority of the ensemble.

In an algorithm without quorums, a claim does not show that other nodes follow. A claim on the smaller side of a
partition is therefore lost at once, and another claimant that is not lost becomes the current leader.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from simulator.cluster.network.rules import LinkRules
from simulator.cluster.node.node import Node
from simulator.protocol import Nanoseconds, NodeId
from simulator.trace.event_types import CUT_OFF, LEADER_BACK, LEADER_LOST, PAUSE, STEP_DOWN


class Claim(NamedTuple):
    """One node's claim to lead. The greatest claim is that of the current leader."""

    term: int
    order: int
    node: NodeId
    since_ns: Nanoseconds


class Connectivity:
    """Which nodes are awake, and which of them can exchange messages."""

    def __init__(self, nodes: Mapping[NodeId, Node], rules: LinkRules) -> None:
        self._nodes = nodes
        self._rules = rules

    def awake(self, node: NodeId) -> bool:
        """Whether the node is running and not paused."""
        return self._nodes[node].awake

    def reachable_both_ways(self, node_a: NodeId, node_b: NodeId) -> bool:
        """Whether no rule stops packets between two nodes, in either direction."""
        return self._rules.reachable_both_ways(node_a, node_b)

    def reaches_majority(self, node: NodeId, members: Sequence[NodeId]) -> bool:
        """Whether a node has a two-way path to a majority of the members. Only members that are awake count."""
        reached = sum(1 for member in members if self.awake(member) and self.reachable_both_ways(node, member))
        return 2 * reached > len(members)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumRule:
    """Which nodes a leader must reach: a quorum of its voters, or, with `servers`, one server of an ensemble."""

    quorum: bool = True  # False: a majority of the voters that are awake is enough.
    servers: Sequence[NodeId] | None = None

    def has_quorum(self, leader: NodeId, voters: Sequence[NodeId], connectivity: Connectivity) -> bool:
        """Whether a leader reaches the nodes that it needs."""
        if self.servers is not None:
            return any(
                connectivity.awake(server)
                and connectivity.reachable_both_ways(leader, server)
                and connectivity.reaches_majority(server, self.servers)
                for server in self.servers
            )
        return connectivity.reaches_majority(leader, voters if self.quorum else [*filter(connectivity.awake, voters)])


class LeadershipTracker:
    """The claims of one group, and its current leader.

    `record` is called with `LEADER_LOST` or `LEADER_BACK`, the leader and the cause.
    """

    def __init__(
        self,
        members: Sequence[NodeId],
        quorum_rule: QuorumRule,
        connectivity: Connectivity,
        record: Callable[[str, NodeId, str], None],
    ) -> None:
        self.members = members
        self.voters = members  # In the configuration of the current leader, or of the last one.
        self.claims: dict[NodeId, Claim] = {}
        self._all_members = frozenset(members)
        # The voters by node, for nodes whose configuration is not all members.
        self._configurations: dict[NodeId, Mapping[str, Any]] = {}
        self._named: dict[NodeId, NodeId | None] = {}  # The leader that each running node names.
        self._quorum_rule = quorum_rule
        self._connectivity = connectivity
        self._record = record
        self._claims_made = 0
        self._current: NodeId | None = None
        self._loss_cause: str | None = None  # Why the current leader, which still claims to lead, is lost at present.

    @property
    def leader(self) -> NodeId | None:
        """The node that a fault with the target `leader` means: the greatest claimant, lost or not."""
        return max(self.claims.values()).node if self.claims else None

    @property
    def current_claim(self) -> Claim | None:
        """The claim of the current leader; None if there is no leader, or if it is lost."""
        if self._current is None or self._loss_cause is not None:
            return None
        return self.claims[self._current]

    def leader_named_by(self, node: NodeId) -> NodeId | None:
        """The leader that a node knows of; None if it knows none, or is down."""
        return self._named.get(node)

    # --- What nodes declare, and what happens to them

    def claimed(self, node: NodeId, term: int, now_ns: Nanoseconds) -> None:
        """A node claims to lead."""
        self._claims_made += 1
        self.claims[node] = Claim(term, self._claims_made, node, now_ns)
        if self._current is None or self._loss_cause is not None or self.leader == node:
            self._current, self._loss_cause = node, None
            self.voters = self._voters_of(node)
        self.recheck()

    def names_leader(self, node: NodeId, leader: NodeId | None) -> None:
        """A node names its leader, or none."""
        self._named[node] = leader

    def stepped_down(self, node: NodeId) -> None:
        """A node no longer claims to lead."""
        self._end_claim(node, STEP_DOWN)

    def died(self, node: NodeId, cause: str) -> None:
        """A node has crashed or was killed."""
        self._named.pop(node, None)
        self._configurations.pop(node, None)
        self._end_claim(node, cause)

    def configured(self, node: NodeId, configuration: Mapping[str, Any]) -> None:
        """A node uses another configuration from now on, with `voters` and `learners`."""
        self._configurations[node] = configuration
        if self._current in (None, node):
            self.voters = self._voters_of(node)
            self.recheck()

    def recheck(self) -> None:
        """See whether the current leader is lost or back, after nodes or links have changed."""
        node = self._current
        if node is None:
            return
        cause = self._cause_of_loss(node)
        if cause and not self._loss_cause:
            self._record(LEADER_LOST, node, cause)
        elif self._loss_cause and not cause:
            self._record(LEADER_BACK, node, self._loss_cause)
        self._loss_cause = cause
        if cause and not self._quorum_rule.quorum:
            self._replace_lost_leader(cause)

    # --- Questions

    def is_announced(self, leader: NodeId) -> bool:
        """Whether every member that is awake and can hear of this leader names it."""
        configuration = self._configurations.get(leader)
        members: Container[NodeId] = (
            self._all_members if configuration is None else (*configuration["voters"], *configuration["learners"])
        )
        return all(
            self._named.get(node) == leader
            for node in self.members
            if self._connectivity.awake(node) and node in members and self._can_hear(node, leader)
        )

    def has_quorum(self, node: NodeId) -> bool:
        """Whether a node reaches the nodes that it would need as a leader."""
        return self._quorum_rule.has_quorum(node, self._voters_of(node), self._connectivity)

    # --- Inside

    def _can_hear(self, node: NodeId, leader: NodeId) -> bool:
        """Whether a node can hear of a leader: from it, or from the servers that both are clients of."""
        if self._quorum_rule.servers is None:
            return self._connectivity.reachable_both_ways(leader, node)
        return self.has_quorum(node)

    def _end_claim(self, node: NodeId, cause: str) -> None:
        if self.claims.pop(node, None) is not None and node == self._current:
            if self._loss_cause is None:
                self._record(LEADER_LOST, node, cause)
            self._current, self._loss_cause = self.leader, cause  # An older claimant leads again, unless it is lost.
            self.recheck()

    def _replace_lost_leader(self, cause: str) -> None:
        """Make another claimant the current leader, if one of them is not lost."""
        fit = [claim for claim in self.claims.values() if self._cause_of_loss(claim.node) is None]
        if fit:
            self._current, self._loss_cause = max(fit).node, None
            self.voters = self._voters_of(self._current)
            self._record(LEADER_BACK, self._current, cause)

    def _cause_of_loss(self, node: NodeId) -> str | None:
        if not self._connectivity.awake(node):
            return PAUSE
        return None if self.has_quorum(node) else CUT_OFF

    def _voters_of(self, node: NodeId) -> Sequence[NodeId]:
        configuration = self._configurations.get(node)
        return self.members if configuration is None else configuration["voters"]
