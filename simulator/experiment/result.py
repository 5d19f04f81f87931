"""The result of a run: its tables, its statistics, and the command that repeats it."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version

import pandas as pd

from simulator.analysis import summary as summaries
from simulator.analysis.estimates import Summary
from simulator.analysis.measured import Measured, compared_with_measured
from simulator.analysis.precision import Precision
from simulator.analysis.published import published_part
from simulator.analysis.records.registry import READS
from simulator.analysis.tables import Tables
from simulator.checks.violation import Violation
from simulator.experiment.files import UNFINISHED
from simulator.scenario import Scenario

__all__ = ["FINISHED", "SCHEMA", "UNFINISHED", "Result", "digest_of", "made_with"]

SCHEMA = 1  # The version of the summary and the tables: docs/results.md says what a new one changes.
FINISHED = "finished"  # The `state` of a result of which no trial is left.
_RECORDED_VERSIONS = ("electsim", "simpy", "numpy", "scipy", "pandas")
_DIGESTS_AT_ONCE = 10_000


class WithTables:
    """A run whose `tables` are at hand one by one. If they are on disk, each is read when it is first asked for.

    Each raises StoreError if its file is damaged.
    """

    tables: Tables

    @property
    def trials(self) -> pd.DataFrame:
        """A row for each trial."""
        return self.tables.trials

    @property
    def elections(self) -> pd.DataFrame:
        """A row for each election."""
        return self.tables.elections

    @property
    def rounds(self) -> pd.DataFrame:
        """A row for each round of an election."""
        return self.tables.rounds

    @property
    def overlaps(self) -> pd.DataFrame:
        """A row for each incident in which two nodes or more led at once."""
        return self.tables.overlaps


@dataclass(frozen=True, kw_only=True, repr=False)
class Result(WithTables):
    """What a run found.

    `trials` has a row per trial, `elections` one per election, `rounds` one per round of an election, and
    `overlaps` one per incident in which two nodes or more led at once; docs/results.md names their columns.
    Where the run was cut short, they hold the trials that were finished, from the first on.
    """

    scenario: Scenario
    seed: int
    requested: int
    tables: Tables  # What statistics are computed from.
    violations: Sequence[tuple[int, Violation]]  # Each violated guarantee, after the number of its trial.
    waived: Sequence[tuple[int, Violation]]  # Violations of guarantees that the scenario waives.
    command: str  # What repeats this run.
    failed: Sequence[tuple[int, str]] = ()  # The trials that failed, each with its error; they are in no table.
    stopped_by: str | None = None  # The reason why the run ended, if it ended before the requested number of trials.
    precision: Precision | None = None  # How precisely the primary metric is known, if a precision was requested.
    measured: Measured | None = None  # What to lay over the simulated durations.
    state: str = field(default=FINISHED)  # UNFINISHED: trials are left, which `electsim run --resume` runs.

    def __repr__(self) -> str:
        return f"<Result of {self.scenario.name}: {self.trials_run:,} trials>"

    @cached_property
    def trials_run(self) -> int:
        """How many trials were finished."""
        return len(self.tables.only({"trials": ("trial",)}).trials)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the digests of the trials, in order."""
        return digest_of(self.tables.only({"trials": ("digest",)}).trials["digest"])

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many trials were finished (`run`), requested, failed, ended in an election, and never had a leader."""
        elections = self.tables.only({"elections": summaries.OF_ELECTIONS}).elections
        return {
            "run": self.trials_run,
            "requested": self.requested,
            "failed": len(self.failed),
            "censored": summaries.censored_trials(elections),
            "never_led": summaries.never_led(elections),
        }

    @property
    def violated(self) -> dict[str, int]:
        """How often each guarantee was violated."""
        return _counts(self.violations)

    @cached_property
    def summary(self) -> Summary:
        """Statistics and provenance, as `--json` prints them."""
        elections = self.tables.only({"elections": summaries.OF_ELECTIONS}).elections
        trials = self.tables.only({"trials": summaries.OF_TRIALS}).trials
        return {
            "schema": SCHEMA,
            "state": self.state,
            "scenario": self.scenario.name,
            "algorithm": self.scenario.algorithm.registration.name,
            "version": version("electsim"),
            "seed": self.seed,
            "command": self.command,
            "digest": self.digest,
            "stopped_by": self.stopped_by,
            "trials": self.counts,
            "elections": summaries.counts(elections),
            "faults": summaries.faults(trials),
            "metrics": summaries.metrics(self.tables),
            "violations": self.violated,
            "waived": _counts(self.waived),
            "assumptions_broken": summaries.assumptions_broken(trials),
            "fast_forward": self.scenario.fast_forward_summary,
            "versions": made_with(),
            "platform": platform.platform(),
        } | self._beside(trials)

    @property
    def brief(self) -> Summary:
        """The provenance alone, for one cell of many: statistics are made when the cell is read."""
        precision = {} if self.precision is None else {"precision": self.precision.summary()}
        return {
            "schema": SCHEMA,
            "state": self.state,
            "scenario": self.scenario.name,
            "version": version("electsim"),
            "seed": self.seed,
            "command": self.command,
            "digest": self.digest,
            "stopped_by": self.stopped_by,
            "trials": {"run": self.trials_run, "requested": self.requested, "failed": len(self.failed)},
            "versions": made_with(),
        } | precision

    def _beside(self, trials: pd.DataFrame) -> Summary:
        """The parts of the summary that only some runs have."""
        published = self.scenario.published
        reads = {} if published is None else READS[published.metric]
        beside = published_part(self.tables.only(reads).elections, published, self.seed)
        if demand := self.scenario.liveness:
            beside["liveness"] = summaries.liveness(trials, demand.within, demand.who)
        if self.precision is not None:
            beside["precision"] = self.precision.summary()
        if self.measured is not None:
            beside["measured"] = compared_with_measured(self.elections, self.measured)
        return beside


def digest_of(digests: pd.Series) -> str:
    """SHA-256 over the digests of trials, a line each, in hexadecimal digits."""
    total = sha256()
    for start in range(0, len(digests), _DIGESTS_AT_ONCE):
        total.update(("\n" if start else "").encode())
        total.update("\n".join(digests.iloc[start : start + _DIGESTS_AT_ONCE]).encode())
    return total.hexdigest()


def made_with() -> dict[str, str]:
    """The versions that a digest may depend on, of Python and by the name of the package."""
    return {"python": platform.python_version()} | {name: version(name) for name in _RECORDED_VERSIONS}


def _counts(broken: Iterable[tuple[int, Violation]]) -> dict[str, int]:
    return dict(Counter(str(violation.guarantee) for _, violation in broken))
