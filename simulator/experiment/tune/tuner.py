"""Searches settings: tries them with their faults and without, and shows of the best ones that they keep the bounds.

Every trial of a number has the same random numbers in all settings, so that they differ by their settings only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.analysis.false_elections import FalseElections, false_elections, steady_messages
from simulator.experiment.sweep.cells import StudyCell, cells_of
from simulator.experiment.sweep.running import Ending
from simulator.experiment.sweep.study import AxisForm, Study, refused
from simulator.experiment.tune.candidates import NOT_TRIED, Candidate, in_order, mark_front, recommended
from simulator.experiment.tune.fault_free import KEEPS, OPEN, FaultFree
from simulator.experiment.tune.goals import Goal
from simulator.experiment.tune.margin import Margin, find_margin
from simulator.experiment.tune.search import Point, Search
from simulator.experiment.tune.stages import Row, Stages, Stopped
from simulator.scenario import ScenarioError


@dataclass(slots=True)
class Tuner:
    """Tries the points of a search. `candidates` has all that it knows, also if it is stopped."""

    study: Study
    goal: Goal
    plan: FaultFree
    search: Search
    stages: Stages
    with_margin: bool
    allow_files: Sequence[Path] = ()
    candidates: list[Candidate] = field(default_factory=list)
    margin: Margin | None = None
    batches: int = 0

    def run(self) -> Ending:
        """Search, then show that the best settings keep the bounds. Raises StoreError and ScenarioError.

        Returns how it was ended, if it was, before it was finished.
        """
        try:
            while points := self.search.propose():
                self._try(points)
            best = self._show_best()
            if best is not None and self.with_margin:
                self.margin = find_margin(lambda factor, number: self._keeps_at(best, factor, number))
        except Stopped as stopped:
            mark_front(self.candidates, self.goal.minimise)
            return stopped.ending
        mark_front(self.candidates, self.goal.minimise)
        return Ending()

    @property
    def recommendation(self) -> Candidate | None:
        """The best settings of which it was shown that they keep all bounds."""
        return recommended(self.candidates, self.goal)

    # --- Trying settings

    def _try(self, points: Sequence[Point]) -> None:
        """A batch: its settings with the faults, then a first look at each without."""
        self.batches += 1
        name = f"batch-{self.batches:02}"
        changes = {"metrics": self.goal.metrics, "axes": _axis(points), "sample": None}
        study = self.study.model_copy(update=changes)
        cells = _cells(study, points, self.allow_files)
        start = len(self.candidates)
        batch = [Candidate(start + cell.number, cell.settings, cell.linked, skipped=cell.skipped) for cell in cells]
        self.candidates += batch
        if all(cell.scenario is None for cell in cells):
            if self.batches == 1:
                raise refused("tune", f"no settings of the first {len(cells)} are valid; {cells[0].skipped}")
            self.search.learn(batch)
            return
        self._run(f"{name}-faults", study, cells, batch, self._learn_faults)
        self._look(f"{name}-fault-free", [found for found in batch if found.skipped is None])
        self.search.learn(batch)

    def _learn_faults(self, name: str, candidate: Candidate, row: Row) -> None:
        if row["skipped"] is not None:  # All its trials failed.
            candidate.skipped, candidate.failed = row["skipped"], True
            return
        candidate.metrics, candidate.trials = row["metrics"], row["trials"]["run"]
        candidate.violations = row["violations"]
        elections = self.stages.tables(name, row).only({"elections": ("trial", "cause")}).elections
        candidate.losses = int(elections.loc[elections["cause"] == "loss", "trial"].nunique())
        if row["trials"]["failed"]:
            candidate.skipped, candidate.failed = f"{row['trials']['failed']} of its trials failed", True

    # --- Without faults

    def _look(self, name: str, candidates: Sequence[Candidate]) -> None:
        """The next look at some settings, all of which had equally many."""
        if not candidates:
            return
        look = candidates[0].looks
        points = [dict(candidate.settings) for candidate in candidates]
        study = self.plan.study(self.study.model_copy(update={"axes": _axis(points), "sample": None}), look)
        cells = _cells(study, points, self.allow_files)
        self._run(name, study, cells, candidates, self._learn_fault_free, self.plan.first_trial(look))

    def _learn_fault_free(self, name: str, candidate: Candidate, row: Row) -> None:
        if row["skipped"] is not None or row["trials"]["failed"]:
            candidate.skipped = row["skipped"] or f"{row['trials']['failed']} of its fault-free trials failed"
            candidate.failed = True
            return
        tables = self.stages.tables(name, row)
        seen = false_elections(tables)
        before = candidate.false_elections
        candidate.false_elections = seen if before is None else before + seen
        if candidate.messages is NOT_TRIED:
            candidate.messages = steady_messages(tables)
        candidate.verdict = self.plan.verdict(candidate.false_elections, candidate.looks)
        candidate.looks += 1

    def _show_best(self) -> Candidate | None:
        """Look at the best settings again and again, until of some it is shown that they keep the bound."""
        while True:
            left = [found for found in in_order(self.candidates, self.goal) if found.verdict in (OPEN, KEEPS)]
            if not left or left[0].verdict == KEEPS:
                return left[0] if left else None
            self._look(f"show-{left[0].number:05}-look-{left[0].looks + 1}", left[:1])

    def _keeps_at(self, best: Candidate, factor: float, number: int) -> bool:
        """Whether settings keep the bound on false elections if all latencies are multiplied by a factor."""
        points = [dict(best.settings)]
        total = FalseElections(0, 0, 0.0)
        for look in range(len(self.plan.looks)):
            base = self.study.model_copy(update={"axes": _axis(points), "sample": None})
            study = self.plan.study(base, look, {"network.latency_factor": factor * self._own_factor(best)})
            cells = _cells(study, points, self.allow_files)
            if cells[0].scenario is None:
                return False
            name = f"margin-{number:02}-look-{look + 1}"
            rows = self.stages.run(name, study, cells, self.plan.first_trial(look))
            if rows[0]["skipped"] is not None or rows[0]["trials"]["failed"]:
                return False
            total += false_elections(self.stages.tables(name, rows[0]))
            verdict = self.plan.verdict(total, look)
            if verdict != OPEN:
                return verdict == KEEPS
        return False

    def _own_factor(self, best: Candidate) -> float:
        """The factor that the scenario has already."""
        (cell,) = _cells(
            self.study.model_copy(update={"axes": _axis([dict(best.settings)]), "sample": None}),
            [dict(best.settings)],
            self.allow_files,
        )
        assert cell.scenario is not None
        return float(cell.scenario.network.latency_factor)

    def _run(
        self,
        name: str,
        study: Study,
        cells: Sequence[StudyCell],
        candidates: Sequence[Candidate],
        learn: Any,
        first: int = 0,
    ) -> None:
        """Run a stage, and learn from each of its cells that is finished. Raises Stopped and StoreError."""
        stopped: Stopped | None = None
        try:
            rows: Sequence[Row] = self.stages.run(name, study, cells, first)
        except Stopped as error:
            stopped, rows = error, error.rows
        for candidate, row in zip(candidates, rows, strict=True):
            if candidate.skipped is None and ("digest" in row or row["skipped"] is not None):
                learn(name, candidate, row)
        if stopped is not None:
            raise stopped


def _axis(points: Sequence[Mapping[str, str]]) -> tuple[AxisForm, ...]:
    """One axis, on which all fields change together."""
    fields = tuple(points[0])
    return (AxisForm(fields=fields, values=[[point[field] for field in fields] for point in points]),)


def _cells(study: Study, points: Sequence[Point], allow_files: Sequence[Path]) -> list[StudyCell]:
    """The cells of the points. If none is valid, all have the reason in their place."""
    try:
        return cells_of(study, allow_files)
    except ScenarioError as error:
        reason = str(error).splitlines()[0]
        return [StudyCell(number, point, {}, None, reason) for number, point in enumerate(points, start=1)]
