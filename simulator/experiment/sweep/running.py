"""Runs the cells of a study over one executor, and keeps what each has found as soon as its trials are finished."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simulator.analysis.estimates import Summary
from simulator.experiment import runner
from simulator.experiment.chunks import Chunk
from simulator.experiment.drafts import HEAD
from simulator.experiment.files import UNFINISHED
from simulator.experiment.plan import Plan, default_command
from simulator.experiment.result import FINISHED, SCHEMA, made_with
from simulator.experiment.runner import Ending, run_until_ended
from simulator.experiment.schedule import Cell
from simulator.experiment.signals import TERMINATED
from simulator.experiment.store import RunWriter
from simulator.experiment.stored import cell_result
from simulator.experiment.sweep.cells import StudyCell
from simulator.experiment.sweep.comparing import Comparing, compare_cells
from simulator.experiment.sweep.progress import unfinished_variant
from simulator.experiment.sweep.rows import (
    CELLS,
    STUDY,
    described,
    digest_of_cells,
    frame_rows,
    primary_measures,
    read_study_json,
)
from simulator.experiment.sweep.study import Study
from simulator.experiment.unfinished import resumable
from simulator.experiment.workers import Workers
from simulator.scenario import Scenario

__all__ = ["CELLS", "STUDY", "Ending", "Sweep", "begin", "read_study_json"]


def begin(
    writer: RunWriter,
    study: Study,
    cells: Sequence[StudyCell],
    command: str,
    comparing: Comparing | None = None,
    *,
    first: int = 0,
) -> None:
    """Say what is about to be run: `study.json`, and the directory of each valid cell. Raises StoreError.

    With `comparing`, the cells are compared when they are finished. `first` is the first trial of each cell.
    """
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
    scenario = next(cell.scenario for cell in cells if cell.scenario is not None)
    seed = scenario.seed if study.seed is None else study.seed
    writer.write_json(
        STUDY,
        {
            "schema": SCHEMA,
            "state": UNFINISHED,
            "name": study.name or scenario.name,
            "about": study.about or scenario.about,
            "command": command,
            "seed": seed,
            "axes": [list(axis.fields) for axis in study.all_axes()],
            "link": dict(study.link),
            "sample": None if study.sample is None else study.sample.model_dump(),
            "metrics": list(study.metrics),
            "cells": rows,
            "versions": made_with(),
        }
        | ({} if comparing is None else {"compared": comparing.described()}),
    )
    for cell, row in zip(cells, rows, strict=True):
        if cell.scenario is not None:
            writer.part(str(row["directory"])).begin(_plan(study, cell.scenario, seed, first))


def _plan(study: Study, scenario: Scenario, seed: int, first: int) -> Plan:
    count = study.trials or scenario.trials
    return Plan(
        scenario=scenario,
        seed=seed,
        first=first,
        requested=count,
        command=default_command(seed, count, first),
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
        self._values = {
            fields[0]: list(dict.fromkeys(row["settings"].get(fields[0]) for row in self.study["cells"]))
            for fields in self.study["axes"]
        }
        for row in self.study["cells"]:
            if row["directory"] is not None:
                self._add(row)

    def _add(self, row: dict[str, Any]) -> None:
        part = self._writer.part(row["directory"])
        if not (part.path / HEAD).is_file():
            result = cell_result(part.path)
            self._found[row["number"]] = described(row, result, self.study["metrics"])
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
    def position(self) -> str:
        """Where on each axis the first cell with trials left is: `algorithm 2 of 3, nodes 5 of 8`; empty at the end."""
        if not self._open:
            return ""
        row = next(iter(self._open.values()))[0]
        if self.study["sample"] is not None:
            return f"point {row['number']} of {len(self.study['cells'])}"
        places = [(fields[0], self._values[fields[0]]) for fields in self.study["axes"]]
        return ", ".join(
            f"{field.rpartition('.')[2]} {values.index(row['settings'][field]) + 1} of {len(values)}"
            for field, values in places
        )

    def run(self, workers: Workers, progress: Callable[[Sweep], None]) -> Ending:
        """Run the trials that are left. Raises StoreError, and ClusterError if a Dask cluster cannot be used."""
        cells = [cell for cell in self._cells if id(cell) in self._open]
        left = self.requested - self.finished

        def receive(cell: Cell, chunk: Chunk) -> None:
            self.finished += chunk.count
            if cell.is_complete:
                self._finish(cell)
            progress(self)

        return run_until_ended(cells, workers, left, receive)

    def _finish(self, cell: Cell) -> None:
        row, part, plan = self._open.pop(id(cell))
        # Trials that are not needed any more, because the requested precision is reached.
        self.finished += plan.requested - cell.finished
        if len(cell.failed) == cell.finished:
            number = min(cell.failed)
            counts = {"run": 0, "requested": plan.requested, "failed": len(cell.failed)}
            reason = f"all trials failed; the first: {cell.failed[number].args[1]}"
            self._found[row["number"]] = {**row, "skipped": reason, "trials": counts}
            part.leave(reason)
            return
        result = part.gather(plan, cell, None)
        self._found[row["number"]] = described(row, result, self.study["metrics"])
        part.conclude(result, brief=True)

    def conclude(self, ending: Ending) -> Summary:
        """Write what the finished cells have found, `study.json` and `cells.parquet`, and return the former.

        Raises StoreError.
        """
        left = [row for row, _, _ in self._open.values()]
        rows = [self._found.get(row["number"], row) for row in self.study["cells"]]
        metrics = self.study["metrics"] or primary_measures(rows)  # Those of the cells that are finished by now.
        for row in rows:
            if "metrics" in row:
                row["metrics"] = {name: row["metrics"][name] for name in metrics}
        found = self.study | {
            "state": UNFINISHED if left else FINISHED,
            "stopped_by": ending.reason,
            "digest": digest_of_cells(rows),
            "metrics": list(metrics),
            "unfinished": [row["number"] for row in left],
            "cells": rows,
        }
        if "compared" in self.study:
            found["comparison"] = self._comparison(ending, rows)
        self._writer.write_table(CELLS, frame_rows(rows, metrics))
        self._writer.write_json(STUDY, found if not left else found | {"metrics": self.study["metrics"]})
        if not left:
            self._writer.end_parts()
        else:
            self._writer.leave_parts(found["stopped_by"] or "")
        return found

    def _comparison(self, ending: Ending, rows: Sequence[Mapping[str, Any]]) -> Summary:
        """What differs between the finished cells. The sender of SIGTERM does not wait for the statistics of many."""
        many = sum(row["trials"]["run"] for row in rows if "digest" in row) > runner.GATHERED_AT_ONCE
        compared = rows if ending.signal != TERMINATED or not many else ()
        found = compare_cells(self.study, rows, compared, self._writer.path)
        unfinished = [
            unfinished_variant(row, {"run": sum(part.trials.counts().values()), "requested": plan.requested})
            for row, part, plan in self._open.values()
        ]
        return found | {"stopped_by": ending.reason} | ({"unfinished": unfinished} if unfinished else {})
