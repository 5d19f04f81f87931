"""Runs a scenario's trials and gathers them into a result."""

from __future__ import annotations

import os
import platform
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from typing import Any

import pandas as pd

from simulator.analysis import summary as summaries
from simulator.analysis.estimates import Summary
from simulator.analysis.measured import Measured, compared_with_measured
from simulator.analysis.precision import Precision, PrecisionMonitor
from simulator.analysis.published import published_summary
from simulator.analysis.tables import RunTables
from simulator.checks.violation import Violation
from simulator.experiment.executors import MOST_WORKERS, results
from simulator.experiment.rows import OVERLAP_TYPES, ROUND_TYPES
from simulator.experiment.signals import Terminated, interruptible, name_of_signal, uninterrupted
from simulator.experiment.trial import TrialError, TrialResult
from simulator.scenario import Scenario, check, load
from simulator.scenario.text.files import PathLike

SCHEMA = 1  # The version of the summary and the tables: docs/results.md says what a new one changes.
GATHERED_AT_ONCE = 2_000  # Trials of which tables and statistics are made within a second or two.
_RECORDED_VERSIONS = ("electsim", "simpy", "numpy", "scipy", "pandas")


@dataclass(frozen=True, kw_only=True, repr=False)
class Result:
    """What a run found.

    `trials` has a row per trial, `elections` one per election, `rounds` one per round of an election, and
    `overlaps` one per incident in which two nodes or more led at once; docs/results.md names their columns.
    Where the run was cut short, they hold the trials that were finished, from the first on.
    """

    scenario: Scenario
    seed: int
    requested: int
    trials: pd.DataFrame
    elections: pd.DataFrame
    rounds: pd.DataFrame
    overlaps: pd.DataFrame
    violations: Sequence[tuple[int, Violation]]  # Each violated guarantee, after the number of its trial.
    waived: Sequence[tuple[int, Violation]]  # Those that the scenario gives up on purpose.
    command: str  # What repeats this run.
    stopped_by: str | None = None  # Why it ended, where that was not for the number of trials asked for.
    precision: Precision | None = None  # How well the primary metric is known, where that was asked for.
    measured: Measured | None = None  # What to lay over the simulated durations.

    def __repr__(self) -> str:
        return f"<Result of {self.scenario.name}: {len(self.trials):,} trials, {len(self.elections):,} elections>"

    @property
    def tables(self) -> RunTables:
        """What statistics are computed from."""
        return RunTables(trials=self.trials, elections=self.elections, rounds=self.rounds, overlaps=self.overlaps)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the digests of the trials, in order."""
        return sha256("\n".join(self.trials["digest"]).encode()).hexdigest()

    @cached_property
    def summary(self) -> Summary:
        """Statistics and provenance, as `--json` prints them."""
        beside = published_summary(self.elections, self.scenario.published, self.seed)
        if demand := self.scenario.liveness:
            beside["liveness"] = summaries.liveness(self.trials, demand.within, demand.who)
        if self.precision is not None:
            beside["precision"] = self.precision.summary()
        if self.measured is not None:
            beside["measured"] = compared_with_measured(self.elections, self.measured)
        return {
            "schema": SCHEMA,
            "scenario": self.scenario.name,
            "algorithm": self.scenario.algorithm.registration.name,
            "version": version("electsim"),
            "seed": self.seed,
            "command": self.command,
            "digest": self.digest,
            "stopped_by": self.stopped_by,
            "trials": {
                "run": len(self.trials),
                "requested": self.requested,
                "censored": summaries.censored_trials(self.elections),
                "never_led": summaries.never_led(self.elections),
            },
            "elections": summaries.counts(self.elections),
            "faults": summaries.faults(self.trials),
            "metrics": summaries.metrics(self.tables),
            "violations": _counts(self.violations),
            "waived": _counts(self.waived),
            "assumptions_broken": summaries.assumptions_broken(self.trials),
            "versions": made_with(),
            "platform": platform.platform(),
        } | beside


def made_with() -> dict[str, str]:
    """The versions that a digest may depend on, of Python and by the name of the package."""
    return {"python": platform.python_version()} | {name: version(name) for name in _RECORDED_VERSIONS}


def _counts(broken: Sequence[tuple[int, Violation]]) -> dict[str, int]:
    return dict(Counter(str(violation.guarantee) for _, violation in broken))


def run(
    scenario: Scenario | PathLike,
    overrides: Iterable[str] = (),
    *,
    algorithm: str | None = None,
    allow_files: Iterable[PathLike] = (),
    trials: int | None = None,
    seed: int | None = None,
    first_trial: int = 0,
    workers: int = 1,
    precision: float | None = None,
    precision_of: str = "median",
    progress: Callable[[int, int], None] | None = None,
    on_finished: Callable[[TrialResult], None] | None = None,
    command: str | None = None,
) -> Result:
    """Run a scenario's trials, `first_trial` being the first, and gather them.

    `scenario` is a loaded scenario, or a path or the name of a shipped scenario. Only a path or name may come with
    `overrides`, `algorithm` and `allow_files`, which are those of `load`:
    `run("raft-leader-crash", ["network.loss=0.01"])`.

    `trials` and `seed` override the scenario's. The result is the same for any number of `workers` (processes; 0 for
    one per core). `progress` is called with the numbers of trials finished and asked for, `on_finished` with each
    trial, in order. Ctrl-C ends the run early and returns what was finished.

    With `precision` (0.05 for 5 %), the run ends as soon as the 95 % interval of the primary median (`precision_of`:
    or its `p95`, `p99`) lies within that fraction of it, and with `trials` at the latest; `Result.stopped_by` says
    which.

    SIGTERM does the same if it is handled. If more than `GATHERED_AT_ONCE` trials have been given to `on_finished`, it
    raises Terminated, since there is no time for statistics.

    Raises ScenarioError for a bad scenario; TrialError where a trial runs away or the algorithm fails, with the
    finished part, if any, as its `finished`; ValueError for fewer trials than one, for a bad precision, for more than
    1024 workers, and for overrides of a scenario that is loaded already.
    """
    scenario = _loaded(scenario, overrides, algorithm, allow_files)
    count = scenario.trials if trials is None else trials
    used_seed = scenario.seed if seed is None else seed
    _check_numbers(count, used_seed, first_trial, workers)
    published = scenario.applicable_published
    watch = None if precision is None else PrecisionMonitor(precision, precision_of, published, count)
    asked = command or default_command(used_seed, count, first_trial)
    gathering = _Gathering(scenario, used_seed, count, asked, watch)
    source = results(scenario.cluster_spec(), used_seed, first_trial, count, workers or os.cpu_count() or 1)
    try:
        with _closed(source), interruptible():
            gathering.take(source, on_finished, progress)
    except KeyboardInterrupt as error:
        many = len(gathering.finished) > GATHERED_AT_ONCE
        if not gathering.finished or (many and on_finished is not None and isinstance(error, Terminated)):
            raise
        with uninterrupted():
            return gathering.result(name_of_signal(error))
    except TrialError as error:
        error.finished = gathering.result(str(error)) if gathering.finished else None
        raise
    return gathering.result(None if watch is None else watch.stopped_by)


def _check_numbers(count: int, seed: int, first_trial: int, workers: int) -> None:
    """Raises ValueError if one of them is out of bounds."""
    if count < 1 or seed < 0 or first_trial < 0:
        raise ValueError(f"{count} trials from trial {first_trial} of seed {seed}: at least 1, and none negative")
    if not 0 <= workers <= MOST_WORKERS:
        raise ValueError(f"{workers} workers: write 0 for one per core, or a number up to {MOST_WORKERS}")


@dataclass
class _Gathering:
    """The trials that are finished so far, and what is made of them when the run ends."""

    scenario: Scenario
    seed: int
    requested: int
    command: str
    watch: PrecisionMonitor | None  # Ends the run early, if a precision was asked for.
    finished: list[TrialResult] = field(default_factory=list)

    def take(
        self,
        source: Iterable[TrialResult],
        on_finished: Callable[[TrialResult], None] | None,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        """Take trials from the source until it ends, or until the primary metric is known precisely enough."""
        for result in source:
            self.finished.append(result)
            if on_finished is not None:
                on_finished(result)
            if progress is not None:
                progress(len(self.finished), self.requested)
            if self.watch is not None and self.watch.is_precise_enough(len(self.finished), self._elections):
                break

    def _elections(self) -> pd.DataFrame:
        return _elections(self.finished)

    def result(self, stopped_by: str | None) -> Result:
        """The result of the trials that are finished. `stopped_by` says why there are no more."""
        reached = None if self.watch is None else self.watch.reached
        return gather(self.scenario, self.seed, self.requested, self.finished, self.command, stopped_by, reached)


def _loaded(
    scenario: Scenario | PathLike, overrides: Iterable[str], algorithm: str | None, allow_files: Iterable[PathLike]
) -> Scenario:
    """The scenario itself, or the scenario in that file. Raises as `run` does."""
    if not isinstance(scenario, Scenario):
        return load(scenario, overrides, algorithm=algorithm, allow_files=allow_files)
    inputs = {"overrides": list(overrides), "algorithm": algorithm, "allow_files": list(allow_files)}
    if names := [name for name, value in inputs.items() if value]:
        raise ValueError(
            f"scenario {scenario.name} is loaded already; give {' and '.join(names)} to simulator.load, "
            "or give run the path or the name of the scenario"
        )
    check(scenario)  # A program may have built it or changed it since.
    return scenario


@contextmanager
def _closed(source: Generator[TrialResult, None, None]) -> Iterator[None]:
    """End the workers at the end of the block, even if it fails."""
    try:
        yield
    finally:
        with uninterrupted():
            source.close()


def table(rows: Iterable[Mapping[str, Any]], types: Mapping[str, str]) -> pd.DataFrame:
    """A table with these columns, even where it has no row."""
    return pd.DataFrame(list(rows), columns=list(types)).astype(dict(types))


def default_command(seed: int, trials: int, first_trial: int) -> str:
    """The command that repeats a run which was not started by one, from the scenario that is kept with its results."""
    return f"electsim run scenario.yaml --trials {trials} --seed {seed} --first-trial {first_trial}"


def _elections(finished: Sequence[TrialResult]) -> pd.DataFrame:
    elections = pd.DataFrame([row for result in finished for row in result.elections])
    for column in ("lost_leader", "winner", "terms_spent"):
        elections[column] = elections[column].astype("Int64")
    return elections


def gather(
    scenario: Scenario,
    seed: int,
    requested: int,
    finished: Sequence[TrialResult],
    command: str,
    stopped_by: str | None,
    precision: Precision | None = None,
) -> Result:
    """The result of some finished trials. Its command asks for as many; `command` asks for those `requested`."""
    return Result(
        scenario=scenario,
        seed=seed,
        requested=requested,
        trials=pd.DataFrame([result.row for result in finished]),
        elections=_elections(finished),
        rounds=table((row for result in finished for row in result.rounds), ROUND_TYPES),
        overlaps=table((row for result in finished for row in result.overlaps), OVERLAP_TYPES),
        violations=[(result.trial, violation) for result in finished for violation in result.violations],
        waived=[(result.trial, violation) for result in finished for violation in result.waived],
        command=re.sub(r"--trials \d+", f"--trials {len(finished)}", command),  # What has this digest.
        stopped_by=stopped_by,
        precision=precision,
    )
