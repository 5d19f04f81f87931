"""How the result of an election reaches the nodes of a group. Definitions: docs/metrics.md."""

from __future__ import annotations

from simulator.metrics.election import Election
from simulator.metrics.traffic import Sent
from simulator.protocol import Nanoseconds, NodeId
from simulator.trace import event_types
from simulator.trace.replay import GroupState
from simulator.trace.trace import Row

_RELEVANT = frozenset((event_types.TRANSITION, event_types.CRASHED, event_types.STARTED))


class Announcements:
    """Follows the last election won until all running nodes name its winner, and fills in its announcement.

    An announcement also ends when the winner leads no more, when the next election is won, and with the trial. The
    elections whose announcement ended early wait for the next leader that all running nodes name (`all_know_ns`).
    """

    def __init__(self, nodes: GroupState) -> None:
        self.leaders: set[NodeId] = set()  # Leaders whose last election a majority knows of.
        self._nodes = nodes
        self._election: Election | None = None
        self._unknown: list[Election] = []  # The elections won since all running nodes last named a winner.

    def begin(self, election: Election, row: Row) -> None:
        """An election has been won by the claim in this row."""
        self.end(row.time_ns, Sent.by(row))
        self._election = election
        self._unknown.append(election)

    def observe(self, row: Row) -> None:
        """Look, after this row, at how many running nodes name the winner."""
        election = self._election
        if election is None or election.winner is None or row.kind not in _RELEVANT:
            return
        hearers = self._nodes.running_members(election.winner)
        named = sum(1 for node, leader in self._nodes.named.items() if leader == election.winner and node in hearers)
        running = len(hearers)
        if election.announced_majority_ns is None and 2 * named > running:
            election.announced_majority_ns = row.time_ns
            election.sent_after = Sent.by(row)
            self.leaders.add(election.winner)
        if named == running:
            election.announced_all_ns = row.time_ns
            for unknown in self._unknown:
                unknown.all_know_ns = row.time_ns
            self._unknown = []
        if named == running or election.winner not in self._nodes.terms:
            self.end(row.time_ns, Sent.by(row))

    def end(self, time_ns: Nanoseconds, sent: Sent) -> None:
        """Stop following the announcement, if there is one."""
        election, self._election = self._election, None
        if election is not None:
            election.announcing_until_ns = time_ns
            if election.announced_majority_ns is None:
                election.sent_after = sent
