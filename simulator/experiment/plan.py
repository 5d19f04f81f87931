"""What a run is to do, and the result of the trials that it has finished."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from simulator.analysis.measured import Measured
from simulator.analysis.precision import PrecisionMonitor
from simulator.analysis.tables import Tables
from simulator.checks.violation import Violation
from simulator.experiment.finished import FinishedTrials
from simulator.experiment.result import FINISHED, UNFINISHED, Result
from simulator.experiment.schedule import Cell
from simulator.scenario import Scenario


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The trials of one scenario: `requested` of them from trial `first` on, or as many as a precision takes."""

    scenario: Scenario
    seed: int
    first: int
    requested: int
    command: str  # What repeats them.
    precision: float | None = None  # 0.05 for 5 %.
    precision_of: str = "median"
    measured: Measured | None = None  # What to lay over the simulated durations.

    def cell(self, trials: FinishedTrials, *, ends_at_failure: bool = False) -> Cell:
        """The cell of a schedule that runs these trials. `trials` holds the trials that are finished already. Raises
        ValueError.
        """
        monitor = None
        if self.precision is not None:
            published = self.scenario.applicable_published
            monitor = PrecisionMonitor(self.precision, self.precision_of, published, self.requested)
        return Cell(
            self.scenario.cluster_spec(),
            seed=self.seed,
            first=self.first,
            requested=self.requested,
            trials=trials,
            monitor=monitor,
            ends_at_failure=ends_at_failure,
        )

    def result(
        self,
        cell: Cell,
        tables: Tables,
        broken: tuple[list[tuple[int, Violation]], list[tuple[int, Violation]]],
        stopped_by: str | None,
        end: int,
    ) -> Result:
        """The result of the finished trials before `end`. `broken`: the violations, and those that are waived.

        Its command repeats these trials; if some before `end` are missing, it repeats the whole run.
        """
        count = end - self.first if end == cell.end_without_gap else self.requested
        monitor = cell.monitor
        if stopped_by is None and monitor is not None:
            stopped_by = monitor.stopped_by
        return Result(
            scenario=self.scenario,
            seed=self.seed,
            requested=self.requested,
            tables=tables,
            violations=broken[0],
            waived=broken[1],
            command=re.sub(r"--trials \d+", f"--trials {count}", self.command),
            failed=[(number, str(cell.failed[number].args[1])) for number in sorted(cell.failed) if number < end],
            stopped_by=stopped_by,
            precision=None if monitor is None else monitor.reached,
            measured=self.measured,
            state=FINISHED if cell.is_complete else UNFINISHED,
        )

    def head(self) -> dict[str, Any]:
        """The part of the plan that `run.json` keeps. The scenario and the measured values have files of their own."""
        measured = self.measured
        return {
            "seed": self.seed,
            "first_trial": self.first,
            "requested": self.requested,
            "command": self.command,
            "precision": self.precision,
            "precision_of": self.precision_of,
            "measured": None if measured is None else {"file": measured.file, "column": measured.column},
        }


def default_command(seed: int, trials: int, first_trial: int) -> str:
    """The command that repeats a run which was not started by one, from the scenario that is kept with its results."""
    return f"electsim run scenario.yaml --trials {trials} --seed {seed} --first-trial {first_trial}"
