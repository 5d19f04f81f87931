"""A trial told as a sequence of elections: each one search for a leader, with its cause, parts and outcome.

Definitions: docs/metrics.md. A search begins with the trial (`boot`), with the loss of the reigning leader (`loss`),
or when a node suspects a leader that is fine (`spurious`). It ends with a claim, with the return of the lost leader,
or, where the leader was fine all along, when nobody stands against it any more.
"""

from __future__ import annotations

import enum
from collections.abc import Hashable
from dataclasses import dataclass, field

from simulator.metrics.replay import GroupState
from simulator.metrics.rounds import Round, Rounds
from simulator.protocol import CANDIDATE, LEADER, PRE_CANDIDATE, Nanoseconds, NodeId
from simulator.trace import kinds
from simulator.trace.trace import Row, Trace


class Cause(enum.StrEnum):
    """Why a leader was searched for."""

    BOOT = "boot"  # Nobody has led yet.
    LOSS = "loss"  # The reigning leader was lost.
    TRANSFER = "transfer"  # It was asked to hand over.
    SPURIOUS = "spurious"  # It was fine.


class Outcome(enum.StrEnum):
    """How a search ended."""

    ELECTED = "elected"
    RECOVERED = "recovered"  # The lost leader came back first.
    WITHDRAWN = "withdrawn"  # Nobody stands any more against a leader that was fine.
    CENSORED = "censored"  # Unfinished when the trial ended.


@dataclass(slots=True)
class Election:
    """One search for a leader. Instants in nanoseconds since the start of the trial; None where there was none."""

    cause: Cause
    start_ns: Nanoseconds
    sent_before: tuple[int, ...]  # Messages sent by its start, by type.
    term_before: int  # The highest term declared by its start.
    loss_cause: str | None = None
    lost_leader: NodeId | None = None
    suspected_ns: Nanoseconds | None = None
    claimed_ns: Nanoseconds | None = None
    announced_majority_ns: Nanoseconds | None = None
    announced_all_ns: Nanoseconds | None = None
    announcing_until_ns: Nanoseconds | None = None  # Until when its announcement was looked for.
    winner: NodeId | None = None
    term: int | None = None  # The winner's.
    outcome: Outcome = Outcome.CENSORED
    followed_until_ns: Nanoseconds = 0  # The end of the search, or of the trial.
    sent_after: tuple[int, ...] = ()  # Messages sent by its announcement to a majority, or its end.
    rounds: list[Round] = field(default_factory=list)
    round_keys: list[Hashable] = field(default_factory=list)
    deposed: bool = False  # A leader that was fine has stepped down for a rival.

    @property
    def failover_ns(self) -> Nanoseconds | None:
        """From the loss to another node's claim; None for other causes and outcomes."""
        if self.cause is not Cause.LOSS or self.outcome is not Outcome.ELECTED or self.claimed_ns is None:
            return None
        return self.claimed_ns - self.start_ns

    @property
    def detection_ns(self) -> Nanoseconds | None:
        return None if self.suspected_ns is None else self.suspected_ns - self.start_ns

    @property
    def election_ns(self) -> Nanoseconds | None:
        """From the first suspicion to the claim, across every failed round."""
        if self.claimed_ns is None or self.suspected_ns is None:
            return None
        return self.claimed_ns - self.suspected_ns

    @property
    def terms_spent(self) -> int | None:
        return None if self.term is None else self.term - self.term_before


def elections(trace: Trace) -> list[Election]:
    """The elections of the headline group, in order."""
    return _Reader(trace).read()


