"""Runs a study for `electsim sweep` or `compare`: shows, keeps and draws what it found, and says how it ended."""

from __future__ import annotations

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
    resume_command,
    why_not_drawn,
)
from simulator.cli.printing import print_json, print_note, print_table
from simulator.cli.progress import trials_progress
from simulator.experiment.signals import TERMINATED, uninterrupted
from simulator.experiment.workers import ClusterError, Workers

if TYPE_CHECKING:
    from simulator.analysis.estimates import Summary
    from simulator.experiment.runner import Ending
    from simulator.experiment.store import RunWriter
    from simulator.experiment.sweep.cells import StudyCell
    from simulator.experiment.sweep.comparing import Comparing
    from simulator.experiment.sweep.running import Sweep
    from simulator.experiment.sweep.study import Study

SWEEP, COMPARE = "sweep", "compare"


def run_sweep(
    study: Study,
    command: str,
    allow_files: Sequence[Path],
    root: Path,
    workers: Workers,
    as_json: bool,
    *,
    comparing: Callable[[Sequence[StudyCell]], Comparing] | None = None,
    tests: bool = False,
) -> NoReturn:
    """Run a study in a new results directory, and end the program with the exit code that it deserves.

    `comparing` says how its cells are compared, if they are; `tests`: whether whole distributions are tested, too.
    """
    from simulator.experiment.store import new_directory
    from simulator.experiment.sweep.cells import cells_of
    from simulator.experiment.sweep.running import begin
    from simulator.scenario import ScenarioError

    try:
        cells = cells_of(study, allow_files)
    except ScenarioError as error:
        print_note(str(error))
        sys.exit(EXIT_BAD_INPUT)
    how = None if comparing is None else comparing(cells)
    name = study.name or next(cell.scenario.name for cell in cells if cell.scenario is not None)
    opened = new_directory(root, f"{SWEEP if how is None else COMPARE}-{name}")
    _run_in(opened, workers, as_json, tests, lambda writer: begin(writer, study, cells, command, how))


def resume_sweep(subcommand: str, directory: Path, workers: Workers, as_json: bool, tests: bool = False) -> NoReturn:
    """Run the trials that an unfinished study of `electsim COMMAND` lacks, and end the program."""
    from simulator.experiment.drafts import HEAD
    from simulator.experiment.files import StoreError
    from simulator.experiment.store import earlier_directory
    from simulator.experiment.sweep.rows import STUDY, read_study_json

    if (directory / "comparison.json").is_file():
        fail(f"{directory}: was begun by version 0.3.0 or before, and cannot be resumed; run it again", EXIT_BAD_INPUT)
    if not (directory / STUDY).is_file():
        what = "sweep" if subcommand == SWEEP else "comparison"
        fail(f"{directory}: is no {what}; name the directory of one", EXIT_BAD_INPUT)
    if not (directory / HEAD).is_file():
        fail(f"{directory}: all its trials are finished; `electsim show` prints them", EXIT_BAD_INPUT)
    try:
        own = command_of_study(read_study_json(directory))
    except StoreError as error:
        fail(str(error), EXIT_BAD_INPUT)
    if own != subcommand:
        fail(f"{directory}: go on with it by `{resume_command(own, directory)}`", EXIT_BAD_INPUT)
    _run_in(earlier_directory(directory), workers, as_json, tests, lambda writer: writer.keep())


def command_of_study(study: Summary) -> str:
    """The command that a study is of, by its `study.json`."""
    return COMPARE if "compared" in study else SWEEP


def _run_in(
    opened: AbstractContextManager[RunWriter],
    workers: Workers,
    as_json: bool,
    tests: bool,
    start: Callable[[RunWriter], None],
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
            show_study(found, as_json, tests)
        directory, hurried = writer.path, ending.signal == TERMINATED
        not_drawn = None if hurried else why_not_drawn(lambda: draw_study(found, directory))
    except (StoreError, ClusterError) as error:
        fail(str(error), EXIT_BAD_INPUT)
    except KeyboardInterrupt as error:
        end_interrupted(error, "" if found is None else ": figures are left out")
    print_note(f"Results are in {directory}")
    _finish(found, ending, directory, not_drawn)


def _run(sweep: Sweep, workers: Workers) -> Ending:
    with trials_progress(str(sweep.study["name"])) as progress:

        def report(sweep: Sweep) -> None:
            progress(sweep.finished, sweep.requested, sweep.position)

        return sweep.run(workers, report)


def _end_without_any(ending: Ending) -> NoReturn:
    if ending.signal is not None:
        end_stopped_by(ending.signal, " before a trial was finished")
    fail(f"{ending.died}: no trial was finished", EXIT_TRIALS_FAILED)


def show_study(found: Summary, as_json: bool, tests: bool = False) -> None:
    """As JSON, or as a table: of a comparison what differs, of a sweep what each cell found."""
    compared = found.get("comparison")
    if as_json:
        print_json(found if compared is None else compared)
        return
    if compared is not None:
        from simulator.report.tables.comparison import comparison_table

        print_table(comparison_table(compared, tests=tests))
        return
    from simulator.report.tables.sweep import sweep_table

    print_table(sweep_table(found))


def draw_study(found: Summary, directory: Path) -> list[Path]:
    """Write the figures of a study. Returns their paths. Raises OSError."""
    if "comparison" in found:
        from simulator.report.figures.comparison import write_comparison_figures

        return write_comparison_figures(found["comparison"], directory)
    from simulator.report.figures.sweep_figures import write_sweep_figures

    return write_sweep_figures(found, directory)


def _finish(found: Summary, ending: Ending, kept: Path, not_drawn: str | None) -> NoReturn:
    """Say what went wrong, if anything, and exit accordingly."""
    subcommand = command_of_study(found)
    many = "cells" if subcommand == SWEEP else "variants"
    finished = [row for row in found["cells"] if "digest" in row]
    go_on = f"go on with `{resume_command(subcommand, kept)}`"
    number = f"{len(finished)} of {len(finished) + len(found['unfinished'])} {many} are finished"
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
        fail(f"trials failed in {len(failed)} of {len(found['cells'])} {many}; {remedy}", EXIT_TRIALS_FAILED)
    broken = [row for row in finished if row["violations"]]
    if broken:
        where = kept / broken[0]["directory"]
        fail(f"a guarantee was violated in {len(broken)} {many}; `electsim show {where}` is of the first", EXIT_FOUND)
    sys.exit(0)
