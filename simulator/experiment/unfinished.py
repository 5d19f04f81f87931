"""Reads what an unfinished run was to do, and which of its trials are finished."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from simulator.analysis.measured import Measured, read_measured
from simulator.analysis.precision import PrecisionMonitor
from simulator.experiment.chunks import Chunk
from simulator.experiment.columns import pack
from simulator.experiment.drafts import HEAD
from simulator.experiment.files import StoreError
from simulator.experiment.finished import FinishedTrials, InDirectory, InMemory
from simulator.experiment.journal import JOURNAL, read_journal
from simulator.experiment.plan import Plan
from simulator.experiment.reading import check_fields, read_object, reading
from simulator.experiment.result import made_with
from simulator.scenario import load


def plan_in(directory: Path) -> Plan:
    """What an unfinished run was to do. Raises StoreError if its files are damaged."""
    head = read_object(directory / HEAD, {"seed": int, "requested": int, "command": str})
    with reading(directory / "scenario.yaml"):
        scenario = load(directory / "scenario.yaml")
    with reading(directory / "measured.csv"):
        measured = measured_in(directory, head.get("measured"))
    with reading(directory / HEAD):
        first = head.get("first_trial", 0)
        precision, of = head.get("precision"), head.get("precision_of", "median")
        check_fields({"first_trial": first, "precision_of": of}, {"first_trial": int, "precision_of": str})
        if precision is not None and type(precision) is not float:
            raise ValueError("precision is no number")
        plan = Plan(
            scenario=scenario,
            seed=head["seed"],
            first=first,
            requested=head["requested"],
            command=head["command"],
            precision=precision,
            precision_of=of,
            measured=measured,
        )
        if precision is not None:
            PrecisionMonitor(
                precision, of, scenario.applicable_published, plan.requested
            )  # Raises ValueError if it is none.
        return plan


def resumable(directory: Path) -> tuple[Plan, bool]:
    """What is left to do there, and whether the first trial's messages are wanted.

    Raises StoreError if there is nothing that can be resumed, or if other versions began it: one part of the result
    would then have other digests than the other.
    """
    if not directory.is_dir() or not (directory / HEAD).is_file():
        finished = (directory / "summary.json").is_file()
        what = "all its trials are finished; `electsim show` prints them" if finished else "is no unfinished result"
        raise StoreError(f"{directory}: {what}")
    if (directory / "tune.json").is_file():
        raise StoreError(f"{directory}: is a tuner's; go on with it by `electsim tune --resume {directory}`")
    if (directory / "study.json").is_file():
        which = "compare" if "compared" in read_object(directory / "study.json", {}) else "sweep"
        raise StoreError(f"{directory}: has several runs; go on with it by `electsim {which} --resume {directory}`")
    if not (directory / "scenario.yaml").is_file():
        raise StoreError(
            f"{directory}: is a comparison of version 0.3.0 or before, which cannot be resumed as a whole; name a part"
        )
    if (directory / JOURNAL).is_file():
        raise StoreError(f"{directory}: was begun by version 0.3.0 or before, and cannot be resumed; run it again")
    head = read_object(directory / HEAD, {"versions": dict})
    now = made_with()
    if changed := [name for name, version in head["versions"].items() if now.get(name) != version]:
        name = changed[0]
        raise StoreError(
            f"{directory}: was begun with {name} {head['versions'][name]}, and this is {name} {now.get(name)}: digests "
            "may differ; resume it with the versions that began it, or run it again"
        )
    return plan_in(directory), bool(head.get("trace"))


def finished_in(directory: Path, first: int) -> FinishedTrials:
    """The chunks of a run, or what the journal of an old version has in their place."""
    if not (directory / JOURNAL).is_file():
        return InDirectory(directory)
    finished, trials = read_journal(directory / JOURNAL), InMemory()
    if finished:
        trials.add(Chunk(first=first, finished=len(finished), failed=(), packed=pack(finished, ()), seconds=0.0))
    return trials


def measured_in(directory: Path, kept: dict[str, Any] | None) -> Measured | None:
    """The measured durations that a run was compared with; `kept` is what its summary says about them."""
    if kept is None:
        return None
    return replace(read_measured(directory / "measured.csv"), file=kept["file"], column=kept["column"])
