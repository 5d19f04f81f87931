"""The liveness verdict: whether a trace shows that the cluster recovered from its last fault in time.

A scenario demands one of two things. Either a majority of the configuration follows a leader at some instant before the
time is over. Or all nodes follow one leader when the time is over: a message that a fault held back may part them after
they have agreed, so an instant before that does not count.

This is read from the trace alone. About paths between nodes, the trace shows only when a leader loses its path to a
majority and when it gets the path back. If all nodes must follow, it shows this for every node.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from simulator.checks.violation import Violation
from simulator.protocol import LEADER, SECOND, Nanoseconds, NodeId
from simulator.trace import event_types
from simulator.trace.trace import Row, Trace

LIVENESS = "liveness"  # The name of its violation, among those of the guarantees.


class Verdict(enum.StrEnum):
    """Whether a trial meets the demand."""

    RECOVERED = "recovered"  # A leader was followed in time.
    FAILED = "failed"  # No leader was followed in time.
    UNDECIDED = "undecided"  # The trial ended before the time was over.


@dataclass(frozen=True, slots=True)
class Recovery:
    """Whether and when a cluster recovered from its last fault."""

    verdict: Verdict
    since_ns: Nanoseconds  # The last injection or repair; the start of the trial if there was none.
    # The first instant since then at which a leader is followed, even if too late. If all nodes must follow: the start
    # of the period in which they follow without interruption, which lasts beyond the end of the time or begins after
    # it.
    recovered_ns: Nanoseconds | None
    leader: NodeId | None
    all_nodes: bool = False  # Whether all must follow the leader, and not only a majority.


def recovery(trace: Trace, within_ns: Nanoseconds, *, all_nodes: bool = False) -> Recovery:
    """Look for a leader that the nodes of the primary group follow, at most `within_ns` after the last fault.

    A node follows the leader that it names while it runs and is not paused. The leader must follow itself, and must
    not be lost (docs/metrics.md). By default a majority must follow it, at any instant. With `all_nodes`, every node
    must follow that runs, is not paused, can reach a majority and belongs to the leader's configuration. All must
    follow at the end of the time, or at the end of the trial if that comes first.
    """
    since_ns = max(
        (row.time_ns for row in trace.rows if row.kind in (event_types.FAULT, event_types.REPAIRED)), default=0
    )
    deadline_ns = since_ns + within_ns
    found = _all_following(trace, since_ns, deadline_ns) if all_nodes else _first_followed(trace, since_ns)
    recovered_ns, leader = found or (None, None)
    if recovered_ns is not None and recovered_ns <= deadline_ns:
        verdict = Verdict.RECOVERED
    else:
        verdict = Verdict.FAILED if trace.end_ns >= deadline_ns else Verdict.UNDECIDED
    return Recovery(verdict, since_ns, recovered_ns, leader, all_nodes)


def liveness(found: Recovery, within_ns: Nanoseconds) -> Iterator[Violation]:
    """The violation of a FAILED verdict, dated at the end of the time. Empty for other verdicts."""
    if found.verdict is Verdict.FAILED:
        late = "" if found.recovered_ns is None else f"; n{found.leader} is, at {found.recovered_ns / SECOND:.6f} s"
        followers = "all nodes" if found.all_nodes else "a majority"
        text = f"no leader is followed by {followers} since the last fault at {found.since_ns / SECOND:.6f} s{late}"
        yield Violation(LIVENESS, found.since_ns + within_ns, text, () if found.leader is None else (found.leader,))


def _first_followed(trace: Trace, since_ns: Nanoseconds) -> tuple[Nanoseconds, NodeId] | None:
    """The first instant from `since_ns` on, after all of its rows, at which a leader is followed; and that leader."""
    followers = _Followers(trace)
    for time_ns, rows in groupby(trace.rows, key=lambda row: row.time_ns):
        for row in rows:
            followers.apply(row)
        if time_ns >= since_ns and (leader := followers.leader()) is not None:
            return time_ns, leader
    return None


def _all_following(trace: Trace, since_ns: Nanoseconds, deadline_ns: Nanoseconds) -> tuple[Nanoseconds, NodeId] | None:
    """The leader that all nodes follow at the deadline, and the instant since which they follow it, at the earliest
    `since_ns`. If there is no such leader at the deadline, the first one after it.
    """
    followers = _Followers(trace)
    since: tuple[Nanoseconds, NodeId] | None = None
    for time_ns, rows in groupby(trace.rows, key=lambda row: row.time_ns):
        if time_ns > deadline_ns and since is not None:
            break
        for row in rows:
            followers.apply(row)
        leader = followers.leader_of_all()
        if leader is None or time_ns < since_ns:
            since = None
        elif since is None or since[1] != leader:
            since = time_ns, leader
    return since


class _Followers:
    """The claimants of the primary group, and the leader that each node follows."""

    def __init__(self, trace: Trace) -> None:
        self._group = trace.primary_group
        self._members = frozenset(trace.groups[self._group])
        self._claimants: set[NodeId] = set()
        self._lost: set[NodeId] = set()  # Claimants that were lost and of which no row says that they are back.
        self._named: dict[NodeId, NodeId | None] = {}  # The leader that each running member follows.
        self._paused: set[NodeId] = set()
        self._without_majority: set[NodeId] = set()  # Nodes that do not reach what they would need as leaders.
        # The members in a node's own configuration, if these are not all nodes.
        self._configurations: dict[NodeId, frozenset[NodeId]] = {}

    def apply(self, row: Row) -> None:
        """Take in the next row of the trace."""
        node = row.node
        if node is None or node not in self._members:
            return
        if row.kind == event_types.TRANSITION and row.group == self._group:
            self._named[node] = row.leader
            self._lost.discard(node)  # If the claim has no majority, the row of its loss follows at once.
            (self._claimants.add if row.role is LEADER else self._claimants.discard)(node)
        elif row.kind == event_types.STARTED:
            self._named.setdefault(node, None)
        elif row.kind == event_types.CRASHED:
            self._named.pop(node, None)
            self._configurations.pop(node, None)
            for among in (self._claimants, self._lost, self._paused, self._without_majority):
                among.discard(node)
        elif row.kind == event_types.CONFIGURATION:
            self._configurations[node] = frozenset((*row.field("voters"), *row.field("learners")))
        elif row.kind == event_types.PAUSED:
            self._paused.add(node)
            self._without_majority.discard(node)
        elif row.kind == event_types.MAJORITY_LOST:
            self._without_majority.add(node)
        elif row.kind == event_types.MAJORITY_BACK:
            self._without_majority.discard(node)
        elif row.kind == event_types.RESUMED:
            self._paused.discard(node)
        elif row.kind == event_types.LEADER_LOST:
            self._lost.add(node)
        elif row.kind == event_types.LEADER_BACK:
            self._lost.discard(node)

    def leader(self) -> NodeId | None:
        """The claimant that a majority follows, itself included, and that is not lost."""
        for claimant in sorted(self._claimants - self._lost - self._paused):
            following = sum(
                1 for node, leader in self._named.items() if leader == claimant and node not in self._paused
            )
            if 2 * following > len(self._members) and self._named[claimant] == claimant:
                return claimant
        return None

    def leader_of_all(self) -> NodeId | None:
        """The claimant that is not lost and that all nodes follow, itself included. Only nodes count that can reach a
        majority and belong to the claimant's configuration.
        """
        for claimant in sorted(self._claimants - self._lost - self._paused):
            members = self._configurations.get(claimant, self._members)
            asked = (self._named.keys() & members) - self._paused - self._without_majority
            if all(self._named[node] == claimant for node in (claimant, *asked)):
                return claimant
        return None
