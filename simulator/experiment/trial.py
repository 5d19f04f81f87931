"""One trial, from a specification to the rows that it adds to the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulator.checks.liveness import Recovery, liveness
from simulator.checks.liveness import recovery as look_for_recovery
from simulator.checks.safety import violations
from simulator.checks.violation import Violation
from simulator.cluster.cluster import run_trial
from simulator.cluster.spec import ClusterSpec
from simulator.experiment.assumptions import broken_assumptions
from simulator.metrics.detection import detection_quality, false_suspicions
from simulator.metrics.elections import Cause, Election, Outcome, history
from simulator.metrics.leadership import (
    Claim,
    Leadership,
    Overlap,
    OverlapKind,
    claims,
    first_stable_claim,
    leadership,
)
from simulator.metrics.traffic import Sent, SteadyState, Traffic
from simulator.protocol import SECOND, Assumption, Nanoseconds
from simulator.trace import kinds
from simulator.trace.trace import Trace

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What a trial leaves: its row of the trials table, its rows of the others, and broken promises.

    Broken promises that the scenario has waived stand apart from the others.
    """

    trial: int
    digest: str
    row: Record
    elections: Sequence[Record]
    overlaps: Sequence[Record]
    violations: Sequence[Violation]
    waived: Sequence[Violation] = ()


class TrialError(RuntimeError):
    """A trial that could not be finished."""

    def __init__(self, trial: int, reason: str) -> None:
        super().__init__(trial, reason)  # All arguments, so that it travels from a worker process.
        self.trial = trial
        self.finished: Any = None  # The result of the trials before it, if any.

    def __str__(self) -> str:
        return f"trial {self.args[0]}: {self.args[1]}"


def simulate(spec: ClusterSpec, seed: int, trial: int) -> TrialResult:
    """Run one trial and measure it. Raises TrialError where it runs away or the algorithm fails."""
    try:
        trace = run_trial(spec, seed, trial)
    except Exception as error:
        raise TrialError(trial, f"{type(error).__name__}: {error}") from error
    return measure(trace, spec, trial)


def measure(trace: Trace, spec: ClusterSpec, trial: int) -> TrialResult:
    """Every metric of one trace."""
    told = history(trace)
    unmet = broken_assumptions(spec, trace)
    found_broken = _broken_promises(spec, trace, unmet)
    broken = [violation for violation in found_broken if violation.guarantee not in spec.waived]
    waived = [violation for violation in found_broken if violation.guarantee in spec.waived]
    missed = {one for group in trace.groups for one in spec.registration.assumed(group, spec.config) & unmet}
    recovered: Record = {}
    if spec.liveness_within is not None:
        recovery = look_for_recovery(trace, spec.liveness_within)
        broken = sorted([*broken, *liveness(recovery, spec.liveness_within)], key=lambda violation: violation.time_ns)
        recovered = _recovery(recovery)
    stability = _Stability(claims(trace), spec.stable_after, trace.end_ns)
    led = leadership(trace)
    return TrialResult(
        trial=trial,
        digest=trace.digest,
        row=_trial_row(trace, stability, trial, told.elections, led)
        | {"violations": len(broken), "waived": len(waived), "assumptions_broken": ", ".join(sorted(missed))}
        | recovered
        | _traffic(trace, told.steady),
        elections=[
            _election_row(trace, stability, trial, number, election)
            for number, election in enumerate(told.elections, start=1)
        ],
        overlaps=[_overlap_row(trial, number, overlap) for number, overlap in enumerate(led.overlaps, start=1)],
        violations=broken,
        waived=waived,
    )


def _broken_promises(spec: ClusterSpec, trace: Trace, unmet: frozenset[Assumption]) -> list[Violation]:
    """In order of time: each group is held to what its own algorithm promises, unless what that assumes did not hold.

    That all agree in peace is asked of the headline group, the one of whose size `settles` is a function.
    """
    found: list[Violation] = []
    for group in trace.groups:
        algorithm = spec.registration.class_of(group)
        if algorithm.guarantees and not spec.registration.assumed(group, spec.config) & unmet:
            settles_ns = spec.settles_ns if group == trace.headline_group else None
            found += violations(trace.of_group(group), algorithm.guarantees, settles_ns)
    return sorted(found, key=lambda violation: violation.time_ns)


def seconds(time_ns: Nanoseconds | None, since_ns: Nanoseconds = 0) -> float:
    """Seconds between two instants; NaN where the later one never came."""
    return float("nan") if time_ns is None else (time_ns - since_ns) / SECOND


