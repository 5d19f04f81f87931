"""Runs a study for `electsim sweep`: shows, keeps and draws what its cells found, and says how it ended."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from simulator.cli.common import (
    EXIT_BAD_INPUT,
    EXIT_FOUND,
    EXIT_TRIALS_FAILED,
    end_interrupted,
    end_stopped_by,
    fail,
)
from simulator.cli.printing import print_json, print_note, print_table, trials_progress
from simulator.experiment.signals import TERMINATED, uninterrupted

if TYPE_CHECKING:
    from simulator.analysis.estimates import Summary
    from simulator.experiment.store import RunWriter
    from simulator.experiment.sweep.running import Ending, Sweep
    from simulator.experiment.sweep.study import Study

_MOST_SHOWN = 5  # Reasons why cells are skipped.


def run_sweep(
    study: Study, command: str, allow_files: Sequence[Path], root: Path, workers: int, as_json: bool
) -> NoReturn:
    """Run a study in a new results directory, and end the program with the exit code that it deserves."""
    from simulator.experiment.store import new_directory
    from simulator.experiment.sweep.cells import cells_of
    from simulator.experiment.sweep.running import begin
    from simulator.scenario import ScenarioError

    try:
        cells = cells_of(study, allow_files)
    except ScenarioError as error:
        print_note(str(error))
        sys.exit(EXIT_BAD_INPUT)
    name = study.name or next(cell.scenario.name for cell in cells if cell.scenario is not None)
    opened = new_directory(root, f"sweep-{name}")
    _run_in(opened, workers, as_json, lambda writer: begin(writer, study, cells, command))


def resume_sweep(directory: Path, workers: int, as_json: bool) -> NoReturn:
    """Run the trials that an unfinished sweep lacks, and end the program."""
    from simulator.experiment.drafts import HEAD
    from simulator.experiment.store import earlier_directory
    from simulator.experiment.sweep.running import STUDY

    if not (directory / STUDY).is_file():
        fail(f"{directory}: is no sweep; name the directory of one", EXIT_BAD_INPUT)
    if not (directory / HEAD).is_file():
        fail(f"{directory}: all its trials are finished; `electsim show` prints them", EXIT_BAD_INPUT)
    _run_in(earlier_directory(directory), workers, as_json, lambda writer: writer.keep())


def resume_command(directory: Path) -> str:
    """The command that runs the trials that are left."""
    return shlex.join(["electsim", "sweep", "--resume", str(directory)])


def _run_in(
    opened: AbstractContextManager[RunWriter], workers: int, as_json: bool, start: Callable[[RunWriter], None]
) -> NoReturn:
    from simulator.experiment.files import StoreError
    from simulator.experiment.sweep.running import Sweep

    found: Summary | None = None
    try:
        with uninterrupted(), opened as writer:
            start(writer)
            sweep = Sweep(writer)
            ending = _run(sweep, workers)
            if not sweep.finished:
                _end_without_any(ending)
            writer.keep()
            found = sweep.conclude(ending)
            show_sweep(found, as_json)
        not_drawn = None if ending.signal == TERMINATED else _draw(found, writer.path)
    except StoreError as error:
        fail(str(error), EXIT_BAD_INPUT)
    except KeyboardInterrupt as error:
        end_interrupted(error, "" if found is None else ": figures are left out")
    print_note(f"Results are in {writer.path}")
    _finish(found, ending, writer.path, not_drawn)


def _run(sweep: Sweep, workers: int) -> Ending:
    with trials_progress(str(sweep.study["name"])) as progress:

        def report(sweep: Sweep) -> None:
            progress(sweep.finished, sweep.requested)

        return sweep.run(workers, report)


def _end_without_any(ending: Ending) -> NoReturn:
    if ending.signal is not None:
        end_stopped_by(ending.signal, " before a trial was finished")
    fail(f"{ending.died}: no trial was finished", EXIT_TRIALS_FAILED)


def show_sweep(found: Summary, as_json: bool) -> None:
    """As JSON, or as a table."""
    if as_json:
        print_json(found)
        return
    from simulator.report.tables.sweep import sweep_table

    print_table(sweep_table(found))


def _draw(found: Summary, directory: Path) -> str | None:
    from simulator.report.figures.sweep_figures import write_sweep_figures

    try:
        write_sweep_figures(found, directory)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _finish(found: Summary, ending: Ending, kept: Path, not_drawn: str | None) -> NoReturn:
    """Say what went wrong, if anything, and exit accordingly."""
    finished = [row for row in found["cells"] if "digest" in row]
    go_on = f"go on with `{resume_command(kept)}`"
    number = f"{len(finished)} of {len(finished) + len(found['unfinished'])} cells are finished"
    if ending.signal is not None:
        end_stopped_by(ending.signal, f": {number}" + (f"; {go_on}" if found["unfinished"] else ""))
    if not_drawn is not None:
        fail(f"{kept}: figures are left out: {not_drawn}; the data are kept", EXIT_BAD_INPUT)
    if ending.died is not None:
        fail(f"{ending.died} ({number}; {go_on})", EXIT_TRIALS_FAILED)
    failed = [row for row in found["cells"] if row.get("trials", {}).get("failed")]
    if failed:
        where = kept / failed[0]["directory"]
        remedy = f"failures.parquet of each says which; the first is {where}"
        fail(f"trials failed in {len(failed)} of {len(found['cells'])} cells; {remedy}", EXIT_TRIALS_FAILED)
    broken = [row for row in finished if row["violations"]]
    if broken:
        where = kept / broken[0]["directory"]
        fail(f"a guarantee was violated in {len(broken)} cells; `electsim show {where}` is of the first", EXIT_FOUND)
    sys.exit(0)
