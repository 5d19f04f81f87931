"""One trial, from a specification to the rows that it adds to the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulator.analysis.records.record import TrialReading
from simulator.checks.liveness import liveness
from simulator.checks.liveness import recovery as look_for_recovery
from simulator.checks.safety import violations
from simulator.checks.violation import Violation
from simulator.cluster.cluster import run_trial
from simulator.cluster.spec import ClusterSpec
from simulator.experiment.assumptions import broken_assumptions
from simulator.experiment.rows import (
    Record,
    Stability,
    election_row,
    overlap_row,
    recovery_row,
    round_rows,
    traffic_row,
    trial_row,
)
from simulator.metrics.elections import history
from simulator.metrics.leadership import claims, leadership
from simulator.protocol import Assumption
from simulator.trace.trace import Trace


@dataclass(frozen=True, slots=True)
class TrialResult:
    """The outcome of a trial: its row of the trials table, its rows of the other tables, and its violations.

    `waived` holds the violations of guarantees that the scenario waives.
    """

    trial: int
    digest: str
    row: Record
    elections: Sequence[Record]
    rounds: Sequence[Record]
    overlaps: Sequence[Record]
    violations: Sequence[Violation]
    waived: Sequence[Violation] = ()


class TrialError(RuntimeError):
    """A trial that could not be finished."""

    def __init__(self, trial: int, reason: str) -> None:
        # The exception keeps all its arguments, so that it can be pickled by a worker process.
        super().__init__(trial, reason)
        self.trial = trial
        self.finished: Any = None  # The result of the trials before the failed one, if there are any.

    def __str__(self) -> str:
        return f"trial {self.args[0]}: {self.args[1]}"


def simulate(spec: ClusterSpec, seed: int, trial: int) -> TrialResult:
    """Run one trial and measure it. Raises TrialError if it runs away or the algorithm fails."""
    try:
        trace = run_trial(spec, seed, trial)
    except Exception as error:
        raise TrialError(trial, f"{type(error).__name__}: {error}") from error
    return measure(trace, spec, trial)


def measure(trace: Trace, spec: ClusterSpec, trial: int) -> TrialResult:
    """Every metric of one trace."""
    trial_history = history(trace)
    unmet = broken_assumptions(spec, trace)
    found = _violations(spec, trace, unmet)
    broken = [violation for violation in found if violation.guarantee not in spec.waived]
    waived = [violation for violation in found if violation.guarantee in spec.waived]
    missed = {
        assumption
        for group in trace.groups
        for assumption in spec.registration.assumptions_of(group, spec.config) & unmet
    }
    recovered: Record = {}
    if spec.liveness_within is not None:
        recovery = look_for_recovery(trace, spec.liveness_within, all_nodes=spec.liveness_of_all)
        broken = sorted([*broken, *liveness(recovery, spec.liveness_within)], key=lambda violation: violation.time_ns)
        recovered = recovery_row(recovery)
    stability = Stability(claims(trace), spec.stable_after, trace.end_ns)
    reading = TrialReading(trace=trace, claims=stability.claims, leadership=leadership(trace))
    numbered = list(enumerate(trial_history.elections, start=1))
    overlaps = enumerate(reading.leadership.overlaps, start=1)
    terms_count_rounds = spec.registration.terms_count_rounds
    return TrialResult(
        trial=trial,
        digest=trace.digest,
        row=trial_row(reading, stability, trial, trial_history.elections)
        | {"violations": len(broken), "waived": len(waived), "assumptions_broken": ", ".join(sorted(missed))}
        | recovered
        | traffic_row(trace, trial_history.steady),
        elections=[
            election_row(trace, stability, trial, number, election)
            | {"terms_spent": election.terms_spent if terms_count_rounds else None}
            for number, election in numbered
        ],
        rounds=[row for number, election in numbered for row in round_rows(trial, number, election)],
        overlaps=[overlap_row(trial, number, overlap) for number, overlap in overlaps],
        violations=broken,
        waived=waived,
    )


def _violations(spec: ClusterSpec, trace: Trace, unmet: frozenset[Assumption]) -> list[Violation]:
    """All violations in order of time. Each group is checked against the guarantees of its own algorithm.

    A group is not checked if an assumption of its algorithm did not hold. Guarantees about stable periods are checked
    for the primary group only: `stabilization_bound` is a function of its size.
    """
    found: list[Violation] = []
    for group in trace.groups:
        algorithm = spec.registration.class_of(group)
        if algorithm.guarantees and not spec.registration.assumptions_of(group, spec.config) & unmet:
            stabilization_ns = spec.stabilization_ns if group == trace.primary_group else None
            found += violations(trace.of_group(group), algorithm.guarantees, stabilization_ns)
    return sorted(found, key=lambda violation: violation.time_ns)