@dataclass(frozen=True, slots=True)
class _Stability:
    """When a group came to rest: the start of the first claim that lasts, looked for from some instant on."""

    made: Sequence[Claim]
    lasting_ns: Nanoseconds
    end_ns: Nanoseconds

    def since(self, start_ns: Nanoseconds) -> Nanoseconds | None:
        stable = first_stable_claim(self.made, start_ns, self.lasting_ns)
        return stable.start_ns if stable else None

    def looked_for_until(self, start_ns: Nanoseconds) -> Nanoseconds:
        """Where none is found: a claim that is still held at the end might have been the one."""
        held = (claim.start_ns for claim in self.made if claim.start_ns >= start_ns and claim.end_ns == self.end_ns)
        return min(held, default=self.end_ns)


def _election_row(trace: Trace, stability: _Stability, trial: int, number: int, election: Election) -> Record:
    claimed_ns = election.claimed_ns or 0
    searched = election.cause in (Cause.BOOT, Cause.LOSS)
    stable_ns = stability.since(election.start_ns) if searched else None
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
        "winning_round_s": seconds(election.winning_round_ns),
        "failover_s": seconds(election.failover_ns),
        "transfer_s": seconds(election.transfer_ns),
        "stabilisation_s": seconds(stable_ns, election.start_ns),
        "stabilising_until_s": seconds(stability.looked_for_until(election.start_ns)),
        "announced_majority_s": seconds(election.announced_majority_ns, claimed_ns),
        "announced_all_s": seconds(election.announced_all_ns, claimed_ns),
        "announcing_until_s": seconds(election.announcing_until_ns),
        "lost_leader": election.lost_leader,
        "winner": election.winner,
        "rounds": sum(not a_round.undecided for a_round in election.rounds),
        "failed_rounds": sum(a_round.failed for a_round in election.rounds),
        "split_votes": sum(a_round.split for a_round in election.rounds),
        "terms_spent": election.terms_spent,
    } | _sent(trace, Traffic.between(trace, election.sent_before, election.sent_after or election.sent_before))


def _overlap_row(trial: int, number: int, overlap: Overlap) -> Record:
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


def _trial_row(trace: Trace, stability: _Stability, trial: int, found: Sequence[Election], led: Leadership) -> Record:
    losses = [election for election in found if election.cause is Cause.LOSS]
    headline = losses or found[:1]
    overlaps = {f"overlaps_{kind}": sum(overlap.kind is kind for overlap in led.overlaps) for kind in OverlapKind}
    return {
        "trial": trial,
        "digest": trace.digest,
        "end_s": seconds(trace.end_ns),
        "elections": len(found),
        "losses": len(losses),
        "censored": any(election.outcome is Outcome.CENSORED for election in headline),
        "failover_s": seconds(losses[0].failover_ns if losses else None),
        "stabilisation_s": seconds(stability.since(headline[0].start_ns), headline[0].start_ns),
        "leaderless_s": seconds(led.leaderless_ns),
        "quorum_leaderless_s": seconds(led.quorum_leaderless_ns),
        "observed_s": seconds(led.observed_ns),
        "disagreement_s": seconds(led.disagreement_ns),
        **overlaps,
        "overlaps_effective": sum(overlap.effective for overlap in led.overlaps),
        "overlap_s": seconds(sum(overlap.end_ns - overlap.start_ns for overlap in led.overlaps)),
        "overlap_longest_s": seconds(max((overlap.end_ns - overlap.start_ns for overlap in led.overlaps), default=0)),
        "false_suspicions": false_suspicions(trace),
        **_detection(trace),
        "sent_total": sum(trace.sent),
        "faults_never_struck": sum(row.kind in (kinds.SKIPPED, kinds.UNSTRUCK) for row in trace.rows),
    }


def _detection(trace: Trace) -> Record:
    """What the failure detectors of all nodes were worth, taken together; zeros where there are none."""
    quality = detection_quality(trace)
    return {
        "watched_s": seconds(quality.watched_ns),
        "mistakes": quality.mistakes,
        "mistaken_s": seconds(quality.mistaken_ns),
        "crashes_detected": len(quality.detections),
        "crashes_undetected": quality.undetected,
        "detecting_s": seconds(sum(quality.detections)),
        "detecting_longest_s": seconds(max(quality.detections, default=0)),
    }


def _recovery(recovery: Recovery) -> Record:
    """What the trials table holds where the scenario demands liveness."""
    return {
        "liveness": str(recovery.verdict),
        "last_fault_s": seconds(recovery.since_ns),
        "recovery_s": seconds(recovery.recovered_ns, recovery.since_ns),
    }


def _traffic(trace: Trace, steady: SteadyState) -> Record:
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
