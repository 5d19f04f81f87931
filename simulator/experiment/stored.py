"""Reads the results of an earlier run from their directory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from simulator.analysis.measured import Measured, read_measured
from simulator.analysis.precision import Precision
from simulator.cluster.cluster import run_trial
from simulator.experiment.drafts import HEAD, is_dead, is_draft
from simulator.experiment.journal import JOURNAL, read_journal
from simulator.experiment.reading import check_fields, read_object, read_table, reading
from simulator.experiment.rows import OVERLAP_TYPES, ROUND_TYPES
from simulator.experiment.runner import SCHEMA, Result, gather, table
from simulator.experiment.store import SCENARIO_HASH, StoreError, hash_of_scenario
from simulator.experiment.trial import TrialError
from simulator.scenario import Scenario, load
from simulator.trace.trace import Trace

KILLED, STILL_RUNNING = "killed", "still running"  # `stopped_by` of a draft.
_FIELDS = {  # The fields of summary.json without which a run cannot be read.
    **dict.fromkeys(("scenario", "command", "digest", "version"), str),
    **dict.fromkeys(("trials", "elections", "metrics", "violations", "versions"), dict),
    "seed": int,
}
_FILES = ("scenario.yaml", "summary.json", "trials.parquet", "elections.parquet")


class DigestError(RuntimeError):
    """A trial has another digest than in the stored run: other versions of electsim, NumPy or Python, or a bug."""


@dataclass(frozen=True, kw_only=True)
class SavedRun:
    """One run: its scenario with every default, its summary (docs/results.md), and its tables.

    `trials` has a row per trial, `elections` one per election, `rounds` one per round of an election, and
    `overlaps` one per incident with two leaders or more.
    """

    path: Path
    scenario: Scenario
    summary: dict[str, Any]
    trials: pd.DataFrame
    elections: pd.DataFrame
    rounds: pd.DataFrame
    overlaps: pd.DataFrame
    measured: Measured | None = None  # The published or measured sample that was drawn over the simulated durations.

    @property
    def seed(self) -> int:
        """The seed of the run."""
        return int(self.summary["seed"])

    def result(self) -> Result:
        """The result that `simulator.run` returned, but without its list of violations: only their counts are kept."""
        return Result(
            scenario=self.scenario,
            seed=self.seed,
            requested=int(self.summary["trials"]["requested"]),
            trials=self.trials,
            elections=self.elections,
            rounds=self.rounds,
            overlaps=self.overlaps,
            violations=(),
            waived=(),
            command=self.summary["command"],
            stopped_by=self.summary.get("stopped_by"),
            precision=_precision(self.summary.get("precision")),
            measured=self.measured,
        )

    def trace(self, trial: int) -> Trace:
        """That trial again, with every message.

        Raises KeyError where the run had no such trial, DigestError, and TrialError where it fails now.
        """
        kept = self.trials.loc[self.trials["trial"] == trial, "digest"]
        if kept.empty:
            raise KeyError(f"trial {trial} is none of this run; it has {_numbers(self.trials['trial'])}")
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

    Raises StoreError for what is none, and where a file in it is damaged.
    """
    directory = Path(path)
    if not directory.is_dir():
        raise StoreError(f"{directory}: {_not_a_run(directory)}")
    if (directory / HEAD).is_file():
        return _load_draft(directory)
    if (directory / "comparison.json").is_file():
        raise StoreError(f"{directory}: a comparison of several runs; name one of the directories in it")
    if parts := _unfinished_parts(directory):
        raise StoreError(f"{directory}: a comparison that did not end; name one of its parts: {', '.join(parts)}")
    if missing := [name for name in _FILES if not (directory / name).is_file()]:
        raise StoreError(f"{directory}: no results of a run: {', '.join(missing)} is not there")
    file = directory / "summary.json"
    summary = read_object(file, _FIELDS)
    with reading(file):
        schema = summary.get("schema", SCHEMA)
        if type(schema) is not int or schema > SCHEMA:
            remedy = "read it with the electsim that made it, or a later one"
            raise StoreError(f"{directory}: its schema is {schema}, and this electsim knows {SCHEMA}; {remedy}")
        check_fields(summary["trials"], {"run": int, "requested": int}, "trials.")
        _precision(summary.get("precision"))
    with reading(directory / "scenario.yaml"):
        scenario = load(directory / "scenario.yaml")
    with reading(directory / "measured.csv"):
        measured = _measured(directory, summary.get("measured"))
    return SavedRun(
        path=directory,
        scenario=scenario,
        summary=summary,
        trials=read_table(directory / "trials.parquet", {"trial": "i", "digest": "s"}),
        elections=read_table(directory / "elections.parquet", {"trial": "i", "cause": "s", "outcome": "s"}),
        rounds=_added(directory / "rounds.parquet", ROUND_TYPES),
        overlaps=_added(directory / "overlaps.parquet", OVERLAP_TYPES),
        measured=measured,
    )


