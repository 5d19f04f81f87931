"""Reads the results of an earlier run from their directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from simulator.analysis.measured import Measured
from simulator.analysis.precision import Precision
from simulator.analysis.tables import Tables
from simulator.checks.violation import Violation
from simulator.cluster.cluster import run_trial
from simulator.experiment.columns import violations_in
from simulator.experiment.drafts import HEAD, is_dead, is_draft
from simulator.experiment.files import StoreError
from simulator.experiment.finished import CHUNKS
from simulator.experiment.journal import JOURNAL
from simulator.experiment.reading import check_fields, read_object, reading
from simulator.experiment.result import FINISHED, SCHEMA, UNFINISHED, Result, WithTables
from simulator.experiment.store import SCENARIO_HASH, hash_of_scenario
from simulator.experiment.tables import TablesOnDisk, gathered
from simulator.experiment.trial import TrialError
from simulator.experiment.unfinished import finished_in, measured_in, plan_in
from simulator.scenario import Scenario, load
from simulator.trace.trace import Trace

KILLED, STILL_RUNNING = "killed", "still running"  # `stopped_by` of a draft.
_FIELDS = {  # The fields of summary.json without which a run cannot be read.
    **dict.fromkeys(("scenario", "command", "digest", "version"), str),
    **dict.fromkeys(("trials", "versions"), dict),
    "seed": int,
}
_FILES = ("scenario.yaml", "summary.json", "trials.parquet", "elections.parquet")


class DigestError(RuntimeError):
    """A trial has another digest than in the stored run: other versions of electsim, NumPy or Python, or a bug."""


class NoTrialError(StoreError):
    """A run that has not ended has no finished trial."""


@dataclass(frozen=True, kw_only=True)
class SavedRun(WithTables):
    """One run: its scenario with every default, its summary (docs/results.md), and its tables.

    `trials` has a row per trial, `elections` one per election, `rounds` one per round of an election, and
    `overlaps` one per incident with two leaders or more. Each is read when it is first asked for.
    """

    path: Path
    scenario: Scenario
    summary: dict[str, Any]
    tables: Tables
    violations: Sequence[tuple[int, Violation]] = ()  # Results of version 0.3.0 and before have their counts only.
    waived: Sequence[tuple[int, Violation]] = ()
    failed: Sequence[tuple[int, str]] = ()  # The trials that failed, each with its error.
    measured: Measured | None = None  # The published or measured sample that was drawn over the simulated durations.

    @property
    def seed(self) -> int:
        """The seed of the run."""
        return int(self.summary["seed"])

    def result(self) -> Result:
        """The result that `simulator.run` returned. A result of version 0.3.0 or before has no list of violations."""
        return Result(
            scenario=self.scenario,
            seed=self.seed,
            requested=int(self.summary["trials"]["requested"]),
            tables=self.tables,
            violations=self.violations,
            waived=self.waived,
            failed=self.failed,
            command=self.summary["command"],
            stopped_by=self.summary.get("stopped_by"),
            precision=_precision(self.summary.get("precision")),
            measured=self.measured,
            state=self.summary.get("state", FINISHED),
        )

    def trace(self, trial: int) -> Trace:
        """That trial again, with every message.

        Raises KeyError if the run had no such trial, DigestError if its digest differs, and TrialError if the trial
        fails now.
        """
        trials = self.tables.only({"trials": ("trial", "digest")}).trials
        kept = trials.loc[trials["trial"] == trial, "digest"]
        if kept.empty:
            raise KeyError(f"trial {trial} is none of this run; it has {_numbers(trials['trial'])}")
        try:
            trace = run_trial(self.scenario.cluster_spec(), self.seed, trial, journal=True)
        except Exception as error:
            raise TrialError(trial, f"{type(error).__name__}: {error}") from error
        if trace.digest != kept.iloc[0]:
            raise DigestError(
                f"trial {trial} is not what it was: its digest is {trace.digest[:12]}…, and was {kept.iloc[0][:12]}…; "
                f"{_edited(self.path) or _made_by(self.summary)}"
            )
        return trace


def _not_a_run(path: Path) -> str:
    what = "a file" if path.is_file() else "no such directory"
    beside = sorted(found.parent.name for found in path.parent.glob("*/summary.json"))
    return f"{what}; name the directory of a run" + (f", such as {path.parent / beside[-1]}" if beside else "")


def load_stored(path: str | Path) -> SavedRun:
    """The run in a results directory, or in the draft of one that has not ended, as far as it has come.

    Raises StoreError if the directory holds no result, or if a file in it is damaged.
    """
    directory = Path(path)
    if not directory.is_dir():
        raise StoreError(f"{directory}: {_not_a_run(directory)}")
    if (directory / HEAD).is_file() and (directory / "scenario.yaml").is_file():
        return _load_unfinished(directory)
    if (directory / "tune.json").is_file():
        raise StoreError(f"{directory}: of a tuner, with several sweeps; name a directory of one of their cells")
    if (directory / "study.json").is_file():
        raise StoreError(f"{directory}: a study of several cells; name one of the directories in it")
    if (directory / "comparison.json").is_file():
        raise StoreError(f"{directory}: a comparison of several runs; name one of the directories in it")
    if parts := _unfinished_parts(directory):
        raise StoreError(f"{directory}: a comparison that did not end; name one of its parts: {', '.join(parts)}")
    saved = _load_finished(directory)
    if "metrics" in saved.summary:
        return saved
    # The result of one cell of a sweep is stored without its statistics.
    return replace(saved, summary=dict(saved.result().summary))


def cell_result(directory: Path) -> Result:
    """The result of one cell of a sweep, finished or not; statistics are made when they are asked for.

    Raises StoreError as `load_stored` does.
    """
    unfinished = (directory / HEAD).is_file()
    return (_load_unfinished(directory) if unfinished else _load_finished(directory)).result()


def _load_finished(directory: Path) -> SavedRun:
    if missing := [name for name in _FILES if not (directory / name).is_file()]:
        raise StoreError(f"{directory}: no results of a run: {', '.join(missing)} is not there")
    with reading(directory / "scenario.yaml"):
        scenario = load(directory / "scenario.yaml")
    summary = _summary(directory)
    with reading(directory / "measured.csv"):
        measured = measured_in(directory, summary.get("measured"))
    tables = TablesOnDisk(directory)
    tables.check()
    return SavedRun(
        path=directory,
        scenario=scenario,
        summary=summary,
        tables=tables,
        violations=tables.violations(waived=False),
        waived=tables.violations(waived=True),
        failed=tables.failures(),
        measured=measured,
    )


def _summary(directory: Path) -> dict[str, Any]:
    file = directory / "summary.json"
    summary = read_object(file, _FIELDS)
    with reading(file):
        schema = summary.get("schema", SCHEMA)
        if type(schema) is not int or schema > SCHEMA:
            remedy = "read it with the electsim that made it, or a later one"
            raise StoreError(f"{directory}: its schema is {schema}, and this electsim knows {SCHEMA}; {remedy}")
        check_fields(summary["trials"], {"run": int, "requested": int}, "trials.")
        _precision(summary.get("precision"))
        if summary.get("state", FINISHED) not in (FINISHED, UNFINISHED):
            raise ValueError(f"state is neither {FINISHED} nor {UNFINISHED}")
        if "metrics" in summary:
            check_fields(summary, dict.fromkeys(("elections", "metrics", "violations"), dict))
    return summary


def _unfinished_parts(directory: Path) -> list[str]:
    """The variants in the directory of a comparison that did not end."""
    if not ((directory / HEAD).is_file() or is_draft(directory)) or (directory / "summary.json").exists():
        return []
    return sorted({str(file.parent) for name in (HEAD, "summary.json") for file in directory.glob(f"*/{name}")})


def why_unfinished(directory: Path) -> str:
    """Why trials are left there, if the run could not say so itself: KILLED or STILL_RUNNING."""
    top = next((parent for parent in (directory, directory.parent) if is_draft(parent)), None)
    return STILL_RUNNING if top is not None and not is_dead(top) else KILLED


def _load_unfinished(directory: Path) -> SavedRun:
    """The trials that a run had finished when it was ended, or has finished until now."""
    plan, head = plan_in(directory), read_object(directory / HEAD, {})
    with reading(directory / (JOURNAL if (directory / JOURNAL).is_file() else CHUNKS)):
        trials = finished_in(directory, plan.first)
        cell = replace(plan, precision=None).cell(trials)
        end = cell.end_of_finished
        if cell.finished == len(cell.failed):
            raise NoTrialError(f"{directory}: a run that did not end; no trial of it was finished")
        stopped_by = head.get("stopped_by") or why_unfinished(directory)
        if not isinstance(stopped_by, str):
            raise StoreError(f"{directory / HEAD}: is damaged: stopped_by is no text")
        tables, broken = gathered(trials, plan.first, end)
        violations = violations_in(broken, waived=False), violations_in(broken, waived=True)
        result = replace(plan.result(cell, tables, violations, stopped_by, end), state=UNFINISHED)
        return SavedRun(
            path=directory,
            scenario=plan.scenario,
            summary=dict(result.summary),
            tables=tables,
            violations=violations[0],
            waived=violations[1],
            failed=result.failed,
            measured=plan.measured,
        )


def _precision(kept: dict[str, Any] | None) -> Precision | None:
    return None if kept is None else Precision.of_summary(kept)


def _numbers(trials: pd.Series) -> str:
    first, last = trials.min(), trials.max()
    return f"trial {first}" if first == last else f"{first} to {last}"


def _edited(directory: Path) -> str | None:
    """A sentence if the scenario's file has changed since the run wrote it. None if it has not changed, or if that is
    not known.
    """
    import pyarrow.parquet as pq

    try:
        kept = (pq.read_schema(directory / "trials.parquet").metadata or {}).get(SCENARIO_HASH.encode())
        if kept is None or kept.decode() == hash_of_scenario(directory / "scenario.yaml"):
            return None
    except OSError:  # The draft of a killed run has no such table.
        return None
    return f"{directory / 'scenario.yaml'} was edited after the run; restore it, or run it as a new scenario"


def _made_by(summary: dict[str, Any]) -> str:
    """A sentence on the versions that made a digest, and whether the version of electsim has changed since."""
    current = version("electsim")
    if summary["version"] == current:
        return f"it was made by {_versions(summary)}"
    return (
        f"it is of another version, {_versions(summary)}; this is electsim {current} (CHANGELOG.md says what changed)"
    )


def _versions(summary: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in summary["versions"].items())
    return f"electsim {summary['version']} ({versions})"
