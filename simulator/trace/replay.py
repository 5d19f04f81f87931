"""What the nodes of a group believed at each instant, read back from the trace."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.protocol import LEADER, NodeId
from simulator.trace import event_types
from simulator.trace.trace import Row, Trace


class GroupState:
    """The state of one group, brought forward row by row."""

    def __init__(self, trace: Trace, group: str) -> None:
        self._group = group
        self._everybody = frozenset(trace.groups[group])
        self.running: set[NodeId] = set()
        self.paused: set[NodeId] = set()
        self.terms: dict[NodeId, int] = {}  # The term of each node that claims to lead.
        self.named: dict[NodeId, NodeId] = {}  # The leader that each running node knows of, if any.
        self.members: dict[NodeId, frozenset[NodeId]] = {}  # In the configuration that each node has noted.
        self.led = False  # A claim has been made.
        self.quorum = False  # The current leader has a two-way path to a majority.

    def apply(self, row: Row) -> None:
        """Take in the next row of the trace."""
        node = row.node
        if row.kind == event_types.TRANSITION:
            if row.group == self._group:
                self._transition(row)
        elif node not in self._everybody:
            return
        elif row.kind == event_types.STARTED:
            self.running.add(node)
            self.members.pop(node, None)  # It notes its configuration again.
        elif row.kind == event_types.CONFIGURATION:
            self.members[node] = frozenset((*row.field("voters"), *row.field("learners")))
        elif row.kind == event_types.CRASHED:
            self.running.discard(node)
            self.paused.discard(node)
            self.terms.pop(node, None)
            self.named.pop(node, None)
        elif row.kind == event_types.PAUSED:
            self.paused.add(node)
        elif row.kind == event_types.RESUMED:
            self.paused.discard(node)
        elif row.kind == event_types.LEADER_LOST:
            self.quorum = False
        elif row.kind == event_types.LEADER_BACK:
            self.quorum = True

    def _transition(self, row: Row) -> None:
        assert row.node is not None and row.term is not None
        if row.leader is None:
            self.named.pop(row.node, None)
        else:
            self.named[row.node] = row.leader
        if row.role is LEADER:
            self.terms[row.node] = row.term
            self.led = self.quorum = True  # If it has no majority, the row of its loss follows at once.
        else:
            self.terms.pop(row.node, None)

    def running_members(self, leader: NodeId | None) -> set[NodeId]:
        """The running nodes that belong to the cluster in a leader's eyes."""
        members = None if leader is None else self.members.get(leader)
        return self.running if members is None else self.running & members

    def followed_claimants(self) -> int:
        """How many claimants are named leader by some running node other than themselves."""
        followed = {leader for node, leader in self.named.items() if leader != node}
        return len(followed.intersection(self.terms))


def intervals(trace: Trace, group: str) -> Iterator[tuple[GroupState, int, int]]:
    """The state of a group over each interval in which nothing is written: (state, start_ns, end_ns).

    The state is the same object each time. Intervals have a positive length: a change that is reversed at the same
    instant is not seen.
    """
    state = GroupState(trace, group)
    since_ns = 0
    for row in trace.rows:
        if row.time_ns > since_ns:
            yield state, since_ns, row.time_ns
            since_ns = row.time_ns
        state.apply(row)
    if trace.end_ns > since_ns:
        yield state, since_ns, trace.end_ns
