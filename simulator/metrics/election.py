"""One election: its cause, its instants, its rounds and its outcome. Definitions: docs/metrics.md."""

from __future__ import annotations

import enum
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

from simulator.metrics.rounds import Round
from simulator.metrics.traffic import Sent
from simulator.protocol import Nanoseconds, NodeId


class Cause(enum.StrEnum):
    """Why an election took place."""

    BOOT = "boot"  # No node has led yet.
    LOSS = "loss"  # The current leader was lost.
    TRANSFER = "transfer"  # The leader was asked to hand over.
    SPURIOUS = "spurious"  # The leader was up and reachable.


class Outcome(enum.StrEnum):
    """How an election ended."""

    ELECTED = "elected"
    RECOVERED = "recovered"  # The lost leader came back first.
    WITHDRAWN = "withdrawn"  # No node campaigns any more against a leader that was fine.
    CENSORED = "censored"  # Unfinished when the trial ended.


class Parts(NamedTuple):
    """The parts of an election in nanoseconds. Together they last from the first suspicion to the claim."""

    before_rounds_ns: Nanoseconds  # The time until the first candidacy, for example with pre-votes.
    earlier_rounds_ns: Nanoseconds  # All rounds from the first to the one that was won.
    winning_round_ns: Nanoseconds  # The whole election if its winner did not campaign.


@dataclass(slots=True)
class Election:
    """One election. Instants are nanoseconds since the start of the trial; None if there was none."""

    cause: Cause
    start_ns: Nanoseconds
    sent_before: Sent  # Before its start.
    term_before: int  # The term of the leader before; at boot, the term from which all nodes started.
    loss_cause: str | None = None
    lost_leader: NodeId | None = None
    suspected_ns: Nanoseconds | None = None
    won_from_ns: Nanoseconds | None = None  # The start of the round that was won; None if its winner did not campaign.
    claimed_ns: Nanoseconds | None = None
    announced_majority_ns: Nanoseconds | None = None
    announced_all_ns: Nanoseconds | None = None
    announcing_until_ns: Nanoseconds | None = None  # The announcement is measured up to this instant.
    all_know_ns: Nanoseconds | None = None  # All running nodes name the winner, or a later one if it led no more.
    winner: NodeId | None = None
    term: int | None = None  # The winner's.
    outcome: Outcome = Outcome.CENSORED
    followed_until_ns: Nanoseconds = 0  # The end of the election, or of the trial.
    sent_after: Sent | None = None  # Before its announcement to a majority, or its end.
    rounds: list[Round] = field(default_factory=list)
    round_keys: list[Hashable] = field(default_factory=list)

    @property
    def failover_ns(self) -> Nanoseconds | None:
        """The time from the loss to the claim of another node. None for other causes and outcomes."""
        if self.cause is not Cause.LOSS or self.outcome is not Outcome.ELECTED or self.claimed_ns is None:
            return None
        return self.claimed_ns - self.start_ns

    @property
    def transfer_ns(self) -> Nanoseconds | None:
        """The time from the instant at which the leader begins to hand over to the claim of another node. The leader
        serves no request in this time.
        """
        if self.cause is not Cause.TRANSFER or self.claimed_ns is None:
            return None
        return self.claimed_ns - self.start_ns

    @property
    def detection_ns(self) -> Nanoseconds | None:
        """The time from the start to the first suspicion. None without a suspicion."""
        return None if self.suspected_ns is None else self.suspected_ns - self.start_ns

    @property
    def election_ns(self) -> Nanoseconds | None:
        """The time from the first suspicion to the claim, with all failed rounds."""
        if self.claimed_ns is None or self.suspected_ns is None:
            return None
        return self.claimed_ns - self.suspected_ns

    @property
    def winning_round_ns(self) -> Nanoseconds | None:
        """The duration of the round that was won. The rest of the election was spent in earlier rounds and in
        pre-votes.
        """
        election_ns = self.election_ns
        if election_ns is None or self.claimed_ns is None or self.won_from_ns is None:
            return election_ns
        return min(election_ns, self.claimed_ns - self.won_from_ns)

    @property
    def parts(self) -> Parts | None:
        """The parts that add up to `election_ns`. None if `election_ns` is None."""
        winning_ns = self.winning_round_ns
        if winning_ns is None or self.claimed_ns is None or self.suspected_ns is None:
            return None
        won_ns = self.claimed_ns - winning_ns
        first_ns = min([won_ns, *(max(self.suspected_ns, a_round.began_ns) for a_round in self.rounds)])
        return Parts(first_ns - self.suspected_ns, won_ns - first_ns, winning_ns)

    def round_spans(self) -> list[tuple[Nanoseconds, Nanoseconds]]:
        """The start and the end of each round. A round starts with its first candidacy, but not before the election. It
        ends with the first candidacy of the next round, or with the claim, or else with the election.
        """
        starts = [max(a_round.began_ns, self.start_ns) for a_round in self.rounds]
        spans = []
        for a_round, start_ns in zip(self.rounds, starts, strict=True):
            won = a_round.winner is not None and self.claimed_ns is not None
            later = [] if won else [other_ns for other_ns in starts if other_ns > start_ns]
            spans.append((start_ns, min(later, default=self.claimed_ns or self.followed_until_ns)))
        return spans

    @property
    def terms_spent(self) -> int | None:
        """How far the term has grown since the last leader's term. None for an algorithm without terms, whose claims
        have the term 0.
        """
        return self.term - self.term_before if self.term else None
