"""How hard a randomised trial was on the algorithm, counted from its trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from simulator.cluster.faults.link_degradation import Heal
from simulator.cluster.faults.partitions import Partition
from simulator.metrics.elections import elections
from simulator.protocol import CANDIDATE, LEADER, NodeId
from simulator.trace import event_types
from simulator.trace.trace import Row, Trace

CLAIMS = "claims"
CANDIDACIES = "candidacies"
SPLIT_VOTES = "split votes"
CANDIDATES_CRASHED = "crashes of a candidate"
CRASHES_IN_ELECTIONS = "crashes while somebody stood"
RESTARTS_IN_ELECTIONS = "restarts while somebody stood"
SAVED_VOTES = "restarts with a vote that has counted in an undecided term"
PARTITIONED_CANDIDACIES = "candidacies while the network was partitioned"
PAUSED_CANDIDATES = "pauses of a candidate"

MEASURES: Sequence[str] = (
    CLAIMS,
    CANDIDACIES,
    SPLIT_VOTES,
    CANDIDATES_CRASHED,
    CRASHES_IN_ELECTIONS,
    RESTARTS_IN_ELECTIONS,
    SAVED_VOTES,
    PARTITIONED_CANDIDACIES,
    PAUSED_CANDIDATES,
)


def stress(trace: Trace) -> Counter[str]:
    reader = _Reader()
    for row in trace.rows:
        reader.read(row)
    reader.counts[SPLIT_VOTES] = sum(a_round.split for election in elections(trace) for a_round in election.rounds)
    return reader.counts


class _Reader:
    """Who stands, which votes have counted, and whether the network is whole, row by row."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._standing: set[NodeId] = set()
        self._counted: set[tuple[NodeId, int]] = set()
        self._decided: set[int | None] = set()
        self._restarting: set[NodeId] = set()
        self._cuts = 0

    def read(self, row: Row) -> None:
        if row.kind == event_types.FAULT:
            fault = row.field("fault")
            self._cuts = 0 if fault == Heal.name else self._cuts + (fault == Partition.name)
            return
        if row.node is None:
            return
        if row.kind == event_types.TRANSITION:
            self._transition(row, row.node)
        elif row.kind == event_types.VOTE:
            self._counted.add((row.field("voter"), row.field("term")))
        elif row.kind == event_types.CRASHED:
            self.counts[CANDIDATES_CRASHED] += row.node in self._standing
            self.counts[CRASHES_IN_ELECTIONS] += bool(self._standing)
            self._standing.discard(row.node)
        elif row.kind == event_types.STARTED and row.field("incarnation"):
            self.counts[RESTARTS_IN_ELECTIONS] += bool(self._standing)
            self._restarting.add(row.node)
        elif row.kind == event_types.PAUSED:
            self.counts[PAUSED_CANDIDATES] += row.node in self._standing

    def _transition(self, row: Row, node: NodeId) -> None:
        if row.role is CANDIDATE:
            self._standing.add(node)
            self.counts[CANDIDACIES] += 1
            self.counts[PARTITIONED_CANDIDACIES] += bool(self._cuts)
        else:
            self._standing.discard(node)
        if row.role is LEADER:
            self.counts[CLAIMS] += 1
            self._decided.add(row.term)
        if node in self._restarting:  # The first thing that a restarted node declares.
            self._restarting.remove(node)
            self.counts[SAVED_VOTES] += (node, row.term) in self._counted and row.term not in self._decided