class _Reader:
    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.group = trace.headline_group
        self.state = GroupState(self.group)
        self.rounds = Rounds()
        self.reigning: NodeId | None = None  # The leader that is fine at present.
        self.reign_began_ns = 0
        self.started_ns: dict[NodeId, Nanoseconds] = {}
        self.stood_ns: dict[NodeId, Nanoseconds] = {}
        self.highest_term = 0
        self.found: list[Election] = []
        self.search: Election | None = None
        self.announcing: Election | None = None

    def read(self) -> list[Election]:
        self._open(Cause.BOOT, 0, (0,) * len(self.trace.message_types))
        for row in self.trace.rows:
            self._before(row)
            self.state.apply(row)
            self._after(row)
        self.rounds.finish()
        last_sent = tuple(self.trace.sent)
        if self.search is not None:
            self._close(Outcome.CENSORED, self.trace.end_ns, last_sent)
        if self.announcing is not None:
            self._end_announcement(self.trace.end_ns, last_sent)
        for election in self.found:
            election.rounds = self.rounds.of(election.round_keys)
        return self.found

    # --- Rows

    def _before(self, row: Row) -> None:
        """A suspicion is judged by what its node believed before it."""
        if row.kind == kinds.SUSPECTED or (row.kind == kinds.TRANSITION and self._begins_candidacy(row)):
            self._suspected(row)

    def _after(self, row: Row) -> None:
        if row.kind == kinds.TRANSITION:
            if row.group == self.group:
                self._transition(row)
        elif row.kind == kinds.STARTED and row.node is not None:
            self.started_ns[row.node] = row.time_ns
        elif row.kind == kinds.CRASHED and row.node is not None:
            self._withdraw(row)
        elif row.kind == kinds.LEADER_LOST:
            self._lost(row)
        elif row.kind == kinds.LEADER_BACK:
            self._back(row)
        if self.announcing is not None and row.kind in (kinds.TRANSITION, kinds.CRASHED, kinds.STARTED):
            self._look_for_announcement(row)

    def _begins_candidacy(self, row: Row) -> bool:
        stands = row.role is CANDIDATE or row.role is PRE_CANDIDATE
        return stands and row.group == self.group and row.node not in self.stood_ns

    def _transition(self, row: Row) -> None:
        assert row.node is not None and row.term is not None
        if row.role is LEADER:
            self._claimed(row)
        elif row.role is CANDIDATE:
            self.stood_ns.setdefault(row.node, row.time_ns)
            key = self.rounds.stand(row.node, row.term)
            if self.search is not None and key not in self.search.round_keys:
                self.search.round_keys.append(key)
        elif row.role is PRE_CANDIDATE:
            self.stood_ns.setdefault(row.node, row.time_ns)
        else:
            self._withdraw(row)
        self.highest_term = max(self.highest_term, row.term)

    def _suspected(self, row: Row) -> None:
        node, search = row.node, self.search
        assert node is not None
        if search is None:
            # A node that has not heard of this reign yet is late in the last search, and opens no new one.
            heard = self.state.named.get(node) == self.reigning or self.started_ns[node] > self.reign_began_ns
            if self.reigning is not None and heard and node != self.reigning:
                self._open(Cause.SPURIOUS, row.time_ns, row.sent, suspected_ns=row.time_ns)
        elif search.suspected_ns is None and (node != search.lost_leader or search.loss_cause == kinds.STEP_DOWN):
            search.suspected_ns = row.time_ns  # By a survivor: a lost leader that has restarted is none.

    def _claimed(self, row: Row) -> None:
        assert row.node is not None and row.term is not None
        node = row.node
        self.rounds.win(node, row.term)
        stood_ns = self.stood_ns.pop(node, row.time_ns)
        if self.search is None and node != self.reigning:  # Late in the last search, and stronger than its winner.
            self._open(Cause.SPURIOUS, row.time_ns, row.sent, suspected_ns=stood_ns)
        search = self.search
        if search is not None:
            search.winner, search.term = node, row.term
            search.claimed_ns = row.time_ns
            back = search.cause is Cause.LOSS and node == search.lost_leader
            self._close(Outcome.RECOVERED if back else Outcome.ELECTED, row.time_ns, row.sent)
            if self.announcing is not None:
                self._end_announcement(row.time_ns, row.sent)
            self.announcing = search
        self.reigning, self.reign_began_ns = node, row.time_ns

    def _withdraw(self, row: Row) -> None:
        assert row.node is not None
        self.stood_ns.pop(row.node, None)
        self.rounds.withdraw(row.node)
        search = self.search
        if search is not None and search.cause is Cause.SPURIOUS and not search.deposed and not self.stood_ns:
            self._close(Outcome.WITHDRAWN, row.time_ns, row.sent)

    def _lost(self, row: Row) -> None:
        cause, search = row.fact("cause"), self.search
        self.reigning = None
        deposed = cause == kinds.STEP_DOWN and bool(self.stood_ns)
        if search is None:
            suspected_ns = row.time_ns if self.stood_ns else None
            search = self._open(Cause.SPURIOUS if deposed else Cause.LOSS, row.time_ns, row.sent, suspected_ns)
        elif not deposed:  # It was suspected wrongly, and is lost by chance meanwhile.
            search.cause, search.start_ns, search.sent_before = Cause.LOSS, row.time_ns, row.sent
            search.suspected_ns = row.time_ns if self.stood_ns else None
        search.deposed = deposed
        search.loss_cause, search.lost_leader = cause, row.node

    def _back(self, row: Row) -> None:
        self.reigning = row.node
        if self.search is not None:
            self._close(Outcome.RECOVERED, row.time_ns, row.sent)
        if self.stood_ns:
            self._open(Cause.SPURIOUS, row.time_ns, row.sent, suspected_ns=row.time_ns)

    # --- Searches

    def _open(
        self, cause: Cause, start_ns: Nanoseconds, sent: tuple[int, ...], suspected_ns: Nanoseconds | None = None
    ) -> Election:
        search = Election(cause, start_ns, sent, self.highest_term, suspected_ns=suspected_ns)
        search.round_keys = list(dict.fromkeys(self.rounds.standing.values()))
        self.search = search
        self.found.append(search)
        return search

    def _close(self, outcome: Outcome, end_ns: Nanoseconds, sent: tuple[int, ...]) -> None:
        assert self.search is not None
        self.search.outcome = outcome
        self.search.followed_until_ns = end_ns
        self.search.sent_after = sent
        self.search = None

    def _look_for_announcement(self, row: Row) -> None:
        election = self.announcing
        assert election is not None
        named = sum(1 for leader in self.state.named.values() if leader == election.winner)
        running = len(self.state.running)
        if election.announced_majority_ns is None and 2 * named > running:
            election.announced_majority_ns = row.time_ns
            election.sent_after = row.sent
        if named == running:
            election.announced_all_ns = row.time_ns
        if named == running or election.winner not in self.state.terms:
            self._end_announcement(row.time_ns, row.sent)

    def _end_announcement(self, time_ns: Nanoseconds, sent: tuple[int, ...]) -> None:
        """Everybody has heard; or the winner leads no more, has a successor, or the trial is over."""
        election, self.announcing = self.announcing, None
        assert election is not None
        election.announcing_until_ns = time_ns
        if election.announced_majority_ns is None:
            election.sent_after = sent
