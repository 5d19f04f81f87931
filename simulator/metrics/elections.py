"""Divides a trial's trace into elections: each has a cause, instants, rounds and an outcome.

The definitions are in docs/metrics.md. The rules for which event opens or closes an election are the table in
`simulator.metrics.election_rules`: this module derives its events from the rows of the trace, and carries out its
actions.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.metrics.election import Cause, Election, Outcome, Parts
from simulator.metrics.election_actions import ElectionLog
from simulator.metrics.election_rules import RULES, Event, State
from simulator.metrics.traffic import Sent, SteadyState
from simulator.protocol import CANDIDATE, LEADER, PRE_CANDIDATE, Nanoseconds, NodeId
from simulator.trace import event_types
from simulator.trace.replay import GroupState
from simulator.trace.trace import Row, Trace

__all__ = ["Cause", "Election", "History", "Outcome", "Parts", "elections", "history"]


@dataclass(frozen=True, slots=True)
class History:
    """The elections of a trial in order, and the steady state between them."""

    elections: list[Election]
    steady: SteadyState


def elections(trace: Trace) -> list[Election]:
    """The elections of the primary group, in order."""
    return history(trace).elections


def history(trace: Trace) -> History:
    """The elections of the primary group, in order, and its steady state."""
    return _ElectionReader(trace).read()


class _ElectionReader:
    """Reads a trace row by row: derives events, looks up their rules and carries out their actions."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.group = trace.primary_group
        self.members = frozenset(trace.groups[self.group])
        self.nodes = GroupState(trace, self.group)
        self.state = State.BOOT
        self.state_before_return = State.BOOT  # The state in which the lost leader came back.
        self.terms: dict[NodeId, int] = {}  # The term that each node declared last.
        self.started_ns: dict[NodeId, Nanoseconds] = {}
        self.log = ElectionLog(self.nodes)

    def read(self) -> History:
        """All elections, and the steady state between them."""
        self.log.begin(Sent.nothing(self.trace))
        for row in self.trace.rows:
            if row.node not in self.members:
                continue
            self._note_campaign(row)
            self.nodes.apply(row)
            self._apply_row(row)
            self.log.announcements.observe(row)
            self.log.steady.update(self._is_steady, row.time_ns, Sent.by(row))
        self.log.finish(self.trace.end_ns, Sent.in_all(self.trace))
        return History(self.log.found, self.log.steady)

    @property
    def _is_steady(self) -> bool:
        return self.state is State.LED and self.log.current_leader in self.log.announcements.leaders

    # --- From rows to events

    def _note_campaign(self, row: Row) -> None:
        """Judge a suspicion by what its node knew before this row."""
        node = row.node
        assert node is not None
        begins = (
            row.kind == event_types.TRANSITION
            and (row.role is CANDIDATE or row.role is PRE_CANDIDATE)
            and row.group == self.group
            and node not in self.log.campaigns
        )
        if begins:
            self.log.suspects[node] = self.nodes.named.get(node)
        if begins or row.kind == event_types.SUSPECTED:
            self._apply(Event.SUSPICION if self._is_informed(node) else Event.UNINFORMED_SUSPICION, row)

    def _is_informed(self, node: NodeId) -> bool:
        """Whether a node that suspects the current leader had heard of it, or has started since its claim."""
        leader = self.log.current_leader
        knows = self.nodes.named.get(node) == leader or self.started_ns.get(node, 0) > self.log.leading_since_ns
        return leader is None or (knows and node != leader)

    def _apply_row(self, row: Row) -> None:
        node = row.node
        assert node is not None
        if row.kind == event_types.TRANSITION:
            if row.group == self.group:
                self._apply_transition(row)
        elif row.kind == event_types.STARTED:
            self.started_ns[node] = row.time_ns
        elif row.kind == event_types.CRASHED:
            self._end_campaign(row)
        elif row.kind == event_types.TRANSFER and node == self.log.current_leader:
            self._apply(Event.TRANSFER_BEGUN, row)
        elif row.kind == event_types.TRANSFER_ABORTED and node == self.log.current_leader:
            self._apply(Event.TRANSFER_ABORTED, row)
        elif row.kind == event_types.LEADER_LOST:
            self._apply(self._loss_event(row), row)
        elif row.kind == event_types.LEADER_BACK:
            self._apply(Event.LEADER_BACK_OPPOSED if self.log.campaigns else Event.LEADER_BACK, row)

    def _apply_transition(self, row: Row) -> None:
        assert row.node is not None and row.term is not None
        self.terms[row.node] = row.term
        if row.role is LEADER:
            self._apply_claim(row)
        elif row.role is CANDIDATE:
            self.log.campaign(row)
        elif row.role is PRE_CANDIDATE:
            self.log.campaigns.setdefault(row.node, row)
        else:
            self._end_campaign(row)
            if not self.log.rounds.by_key:
                self.log.leader_term = max(self.log.leader_term, row.term)

    def _end_campaign(self, row: Row) -> None:
        assert row.node is not None
        self.log.withdraw_candidate(row.node)
        if not self.log.campaigns:
            self._apply(Event.NOBODY_CAMPAIGNS, row)

    def _apply_claim(self, row: Row) -> None:
        node, term = row.node, row.term
        assert node is not None and term is not None
        self.log.claim(row)
        if self.log.current_leader is None:
            returns = self.log.election is not None and node == self.log.election.lost_leader
            event = Event.RETURN_CLAIM if returns else Event.CLAIM
        elif term < self.log.leader_term:
            event = Event.LATE_CLAIM
        else:
            event = Event.REPEATED_CLAIM if node == self.log.current_leader else Event.CLAIM
        self._apply(event, row)

    def _loss_event(self, row: Row) -> Event:
        assert row.node is not None
        returned = self.log.returned
        if returned is not None and returned.lost_leader == row.node and returned.followed_until_ns == row.time_ns:
            return Event.LOST_AT_RETURN
        rival = bool(self.log.campaigns) if self.log.leader_term == 0 else self.terms[row.node] > self.log.leader_term
        deposed = row.field("cause") == event_types.STEP_DOWN and rival
        return Event.LEADER_DEPOSED if deposed else Event.LEADER_LOST

    def _apply(self, event: Event, row: Row) -> None:
        """Follow the rule for this event, if the present state has one."""
        rule = RULES[self.state].get(event)
        if rule is not None:
            before, self.state = self.state, rule.next_state or self.state_before_return
            if event in (Event.LEADER_BACK, Event.LEADER_BACK_OPPOSED):
                self.state_before_return = before
            self.log.actions[rule.action](self.log, row)
