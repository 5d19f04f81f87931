"""What a trial adds to the tables of a run: docs/results.md names the columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulator.analysis.records.record import TrialReading
from simulator.analysis.records.registry import METRICS
from simulator.checks.liveness import Recovery
from simulator.metrics.elections import Cause, Election, Outcome, Parts
from simulator.metrics.leadership import Claim, Overlap, first_stable_claim
from simulator.metrics.traffic import Sent, SteadyState, Traffic
from simulator.protocol import SECOND, Nanoseconds
from simulator.trace import event_types
from simulator.trace.trace import Trace

Record = dict[str, Any]

# The columns of the tables that may be empty, and what they hold.
ROUND_TYPES = {
    **dict.fromkeys(("trial", "election", "round", "term"), "int64"),
    "outcome": "str",
    "candidates": "int64",
    **dict.fromkeys(("start_s", "end_s"), "float64"),
}
OVERLAP_TYPES = {
    "trial": "int64",
    "overlap": "int64",
    "kind": "str",
    "start_s": "float64",
    "end_s": "float64",
    "claimants": "str",
    "most_at_once": "int64",
    "effective": "bool",
}


def seconds(time_ns: Nanoseconds | None, since_ns: Nanoseconds = 0) -> float:
    """Seconds between two instants; NaN if the later one never came."""
    return float("nan") if time_ns is None else (time_ns - since_ns) / SECOND


@dataclass(frozen=True, slots=True)
class Stability:
    """When a group became stable: the start of the first claim that lasts, from some instant on."""

    claims: Sequence[Claim]
    lasting_ns: Nanoseconds
    end_ns: Nanoseconds

    def since(self, start_ns: Nanoseconds) -> Nanoseconds | None:
        """The start of the first lasting claim at `start_ns` or later; None if there is none."""
        stable = first_stable_claim(self.claims, start_ns, self.lasting_ns)
        return stable.start_ns if stable else None

    def looked_for_until(self, start_ns: Nanoseconds) -> Nanoseconds:
        """The instant of censoring if there is none: a claim that is still held at the end might have lasted."""
        held = (claim.start_ns for claim in self.claims if claim.start_ns >= start_ns and claim.end_ns == self.end_ns)
        return min(held, default=self.end_ns)


def election_row(trace: Trace, stability: Stability, trial: int, number: int, election: Election) -> Record:
    """A row of the elections table."""
    claimed_ns = election.claimed_ns or 0
    without_leader = election.cause in (Cause.BOOT, Cause.LOSS)
    stable_ns = stability.since(election.start_ns) if without_leader else None
    return {
        "trial": trial,
        "election": number,
        "cause": str(election.cause),
        "loss_cause": election.loss_cause,
        "outcome": str(election.outcome),
        "start_s": seconds(election.start_ns),
        "suspected_s": seconds(election.suspected_ns),
        "claimed_s": seconds(election.claimed_ns),
        "followed_until_s": seconds(election.followed_until_ns),
        "end_s": seconds(trace.end_ns),
        "detection_s": seconds(election.detection_ns),
        "election_s": seconds(election.election_ns),
        "failover_s": seconds(election.failover_ns),
        "transfer_s": seconds(election.transfer_ns),
        "stabilisation_s": seconds(stable_ns, election.start_ns),
        "stabilising_until_s": seconds(stability.looked_for_until(election.start_ns)),
        "announced_majority_s": seconds(election.announced_majority_ns, claimed_ns),
        "announced_all_s": seconds(election.announced_all_ns, claimed_ns),
        "announcing_until_s": seconds(election.announcing_until_ns),
        "all_know_s": seconds(election.all_know_ns),
        "lost_leader": election.lost_leader,
        "winner": election.winner,
        "rounds": sum(not a_round.undecided for a_round in election.rounds),
        "failed_rounds": sum(a_round.failed for a_round in election.rounds),
        "split_votes": sum(a_round.split for a_round in election.rounds),
        **_parts(election.parts),
    } | _sent(trace, Traffic.between(trace, election.sent_before, election.sent_after or election.sent_before))


def _parts(parts: Parts | None) -> Record:
    """What an election's duration is made of."""
    names = ("before_rounds_s", "earlier_rounds_s", "winning_round_s")
    return dict(zip(names, map(seconds, parts or (None, None, None)), strict=True))


def round_rows(trial: int, number: int, election: Election) -> list[Record]:
    """The rows of the rounds table for one election, in the order in which its rounds began."""
    spans = election.round_spans()
    return [
        {
            "trial": trial,
            "election": number,
            "round": place,
            "term": a_round.term,
            "outcome": a_round.outcome,
            "candidates": len(a_round.candidates),
            "start_s": seconds(start_ns),
            "end_s": seconds(end_ns),
        }
        for place, (a_round, (start_ns, end_ns)) in enumerate(zip(election.rounds, spans, strict=True), start=1)
    ]


def overlap_row(trial: int, number: int, overlap: Overlap) -> Record:
    """A row of the overlaps table."""
    return {
        "trial": trial,
        "overlap": number,
        "kind": str(overlap.kind),
        "start_s": seconds(overlap.start_ns),
        "end_s": seconds(overlap.end_ns),
        "claimants": ", ".join(f"n{node}" for node in sorted(overlap.claimants)),
        "most_at_once": overlap.most_at_once,
        "effective": overlap.effective,
    }


def trial_row(trial: TrialReading, stability: Stability, number: int, elections: Sequence[Election]) -> Record:
    """A row of the trials table, without the columns that other functions add."""
    losses = [election for election in elections if election.cause is Cause.LOSS]
    primary = losses or elections[:1]
    return {
        "trial": number,
        "digest": trial.trace.digest,
        "end_s": seconds(trial.trace.end_ns),
        "elections": len(elections),
        "losses": len(losses),
        "censored": any(election.outcome is Outcome.CENSORED for election in primary),
        "failover_s": seconds(losses[0].failover_ns if losses else None),
        "stabilisation_s": seconds(stability.since(primary[0].start_ns), primary[0].start_ns),
        **{name: column(trial) for metric in METRICS for name, column in metric.columns.items()},
        "sent_total": sum(trial.trace.sent),
        "faults_without_effect": "; ".join(
            f"{entry} {fault}: {why}" for entry, fault, why in trial.trace.without_effect
        ),
        "faults_never_struck": sum(
            row.kind in (event_types.SKIPPED, event_types.NOT_INJECTED) for row in trial.trace.rows
        ),
    }


def recovery_row(recovery: Recovery) -> Record:
    """The columns of the trials table for a scenario that demands liveness."""
    return {
        "liveness": str(recovery.verdict),
        "last_fault_s": seconds(recovery.since_ns),
        "recovery_s": seconds(recovery.recovered_ns, recovery.since_ns),
    }


def traffic_row(trace: Trace, steady: SteadyState) -> Record:
    """What was sent in the whole trial, and in its steady state."""
    whole = Traffic.between(trace, Sent.nothing(trace), Sent.in_all(trace))
    return {
        "bytes_total": sum(whole.bytes),
        "steady_s": seconds(steady.lasted_ns),
        **_sent(trace, whole),
        **_sent(trace, steady.traffic(trace), "steady_"),
    }


def _sent(trace: Trace, traffic: Traffic, when: str = "") -> Record:
    """Messages and bytes, a column for each type of message."""
    columns = (("sent", traffic.messages), ("bytes", traffic.bytes))
    return {
        f"{when}{what}_{name}": count
        for what, counts in columns
        for name, count in zip(trace.message_types, counts, strict=True)
    }
