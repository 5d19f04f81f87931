"""Runs the cells of a study over one executor, and keeps what each has found as soon as its trials are finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from simulator.analysis.comparison import COLD_START, PRIMARY
from simulator.analysis.estimates import Summary, statistic
from simulator.analysis.records.registry import MEASURES
from simulator.analysis.samples import primary_cause
from simulator.analysis.tables import Tables
from simulator.experiment.chunks import Chunk
from simulator.experiment.drafts import HEAD
from simulator.experiment.executors import WorkerDied
from simulator.experiment.files import UNFINISHED
from simulator.experiment.plan import Plan, default_command
from simulator.experiment.reading import read_object, reading
from simulator.experiment.result import FINISHED, SCHEMA, Result, made_with
from simulator.experiment.runner import workers_for
from simulator.experiment.schedule import Cell, run_cells
from simulator.experiment.signals import name_of_signal
from simulator.experiment.store import RunWriter
from simulator.experiment.stored import load_stored
from simulator.experiment.sweep.cells import StudyCell
from simulator.experiment.sweep.study import Study
from simulator.experiment.unfinished import resumable
from simulator.scenario import Scenario

STUDY = "study.json"
CELLS = "cells.parquet"


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a sweep has ended before all its trials were finished; None: it has not."""

    signal: str | None = None
    died: str | None = None


def begin(writer: RunWriter, study: Study, cells: Sequence[StudyCell], command: str) -> None:
    """Say what is about to be run: `study.json`, and the directory of each valid cell. Raises StoreError."""
    writer.begin_parts(command)
    rows = [
        {
            "number": cell.number,
            "settings": dict(cell.settings),
            "linked": dict(cell.linked),
            "directory": None if cell.scenario is None else f"cell-{cell.number:05}",
            "skipped": cell.skipped,
        }
        for cell in cells
    ]
    first = next(cell.scenario for cell in cells if cell.scenario is not None)
    seed = first.seed if study.seed is None else study.seed
    writer.write_json(
        STUDY,
        {
            "schema": SCHEMA,
            "state": UNFINISHED,
            "name": study.name or first.name,
            "about": study.about or first.about,
            "command": command,
            "seed": seed,
            "axes": [list(axis.fields) for axis in study.all_axes()],
            "link": dict(study.link),
            "sample": None if study.sample is None else study.sample.model_dump(),
            "metrics": list(study.metrics),
            "cells": rows,
            "versions": made_with(),
        },
    )
    for cell, row in zip(cells, rows, strict=True):
        if cell.scenario is not None:
            writer.part(str(row["directory"])).begin(_plan(study, cell.scenario, seed))


def _plan(study: Study, scenario: Scenario, seed: int) -> Plan:
    count = study.trials or scenario.trials
    return Plan(
        scenario=scenario,
        seed=seed,
        first=0,
        requested=count,
        command=default_command(seed, count, 0),
        precision=study.precision,
        precision_of=study.precision_of,
    )


