"""Runs a tuner for `electsim tune`: shows, keeps and draws what it found, and says how it ended."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
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
from simulator.cli.progress import Report, trials_progress
from simulator.experiment.signals import TERMINATED, uninterrupted
from simulator.experiment.workers import ClusterError, Workers

if TYPE_CHECKING:
    from simulator.analysis.estimates import Summary
    from simulator.experiment.runner import Ending
    from simulator.experiment.store import RunWriter
    from simulator.experiment.tune.request import Request


def run_tuning(request: Request, root: Path, workers: Workers, as_json: bool) -> NoReturn:
    """Tune in a new results directory, and end the program with the exit code that it deserves."""
    from simulator.experiment.store import new_directory
    from simulator.experiment.tune.running import begin_tuning

    opened = new_directory(root, f"tune-{request.study.name}")
    _run_in(opened, request, workers, as_json, lambda writer: begin_tuning(writer, request))


def resume_tuning(directory: Path, workers: Workers, as_json: bool) -> NoReturn:
    """Do what an unfinished tuner has left to do, and end the program."""
    from simulator.experiment.drafts import HEAD
    from simulator.experiment.files import StoreError
    from simulator.experiment.store import earlier_directory
    from simulator.experiment.tune.request import TUNE, read_request

    if not (directory / TUNE).is_file():
        fail(f"{directory}: is no result of electsim tune; name the directory of one", EXIT_BAD_INPUT)
    if not (directory / HEAD).is_file():
        fail(f"{directory}: all its trials are finished; `electsim show` prints them", EXIT_BAD_INPUT)
    try:
        request = read_request(directory)
    except StoreError as error:
        fail(str(error), EXIT_BAD_INPUT)
    _run_in(earlier_directory(directory), request, workers, as_json, lambda writer: writer.keep())


def _run_in(
    opened: AbstractContextManager[RunWriter],
    request: Request,
    workers: Workers,
    as_json: bool,
    start: Callable[[RunWriter], None],
) -> NoReturn:
    from simulator.experiment.files import StoreError
    from simulator.experiment.tune import running
    from simulator.scenario import ScenarioError

    found: Summary | None = None
    try:
        with uninterrupted(), opened as writer:
            start(writer)
            with _progress(str(request.study.name)) as progress:
                found, ending = running.run_tuning(writer, request, workers, progress)
            show_tuning(found, as_json)
        directory, hurried = writer.path, ending.signal == TERMINATED
        not_drawn = None if hurried else why_not_drawn(lambda: _draw(found, directory))
    except (StoreError, ScenarioError, ClusterError) as error:
        fail(str(error), EXIT_BAD_INPUT)
    except KeyboardInterrupt as error:
        end_interrupted(error, "" if found is None else ": the figure is left out")
    print_note(f"Results are in {directory}")
    _finish(found, ending, directory, not_drawn)


@contextmanager
def _progress(name: str) -> Iterator[Callable[[str, int, int], None]]:
    """One bar, or lines, for each stage."""
    with ExitStack() as stack:
        shown: dict[str, Report] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in shown:
                stack.close()
                shown.clear()
                shown[stage] = stack.enter_context(trials_progress(f"{name}, {stage}"))
            shown[stage](done, total)

        yield report


def show_tuning(found: Summary, as_json: bool) -> None:
    """As JSON, or as a table."""
    if as_json:
        print_json(found)
        return
    from simulator.report.tables.tune import tune_table

    print_table(tune_table(found))


def _draw(found: Summary, directory: Path) -> None:
    from simulator.report.figures.tune import write_tune_figure

    write_tune_figure(found, directory)


def _finish(found: Summary, ending: Ending, kept: Path, not_drawn: str | None) -> NoReturn:
    """Say what went wrong, if anything, and exit accordingly."""
    go_on = f"go on with `{resume_command('tune', kept)}`"
    if ending.signal is not None:
        end_stopped_by(ending.signal, f": what was finished is kept; {go_on}")
    if not_drawn is not None:
        fail(f"{kept}: the figure is left out: {not_drawn}; the data are kept", EXIT_BAD_INPUT)
    if ending.died is not None:
        fail(f"{ending.died} ({go_on})", EXIT_TRIALS_FAILED)
    if failed := [row for row in found["candidates"] if row["failed"]]:
        fail(f"trials failed with {len(failed)} of {len(found['candidates'])} settings; tune.json says why", 3)
    if broken := [row for row in found["candidates"] if row["violations"]]:
        where = f"electsim show {kept / 'batch-01-faults'}"
        fail(f"a guarantee was violated with {len(broken)} settings, which are left out; `{where}` shows", EXIT_FOUND)
    if found["recommendation"] is None:
        remedy = "vary other values, raise the bound or give a longer --fault-free"
        fail(f"no settings were shown to keep the bounds; {remedy}", EXIT_FOUND)
    sys.exit(0)