def _unfinished_parts(directory: Path) -> list[str]:
    """The variants in the draft of a comparison."""
    if not is_draft(directory) or (directory / "summary.json").exists():
        return []
    return sorted({str(file.parent) for name in (HEAD, "summary.json") for file in directory.glob(f"*/{name}")})


def _load_draft(directory: Path) -> SavedRun:
    """The trials that a run had finished when it was killed, or has finished until now."""
    head = read_object(directory / HEAD, {"seed": int, "requested": int, "command": str})
    with reading(directory / "scenario.yaml"):
        scenario = load(directory / "scenario.yaml")
    with reading(directory / JOURNAL):
        finished = read_journal(directory / JOURNAL)
        if not finished:
            raise StoreError(f"{directory}: a run that did not end; no trial of it was finished")
        top = next((parent for parent in (directory, directory.parent) if is_draft(parent)), directory)
        stopped_by = head.get("stopped_by") or (KILLED if is_dead(top) else STILL_RUNNING)
        if not isinstance(stopped_by, str):
            raise StoreError(f"{directory / HEAD}: is damaged: stopped_by is no text")
        result = gather(scenario, head["seed"], head["requested"], finished, head["command"], stopped_by)
        return SavedRun(
            path=directory,
            scenario=scenario,
            summary=dict(result.summary),
            trials=result.trials,
            elections=result.elections,
            rounds=result.rounds,
            overlaps=result.overlaps,
        )


def _added(path: Path, types: Mapping[str, str]) -> pd.DataFrame:
    """A table that earlier versions did not write; empty if the file does not exist."""
    return read_table(path) if path.is_file() else table([], types)


def _measured(directory: Path, kept: dict[str, Any] | None) -> Measured | None:
    if kept is None:
        return None
    return replace(read_measured(directory / "measured.csv"), file=kept["file"], column=kept["column"])


def _precision(kept: dict[str, Any] | None) -> Precision | None:
    if kept is None:
        return None
    return Precision(**{**kept, "reached": math.inf if kept["reached"] is None else kept["reached"]})


def _numbers(trials: pd.Series) -> str:
    first, last = trials.min(), trials.max()
    return f"trial {first}" if first == last else f"{first} to {last}"


def _edited(directory: Path) -> str | None:
    """A sentence if the scenario's file is not the one that the run wrote; None if it is, or if that is not known."""
    import pyarrow.parquet as pq

    try:
        kept = (pq.read_schema(directory / "trials.parquet").metadata or {}).get(SCENARIO_HASH.encode())
        if kept is None or kept.decode() == hash_of_scenario(directory / "scenario.yaml"):
            return None
    except OSError:  # The draft of a killed run has no such table.
        return None
    return f"{directory / 'scenario.yaml'} was edited after the run; restore it, or run it as a new scenario"


def _made_by(summary: dict[str, Any]) -> str:
    """A sentence on the versions that made a digest, and whether electsim's is another one than now."""
    current = version("electsim")
    if summary["version"] == current:
        return f"it was made by {_versions(summary)}"
    return (
        f"it is of another version, {_versions(summary)}; this is electsim {current} (CHANGELOG.md says what changed)"
    )


def _versions(summary: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in summary["versions"].items())
    return f"electsim {summary['version']} ({versions})"