class Sweep:
    """The cells in a directory: those that are finished, and those of which trials are left."""

    def __init__(self, writer: RunWriter) -> None:
        """Raises StoreError if files are damaged, or were begun with other versions."""
        self.study = read_study_json(writer.path)
        self._writer = writer
        self._found: dict[int, Summary] = {}
        # The cells of the sweep by the id of their cell in the schedule.
        self._open: dict[int, tuple[dict[str, Any], RunWriter, Plan]] = {}
        self._cells: list[Cell] = []
        self.requested = self.finished = 0
        for row in self.study["cells"]:
            if row["directory"] is not None:
                self._add(row)

    def _add(self, row: dict[str, Any]) -> None:
        part = self._writer.part(row["directory"])
        if not (part.path / HEAD).is_file():
            result = load_stored(part.path).result()
            self._found[row["number"]] = _described(row, result)
            self.requested += result.requested
            self.finished += result.requested
            return
        plan, _ = resumable(part.path)
        part.resume()
        cell = plan.cell(part.trials)
        self.requested += plan.requested
        self.finished += cell.finished
        self._open[id(cell)] = row, part, plan
        self._cells.append(cell)
        if cell.is_complete:
            self._finish(cell)

    @property
    def cells_finished(self) -> int:
        """How many cells have all their trials."""
        return len(self._found)

    @property
    def cells_valid(self) -> int:
        """How many cells are valid scenarios."""
        return len(self._found) + len(self._open)

    def run(self, workers: int, progress: Callable[[Sweep], None]) -> Ending:
        """Run the trials that are left. Raises StoreError."""
        cells = [cell for cell in self._cells if id(cell) in self._open]
        left = self.requested - self.finished

        def receive(cell: Cell, chunk: Chunk) -> None:
            self.finished += chunk.count
            if cell.is_complete:
                self._finish(cell)
            progress(self)

        try:
            with workers_for(workers, left) as (pool, slots):
                run_cells(cells, pool, slots, receive)
        except KeyboardInterrupt as error:
            return Ending(signal=name_of_signal(error))
        except WorkerDied as error:
            return Ending(died=str(error))
        return Ending()

    def _finish(self, cell: Cell) -> None:
        row, part, plan = self._open.pop(id(cell))
        end = cell.end_without_gap
        # Trials that are not needed any more, because the requested precision is reached.
        self.finished += plan.requested - cell.finished
        if all(number in cell.failed for number in range(plan.first, end)):
            number = min(cell.failed)
            counts = {"run": 0, "requested": plan.requested, "failed": len(cell.failed)}
            reason = f"all trials failed; the first: {cell.failed[number].args[1]}"
            self._found[row["number"]] = {**row, "skipped": reason, "trials": counts}
            part.leave(reason)
            return
        result = part.gather(plan, cell, None)
        self._found[row["number"]] = _described(row, result)
        part.conclude(result, brief=True)

    def conclude(self, ending: Ending) -> Summary:
        """Write what the finished cells have found, `study.json` and `cells.parquet`, and return the former.

        Raises StoreError.
        """
        unfinished = [row["number"] for row, _, _ in self._open.values()]
        rows = [self._found.get(row["number"], row) for row in self.study["cells"]]
        digests = "\n".join(f"{row['number']} {row['digest']}" for row in rows if "digest" in row)
        metrics = self.study["metrics"] or _primary(rows)
        for row in rows:
            if "metrics" in row:
                row["metrics"] = {name: row["metrics"][name] for name in metrics}
        found = self.study | {
            "state": UNFINISHED if unfinished else FINISHED,
            "stopped_by": ending.signal or ending.died,
            "digest": sha256(digests.encode()).hexdigest(),
            "metrics": list(metrics),
            "unfinished": unfinished,
            "cells": rows,
        }
        self._writer.write_table(CELLS, _frame_rows(rows, metrics))
        self._writer.write_json(STUDY, found)
        if not unfinished:
            self._writer.end_parts()
        else:
            self._writer.leave_parts(found["stopped_by"] or "")
        return found


def read_study_json(directory: Path) -> dict[str, Any]:
    """What `study.json` says. Raises StoreError."""
    file = directory / STUDY
    found = read_object(file, {"state": str, "command": str, "seed": int, "axes": list, "cells": list, "metrics": list})
    with reading(file):
        for row in found["cells"]:
            if row["directory"] is not None and not (isinstance(row["directory"], str) and "/" not in row["directory"]):
                raise ValueError("a cell has a wrong directory")
            if not isinstance(row["settings"], dict) or not isinstance(row["number"], int):
                raise ValueError("a cell has no settings or no number")
    return found


def _described(row: dict[str, Any], result: Result) -> Summary:
    """What `study.json` has of a finished cell."""
    precision = {} if result.precision is None else {"precision": result.precision.summary()}
    return {
        **row,
        "digest": result.digest,
        "trials": {"run": result.trials_run, "requested": result.requested, "failed": len(result.failed)},
        "violations": len(result.violations),
        "headline_cause": primary_cause(result.tables.only({"elections": ("cause",)}).elections),
        "metrics": _estimates(result.tables),
    } | precision


def _estimates(tables: Tables) -> Summary:
    return {name: statistic(measure.estimate(tables)) for name, measure in MEASURES.items()}


def _primary(rows: Sequence[Summary]) -> Sequence[str]:
    return PRIMARY if any(row.get("headline_cause") == "loss" for row in rows) else COLD_START


def _frame_rows(rows: Sequence[Summary], metrics: Sequence[str]) -> list[dict[str, Any]]:
    """A flat row for each cell: settings, trials, and each metric with its interval."""
    fields = list(dict.fromkeys(field for row in rows for field in row["settings"]))
    linked = list(dict.fromkeys(field for row in rows for field in row["linked"]))
    found = []
    for row in rows:
        flat: dict[str, Any] = {"cell": row["number"]}
        flat |= {field: row["settings"].get(field) for field in fields}
        flat |= {field: row["linked"].get(field) for field in linked}
        trials = row.get("trials", {})
        flat |= {name: trials.get(name) for name in ("run", "failed")} | {"violations": row.get("violations")}
        for name in metrics:
            estimate = row.get("metrics", {}).get(name, {})
            flat |= {
                name: estimate.get("value"),
                f"{name}.low": estimate.get("low"),
                f"{name}.high": estimate.get("high"),
            }
        found.append(flat | {"skipped": row["skipped"], "directory": row["directory"], "digest": row.get("digest")})
    return found
