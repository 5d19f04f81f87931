"""A trial told as a sequence of elections: each one search for a leader, with its cause, parts and outcome.

Definitions: docs/metrics.md. A search begins with the trial (`boot`), with the loss of the reigning leader (`loss`),
or when a node suspects a leader that is fine (`spurious`). It ends with a claim, with the return of the lost leader,
or, where the leader was fine all along, when nobody stands against it any more.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from simulator.metrics.election import Cause, Election, Outcome, Parts
from simulator.metrics.rounds import Rounds
from simulator.metrics.traffic import Sent, SteadyState
from simulator.protocol import CANDIDATE, LEADER, PRE_CANDIDATE, Nanoseconds, NodeId
from simulator.trace import event_types
from simulator.trace.replay import GroupState
from simulator.trace.trace import Row, Trace

__all__ = ["Cause", "Election", "History", "Outcome", "Parts", "elections", "history"]


@dataclass(frozen=True, slots=True)
class History:
    """A trial, search by search, and what lay between."""

    elections: list[Election]
    steady: SteadyState


def elections(trace: Trace) -> list[Election]:
    """The elections of the headline group, in order."""
    return history(trace).elections


def history(trace: Trace) -> History:
    """The elections of the headline group, in order, and its steady state."""
    return _Reader(trace).read()


class _Reader:
    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.group = trace.primary_group
        self.state = GroupState(trace, self.group)
        self.members = frozenset(trace.groups[self.group])
        self.rounds = Rounds()
        self.current_leader: NodeId | None = None  # The leader that is fine at present.
        self.leading_since_ns = 0
        self.leader_term = 0  # That of the last winner; until anybody stands, the highest that was started from.
        self.terms: dict[NodeId, int] = {}  # That each node declared last.
        self.suspects: dict[NodeId, NodeId | None] = {}  # The leader that each standing node named before it stood.
        self.attributed: set[Hashable] = set()  # Rounds that have found their election.
        self.returned: Election | None = None  # A search that the lost leader's return has just ended.
        self.started_ns: dict[NodeId, Nanoseconds] = {}
        self.stood: dict[NodeId, Row] = {}  # The row by which each standing node stood.
        self.announced: set[NodeId] = set()  # Who has led, and whose last election a majority knew of.
        self.steady = SteadyState()
        self.found: list[Election] = []
        self.search: Election | None = None
        self.announcing: Election | None = None

    def read(self) -> History:
        self._open(Cause.BOOT, 0, Sent.nothing(self.trace))
        for row in self.trace.rows:
            if row.node not in self.members:
                continue
            self._before(row)
            self.state.apply(row)
            self._after(row)
            self.steady.tell(self._in_peace, row.time_ns, Sent.by(row))
        self.rounds.finish()
        last_sent = Sent.in_all(self.trace)
        self.steady.tell(False, self.trace.end_ns, last_sent)
        if self.search is not None:
            self._close(Outcome.CENSORED, self.trace.end_ns, last_sent)
        if self.announcing is not None:
            self._end_announcement(self.trace.end_ns, last_sent)
        for election in self.found:
            election.rounds = self.rounds.of(election.round_keys)
        return History(self.found, self.steady)

    @property
    def _in_peace(self) -> bool:
        """A leader reigns, a majority knows of its election, and nobody looks for another."""
        return self.search is None and self.current_leader in self.announced

    # --- Rows

    def _before(self, row: Row) -> None:
        """A suspicion is judged by what its node believed before it."""
        stands = row.kind == event_types.TRANSITION and self._begins_candidacy(row)
        if stands and row.node is not None:
            self.suspects[row.node] = self.state.named.get(row.node)
        if stands or row.kind == event_types.SUSPECTED:
            self._suspected(row)

    def _after(self, row: Row) -> None:
        if row.kind == event_types.TRANSITION:
            if row.group == self.group:
                self._transition(row)
        elif row.kind == event_types.STARTED and row.node is not None:
            self.started_ns[row.node] = row.time_ns
        elif row.kind == event_types.CRASHED and row.node is not None:
            self._withdraw(row)
        elif row.kind == event_types.TRANSFER:
            self._asked_to_hand_over(row)
        elif row.kind == event_types.TRANSFER_ABORTED:
            self._goes_on(row)
        elif row.kind == event_types.LEADER_LOST:
            self._lost(row)
        elif row.kind == event_types.LEADER_BACK:
            self._back(row)
        if self.announcing is not None and row.kind in (
            event_types.TRANSITION,
            event_types.CRASHED,
            event_types.STARTED,
        ):
            self._look_for_announcement(row)

    def _begins_candidacy(self, row: Row) -> bool:
        stands = row.role is CANDIDATE or row.role is PRE_CANDIDATE
        return stands and row.group == self.group and row.node not in self.stood

    def _transition(self, row: Row) -> None:
        assert row.node is not None and row.term is not None
        self.terms[row.node] = row.term
        if row.role is LEADER:
            self._claimed(row)
        elif row.role is CANDIDATE:
            self.stood.setdefault(row.node, row)
            key = self.rounds.stand(row.node, row.term, row.time_ns)
            if self.search is not None:
                self._attribute(self.search, [key])
        elif row.role is PRE_CANDIDATE:
            self.stood.setdefault(row.node, row)
        else:
            self._withdraw(row)
            if not self.rounds.by_key:
                self.leader_term = max(self.leader_term, row.term)

    def _suspected(self, row: Row) -> None:
        node, search = row.node, self.search
        assert node is not None
        if search is None:
            # A node that has not heard of this reign yet is late in the last search, and opens no new one.
            heard = self.state.named.get(node) == self.current_leader or self.started_ns[node] > self.leading_since_ns
            if self.current_leader is not None and heard and node != self.current_leader:
                self._open(Cause.SPURIOUS, row.time_ns, Sent.by(row), suspected_ns=row.time_ns)
        elif search.suspected_ns is None and (node != search.lost_leader or search.loss_cause == event_types.STEP_DOWN):
            search.suspected_ns = row.time_ns  # By a survivor: a lost leader that has restarted is none.

    def _claimed(self, row: Row) -> None:
        assert row.node is not None and row.term is not None
        node = row.node
        stood = self.stood.pop(node, row)
        weaker = self.search is None and self.current_leader is not None and row.term < self.leader_term
        if (
            self.search is None and node != self.current_leader and not weaker
        ):  # Late, and stronger than the last winner.
            self.steady.take_back(stood.time_ns, Sent.by(stood))
            self._open(Cause.SPURIOUS, stood.time_ns, Sent.by(stood), suspected_ns=stood.time_ns)
        won_from_ns = self.rounds.began_ns(node)
        self.rounds.win(node, row.term)
        if weaker:
            return
        search = self.search
        if search is not None:
            search.winner, search.term = node, row.term
            search.claimed_ns, search.won_from_ns = row.time_ns, won_from_ns
            if (
                search.suspected_ns is None and node != search.lost_leader
            ):  # Its winner stood before, and had never heard of the lost leader.
                search.suspected_ns = max(search.start_ns, stood.time_ns)
            back = search.cause is Cause.LOSS and node == search.lost_leader
            self._close(Outcome.RECOVERED if back else Outcome.ELECTED, row.time_ns, Sent.by(row))
            if self.announcing is not None:
                self._end_announcement(row.time_ns, Sent.by(row))
            self.announcing = search
        self.current_leader, self.leading_since_ns, self.leader_term = node, row.time_ns, row.term
        self.announced.discard(node)

    def _withdraw(self, row: Row) -> None:
        assert row.node is not None
        self.stood.pop(row.node, None)
        self.rounds.withdraw(row.node)
        search = self.search
        if search is not None and search.cause is Cause.SPURIOUS and not search.deposed and not self.stood:
            self._close(Outcome.WITHDRAWN, row.time_ns, Sent.by(row))

    def _lost(self, row: Row) -> None:
        assert row.node is not None
        cause, search = row.fact("cause"), self.search
        self.current_leader = None
        if self._undo_return(row):
            return
        rival = bool(self.stood) if self.leader_term == 0 else self.terms[row.node] > self.leader_term
        deposed = cause == event_types.STEP_DOWN and rival
        suspected = bool(self.stood) and (deposed or row.node in map(self.suspects.get, self.stood))
        suspected_ns = row.time_ns if suspected else None
        if search is None:
            search = self._open(Cause.SPURIOUS if deposed else Cause.LOSS, row.time_ns, Sent.by(row), suspected_ns)
        elif not deposed:  # It was suspected wrongly, and is lost by chance meanwhile.
            search.cause, search.start_ns, search.sent_before = Cause.LOSS, row.time_ns, Sent.by(row)
            search.suspected_ns = suspected_ns
            search.round_keys = [key for key in search.round_keys if key in self.rounds.standing.values()]
        search.deposed = deposed
        search.loss_cause, search.lost_leader = cause, row.node

    def _back(self, row: Row) -> None:
        self.current_leader, self.returned = row.node, self.search
        search = self.search
        if search is not None and search.cause is Cause.SPURIOUS and self.stood:
            # Who stood against a leader that was fine goes on to do so against an older one: it is the same search.
            search.deposed, self.returned = False, None
            return
        if search is not None:
            self._close(Outcome.RECOVERED, row.time_ns, Sent.by(row))
        if self.stood:
            self._open(Cause.SPURIOUS, row.time_ns, Sent.by(row), suspected_ns=row.time_ns)

    def _undo_return(self, row: Row) -> bool:
        """A leader that is lost again at the instant of its return was never back: its search goes on."""
        search = self.returned
        if search is None or search.lost_leader != row.node or search.followed_until_ns != row.time_ns:
            return False
        if self.search is not None and self.search is not search:
            self.found.remove(self.search)
        search.outcome = Outcome.CENSORED
        self.search = search
        return True

    def _asked_to_hand_over(self, row: Row) -> None:
        if self.search is None and row.node == self.current_leader:
            self._open(Cause.TRANSFER, row.time_ns, Sent.by(row))

    def _goes_on(self, row: Row) -> None:
        search = self.search
        if search is not None and search.cause is Cause.TRANSFER and row.node == self.current_leader:
            self._close(Outcome.WITHDRAWN, row.time_ns, Sent.by(row))

    # --- Searches

    def _open(
        self, cause: Cause, start_ns: Nanoseconds, sent: Sent, suspected_ns: Nanoseconds | None = None
    ) -> Election:
        search = Election(cause, start_ns, sent, self.leader_term, suspected_ns=suspected_ns)
        self._attribute(search, self.rounds.undecided())
        self.search = search
        self.found.append(search)
        return search

    def _attribute(self, search: Election, keys: Iterable[Hashable]) -> None:
        """A round belongs to the search in which it began, or to the first one after."""
        for key in keys:
            if key not in self.attributed:
                self.attributed.add(key)
                search.round_keys.append(key)

    def _close(self, outcome: Outcome, end_ns: Nanoseconds, sent: Sent) -> None:
        assert self.search is not None
        self.search.outcome = outcome
        self.search.followed_until_ns = end_ns
        self.search.sent_after = sent
        self.search = None

    def _look_for_announcement(self, row: Row) -> None:
        election = self.announcing
        assert election is not None and election.winner is not None
        hearers = self.state.running_members(election.winner)
        named = sum(1 for node, leader in self.state.named.items() if leader == election.winner and node in hearers)
        running = len(hearers)
        if election.announced_majority_ns is None and 2 * named > running:
            election.announced_majority_ns = row.time_ns
            election.sent_after = Sent.by(row)
            self.announced.add(election.winner)
        if named == running:
            election.announced_all_ns = row.time_ns
        if named == running or election.winner not in self.state.terms:
            self._end_announcement(row.time_ns, Sent.by(row))

    def _end_announcement(self, time_ns: Nanoseconds, sent: Sent) -> None:
        """Everybody has heard; or the winner leads no more, has a successor, or the trial is over."""
        election, self.announcing = self.announcing, None
        assert election is not None
        election.announcing_until_ns = time_ns
        if election.announced_majority_ns is None:
            election.sent_after = sent
