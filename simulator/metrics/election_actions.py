"""The elections of a trial as they are opened, filled in and closed: the actions of `election_rules`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import ClassVar, NamedTuple

from simulator.metrics.announcement import Announcements
from simulator.metrics.election import Cause, Election, Outcome
from simulator.metrics.election_rules import Action
from simulator.metrics.rounds import Rounds
from simulator.metrics.traffic import Sent, SteadyState
from simulator.protocol import Nanoseconds, NodeId
from simulator.trace import event_types
from simulator.trace.replay import GroupState
from simulator.trace.trace import Row


class Claimed(NamedTuple):
    """A claim: where its node's campaign began, when its round began, and the rounds that were undecided before it."""

    campaign: Row  # The row that began the winner's campaign, or its claim if it did not campaign.
    won_from_ns: Nanoseconds | None
    undecided: list[Hashable]


class ElectionLog:
    """The elections of one group, and what its nodes campaign for. `actions` has a method for each action."""

    def __init__(self, nodes: GroupState) -> None:
        self.found: list[Election] = []
        self.election: Election | None = None  # The open one.
        self.returned: Election | None = None  # The last election that ended because the lost leader came back.
        self.current_leader: NodeId | None = None  # None while the cluster has lost its leader.
        self.leading_since_ns = 0
        # The term of the last winner. Before the first campaign, the highest term from which a node started.
        self.leader_term = 0
        self.rounds = Rounds()
        self.campaigns: dict[NodeId, Row] = {}  # The row with which each campaigning node began its campaign.
        self.suspects: dict[NodeId, NodeId | None] = {}  # The leader that each candidate named before its campaign.
        self.claimed: Claimed | None = None  # The last claim.
        self.announcements = Announcements(nodes)
        self.steady = SteadyState()
        self._attributed: set[Hashable] = set()  # The rounds that belong to an election already.

    def begin(self, sent: Sent) -> None:
        """Open the election at the start of the trial."""
        self._open(Cause.BOOT, 0, sent, self.rounds.undecided())

    def campaign(self, row: Row) -> None:
        """A node is a candidate: it campaigns in the round of its term."""
        assert row.node is not None and row.term is not None
        self.campaigns.setdefault(row.node, row)
        key = self.rounds.campaign(row.node, row.term, row.time_ns)
        if self.election is not None:
            self._attribute(self.election, [key])

    def withdraw_candidate(self, node: NodeId) -> None:
        """A node campaigns no more."""
        self.campaigns.pop(node, None)
        self.rounds.withdraw(node)

    def claim(self, row: Row) -> None:
        """A node has won the round of its term."""
        assert row.node is not None and row.term is not None
        campaign = self.campaigns.pop(row.node, row)
        self.claimed = Claimed(campaign, self.rounds.began_ns(row.node), self.rounds.undecided())
        self.rounds.win(row.node, row.term)

    def finish(self, end_ns: Nanoseconds, sent: Sent) -> None:
        """The trial has ended: an open election is censored."""
        self.rounds.finish()
        self.steady.update(False, end_ns, sent)
        if self.election is not None:
            self._close(Outcome.CENSORED, end_ns, sent)
        self.announcements.end(end_ns, sent)
        for election in self.found:
            election.rounds = self.rounds.of(election.round_keys)

    # --- Actions

    def _open(
        self,
        cause: Cause,
        start_ns: Nanoseconds,
        sent: Sent,
        undecided: Iterable[Hashable],
        suspected_ns: Nanoseconds | None = None,
    ) -> None:
        self.election = Election(cause, start_ns, sent, self.leader_term, suspected_ns=suspected_ns)
        self._attribute(self.election, undecided)
        self.found.append(self.election)

    def _attribute(self, election: Election, keys: Iterable[Hashable]) -> None:
        """A round belongs to the election in which it began, or to the first one after."""
        for key in keys:
            if key not in self._attributed:
                self._attributed.add(key)
                election.round_keys.append(key)

    def _close(self, outcome: Outcome, end_ns: Nanoseconds, sent: Sent) -> None:
        assert self.election is not None
        self.election.outcome, self.election.followed_until_ns, self.election.sent_after = outcome, end_ns, sent
        self.election = None

    def _note_suspicion(self, row: Row) -> None:
        election = self.election
        assert election is not None
        survives = row.node != election.lost_leader or election.loss_cause == event_types.STEP_DOWN
        if election.suspected_ns is None and survives:
            election.suspected_ns = row.time_ns

    def _open_spurious(self, row: Row) -> None:
        if row.kind == event_types.LEADER_BACK:
            self._resume(row)
        self._open(Cause.SPURIOUS, row.time_ns, Sent.by(row), self.rounds.undecided(), row.time_ns)

    def _open_transfer(self, row: Row) -> None:
        self._open(Cause.TRANSFER, row.time_ns, Sent.by(row), self.rounds.undecided())

    def _open_loss(self, row: Row) -> None:
        self._open(Cause.LOSS, row.time_ns, Sent.by(row), self.rounds.undecided(), self._suspected_before(row))
        self._note_loss(row)

    def _open_deposed(self, row: Row) -> None:
        suspected_ns = row.time_ns if self.campaigns else None
        self._open(Cause.SPURIOUS, row.time_ns, Sent.by(row), self.rounds.undecided(), suspected_ns)
        self._note_loss(row)

    def _become_loss(self, row: Row) -> None:
        """The leader was suspected wrongly, and is lost for another reason meanwhile."""
        election = self.election
        assert election is not None
        election.cause, election.start_ns, election.sent_before = Cause.LOSS, row.time_ns, Sent.by(row)
        election.suspected_ns = self._suspected_before(row)
        going_on = self.rounds.campaigning.values()
        election.round_keys = [key for key in election.round_keys if key in going_on]
        self._note_loss(row)

    def _suspected_before(self, row: Row) -> Nanoseconds | None:
        """The instant of a loss if a node that campaigns already suspects this leader."""
        suspected = self.campaigns and row.node in map(self.suspects.get, self.campaigns)
        return row.time_ns if suspected else None

    def _note_loss(self, row: Row) -> None:
        assert self.election is not None
        self.election.loss_cause, self.election.lost_leader = row.field("cause"), row.node
        self.current_leader = None

    def _elect(self, row: Row) -> None:
        self._end_by_claim(row, Outcome.ELECTED)

    def _recover_by_claim(self, row: Row) -> None:
        self._end_by_claim(row, Outcome.RECOVERED)

    def _elect_late(self, row: Row) -> None:
        """The claim is of a higher term than the last winner's: its campaign was an election that nobody saw."""
        assert self.claimed is not None
        campaign, undecided = self.claimed.campaign, self.claimed.undecided
        self.steady.end_at(campaign.time_ns, Sent.by(campaign))
        self._open(Cause.SPURIOUS, campaign.time_ns, Sent.by(campaign), undecided, campaign.time_ns)
        self._elect(row)

    def _end_by_claim(self, row: Row, outcome: Outcome) -> None:
        election, claimed = self.election, self.claimed
        assert election is not None and claimed is not None
        election.winner, election.term = row.node, row.term
        election.claimed_ns, election.won_from_ns = row.time_ns, claimed.won_from_ns
        if election.suspected_ns is None and row.node != election.lost_leader:
            # The winner campaigned before the loss, and had never heard of the lost leader.
            election.suspected_ns = max(election.start_ns, claimed.campaign.time_ns)
        self._close(outcome, row.time_ns, Sent.by(row))
        self.announcements.begin(election, row)
        self._renew(row)

    def _renew(self, row: Row) -> None:
        assert row.node is not None and row.term is not None
        self.current_leader, self.leading_since_ns, self.leader_term = row.node, row.time_ns, row.term
        self.announcements.leaders.discard(row.node)

    def _recover(self, row: Row) -> None:
        if row.kind != event_types.LEADER_BACK:
            self._recover_by_claim(row)
            return
        self._resume(row)
        self._close(Outcome.RECOVERED, row.time_ns, Sent.by(row))

    def _recover_and_open(self, row: Row) -> None:
        self._recover(row)
        self._open(Cause.SPURIOUS, row.time_ns, Sent.by(row), self.rounds.undecided(), row.time_ns)

    def _resume(self, row: Row) -> None:
        self.current_leader, self.returned = row.node, self.election

    def _continue(self, row: Row) -> None:
        self.current_leader, self.returned = row.node, None

    def _withdraw(self, row: Row) -> None:
        self._close(Outcome.WITHDRAWN, row.time_ns, Sent.by(row))

    def _reopen(self, row: Row) -> None:
        assert self.returned is not None
        self.current_leader = None
        if self.election is not None and self.election is not self.returned:
            self.found.remove(self.election)  # The return of the lost leader had opened this election.
        self.returned.outcome = Outcome.CENSORED
        self.election = self.returned

    actions: ClassVar[Mapping[Action, Callable[[ElectionLog, Row], None]]] = {
        Action.NOTE_SUSPICION: _note_suspicion,
        Action.OPEN_SPURIOUS: _open_spurious,
        Action.OPEN_TRANSFER: _open_transfer,
        Action.OPEN_LOSS: _open_loss,
        Action.OPEN_DEPOSED: _open_deposed,
        Action.ELECT: _elect,
        Action.ELECT_LATE: _elect_late,
        Action.RENEW: _renew,
        Action.RECOVER: _recover,
        Action.RECOVER_AND_OPEN: _recover_and_open,
        Action.RESUME: _resume,
        Action.CONTINUE: _continue,
        Action.WITHDRAW: _withdraw,
        Action.BECOME_LOSS: _become_loss,
        Action.NOTE_DEPOSED: _note_loss,
        Action.REOPEN: _reopen,
    }
