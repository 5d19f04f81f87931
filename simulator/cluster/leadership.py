"""Who claims to lead a group, who of them reigns, and when a reign is lost.

The reigning leader is the claimant of the highest term, then of the latest claim. It is lost at the instant at which
it crashes, pauses, steps down, or is cut off: has no two-way path to whom the algorithm needs (`QuorumRule`). That is a
majority of the configuration, its own where members change, of which a member that is down or paused counts as
unreachable, since a quorum system gets no answer from it; or a majority of those that run; or a server of an ensemble
that has such a majority of it.

Where no quorum is asked for, a claim is no proof of a following: one made on the smaller side of a partition is lost at
once, and if there is another claimant whom nothing troubles, that one reigns.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from simulator.protocol import Nanoseconds, NodeId
from simulator.trace.event_types import CUT_OFF, LEADER_BACK, LEADER_LOST, PAUSE, STEP_DOWN


class Claim(NamedTuple):
    """Ordered as the right to reign is."""

    term: int
    order: int
    node: NodeId
    since_ns: Nanoseconds


class Connectivity(Protocol):
    """What is known of nodes and of the links between them."""

    def awake(self, node: NodeId) -> bool: ...

    def reachable_both_ways(self, one: NodeId, other: NodeId) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumRule:
    """Whom a leader must reach. `servers` is None where it needs its own group, and of that `quorum` says how many."""

    quorum: bool = True
    servers: Sequence[NodeId] | None = None

    def reaches(self, leader: NodeId, voters: Sequence[NodeId], connectivity: Connectivity) -> bool:
        """Whether a leader is of use to anybody."""
        if self.servers is not None:
            return any(
                connectivity.awake(server)
                and connectivity.reachable_both_ways(leader, server)
                and _reaches_majority(server, self.servers, connectivity)
                for server in self.servers
            )
        return _reaches_majority(leader, voters if self.quorum else [*filter(connectivity.awake, voters)], connectivity)


def _reaches_majority(node: NodeId, members: Sequence[NodeId], connectivity: Connectivity) -> bool:
    heard = sum(
        1 for member in members if connectivity.awake(member) and connectivity.reachable_both_ways(node, member)
    )
    return 2 * heard > len(members)


class LeadershipTracker:
    """The claims of one group. `record` is called with the kind of row, the leader and the cause."""

    def __init__(
        self,
        members: Sequence[NodeId],
        quorum_rule: QuorumRule,
        connectivity: Connectivity,
        record: Callable[[str, NodeId, str], None],
    ) -> None:
        self.members = members
        self.electorate = members  # Who votes, in the eyes of the reigning leader, or of the last one.
        self._everybody = frozenset(members)
        self._configurations: dict[NodeId, Mapping[str, Any]] = {}  # Of the nodes that know of another than everybody.
        self.claims: dict[NodeId, Claim] = {}
        self._backing = quorum_rule
        self._connectivity = connectivity
        self._record = record
        self._orders = 0
        self._reigning: NodeId | None = None
        self._lost: str | None = None  # Why the reigning leader, which still claims, is lost at present.

    @property
    def leader(self) -> NodeId | None:
        """Whom a fault that says `leader` means."""
        return max(self.claims.values()).node if self.claims else None

    @property
    def untroubled(self) -> Claim | None:
        """The claim of the reigning leader, unless it is lost."""
        if self._reigning is None or self._lost is not None:
            return None
        return self.claims[self._reigning]

    def claimed(self, node: NodeId, term: int, now_ns: Nanoseconds) -> None:
        self._orders += 1
        self.claims[node] = Claim(term, self._orders, node, now_ns)
        if self._reigning is None or self._lost is not None or self.leader == node:
            self._reigning, self._lost = node, None
            self.electorate = self._voters(node)
        self.recheck()

    def stepped_down(self, node: NodeId) -> None:
        self._ended(node, STEP_DOWN)

    def died(self, node: NodeId, cause: str) -> None:
        """By a crash, or a kill."""
        self._configurations.pop(node, None)
        self._ended(node, cause)

    def configured(self, node: NodeId, configuration: Mapping[str, Any]) -> None:
        """A node uses another configuration from now on: its voters, and its learners."""
        self._configurations[node] = configuration
        if self._reigning in (None, node):
            self.electorate = self._voters(node)
            self.recheck()

    def members_of(self, leader: NodeId) -> Container[NodeId]:
        """Who belongs to the cluster in a leader's eyes, learners included."""
        configuration = self._configurations.get(leader)
        return self._everybody if configuration is None else (*configuration["voters"], *configuration["learners"])

    def recheck(self) -> None:
        """See whether the reigning leader can still lead, after nodes or links have changed."""
        node = self._reigning
        if node is None:
            return
        cause = self._trouble(node)
        if cause and not self._lost:
            self._record(LEADER_LOST, node, cause)
        elif self._lost and not cause:
            self._record(LEADER_BACK, node, self._lost)
        self._lost = cause
        if cause and not self._backing.quorum:
            self._give_way(cause)

    def _give_way(self, cause: str) -> None:
        """Let another claimant reign instead of the one that is lost, if nothing troubles it."""
        fine = [claim for claim in self.claims.values() if self._trouble(claim.node) is None]
        if fine:
            self._reigning, self._lost = max(fine).node, None
            self.electorate = self._voters(self._reigning)
            self._record(LEADER_BACK, self._reigning, cause)

    def _ended(self, node: NodeId, cause: str) -> None:
        if self.claims.pop(node, None) is not None and node == self._reigning:
            if self._lost is None:
                self._record(LEADER_LOST, node, cause)
            self._reigning, self._lost = self.leader, cause  # An older claimant reigns again, once nothing troubles it.
            self.recheck()

    def _trouble(self, node: NodeId) -> str | None:
        if not self._connectivity.awake(node):
            return PAUSE
        return None if self.has_quorum(node) else CUT_OFF

    def has_quorum(self, node: NodeId) -> bool:
        """Whether a node reaches whom it would need as a leader."""
        return self._backing.reaches(node, self._voters(node), self._connectivity)

    def _voters(self, node: NodeId) -> Sequence[NodeId]:
        configuration = self._configurations.get(node)
        return self.members if configuration is None else configuration["voters"]
