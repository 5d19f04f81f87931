"""`electsim gate`: did a change make elections slower?"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from simulator.cli.common import (
    ALLOW_FILES,
    EXIT_BAD_INPUT,
    EXIT_FOUND,
    EXIT_TRIALS_FAILED,
    SCENARIOS,
    WORKERS,
    fail,
)
from simulator.cli.printing import print_json, print_note, print_table, print_text
from simulator.cli.progress import trials_progress

if TYPE_CHECKING:
    from simulator.gate.guard import Guarded
    from simulator.gate.verdicts import Verdict

_FILE = click.Path(path_type=Path, dir_okay=False)


def _print_workflow(context: click.Context, parameter: click.Parameter, name: str | None) -> None:
    if name is not None and not context.resilient_parsing:
        from simulator.gate.workflows import WORKFLOWS

        print_text(WORKFLOWS[name].read_text(encoding="utf-8"), newline=False)
        context.exit()


@click.command()
@SCENARIOS
@click.option(
    "--baseline",
    "directory",
    metavar="DIRECTORY",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results/baselines"),
    show_default=True,
    help="Where the baselines lie, one file for each scenario.",
)
@ALLOW_FILES
@click.option("--accept", "reason", metavar="REASON", help="Make what is found now the baseline, and say why.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1, max_open=True),
    help="With --accept: how large a change may be.  [default: as before, or 0.05]",
)
@click.option(
    "--alpha",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="With --accept: the chance of a false alarm.  [default: as before, or 0.001]",
)
@click.option("--junit", "junit_file", metavar="FILE", type=_FILE, help="Also write the verdicts as JUnit XML.")
@click.option("--markdown", "markdown_file", metavar="FILE", type=_FILE, help="Also write them as Markdown.")
@click.option("--json", "json_wanted", is_flag=True, help="Print the verdicts as JSON, and no table.")
@click.option("--workers", type=WORKERS, default=0, help="Processes; 0, the default: one per core.")
@click.option(
    "--workflow",
    type=click.Choice(["github", "gitlab"]),  # The names in simulator.gate.workflows; a test holds both lists equal.
    is_eager=True,
    expose_value=False,
    callback=_print_workflow,
    help="Print a ready workflow for that CI, and do nothing else.",
)
def gate(
    files: tuple[Path, ...],
    directory: Path,
    allow_files: tuple[Path, ...],
    reason: str | None,
    tolerance: float | None,
    alpha: float | None,
    junit_file: Path | None,
    markdown_file: Path | None,
    json_wanted: bool,
    workers: int,
) -> None:
    """Run each SCENARIO, and compare it with its baseline: what was accepted when elections were as they should be.

    \b
    Once, and whenever a change is meant:
      electsim gate scenarios/ci/*.yaml --accept "pre-vote costs a round trip"
    \b
    In CI, after each change; the verdict also goes to the step summary of GitHub Actions:
      electsim gate scenarios/ci/*.yaml --junit gate.xml
    \b
    To begin, a workflow for a repository of your own:
      electsim gate --workflow github > .github/workflows/election-timing.yml

    Trials that went as before, event by event, pass at once. Otherwise their figures are compared: one has regressed
    if it got worse by more than the tolerance, and by more than chance. Exits with 0 if none has; with 1 if one has, or
    a guarantee was violated; with 2 for bad input, such as a scenario without a baseline; with 3 if a trial failed.
    """
    from simulator.gate.baseline import BaselineError
    from simulator.gate.guard import guarded
    from simulator.scenario import ScenarioError

    if reason is not None and not reason.strip():
        fail("--accept: say why, in a few words", EXIT_BAD_INPUT)
    if reason is not None and (junit_file or markdown_file or json_wanted):
        fail("--accept reports on the screen only: leave --junit, --markdown and --json out", EXIT_BAD_INPUT)
    if reason is None and (tolerance is not None or alpha is not None):
        fail("--tolerance and --alpha are kept in the baseline: give them with --accept", EXIT_BAD_INPUT)
    try:
        try:
            found = guarded(files, directory, allow_files)
        except (ScenarioError, BaselineError) as error:
            _end_bad_input([str(error)], junit_file)
        if reason is not None:
            sys.exit(_accept(found, reason, tolerance, alpha, workers))
        verdicts = _check(found, workers, junit_file)
        _report(verdicts, json_wanted, junit_file, markdown_file)
    except OSError as error:
        fail(f"{error.filename or directory}: cannot be written: {error.strerror or error}", EXIT_BAD_INPUT)
    _finish(found, verdicts, directory)


def _end_bad_input(errors: list[str], junit_file: Path | None) -> NoReturn:
    """Print a line for each error, report them in the JUnit file, too, if one is wanted, and end with exit code 2.

    Raises OSError if that file cannot be written.
    """
    from simulator.experiment.files import write_whole
    from simulator.gate.reports import junit_of_errors

    for error in errors:
        print_note(error)
    if junit_file is not None:
        write_whole(junit_file, junit_of_errors([(error.partition(":")[0], error) for error in errors]))
    sys.exit(EXIT_BAD_INPUT)


def _check(found: list[Guarded], workers: int, junit_file: Path | None) -> list[Verdict]:
    """The verdicts. Every baseline is read before anything is run."""
    from simulator.gate.baseline import BaselineError
    from simulator.gate.guard import check

    baselines, errors = [], []
    for one in found:
        try:
            baselines.append(one.baseline())
        except BaselineError as error:
            errors.append(str(error))
    if errors:
        _end_bad_input(errors, junit_file)
    verdicts = []
    for one, baseline in zip(found, baselines, strict=True):
        with trials_progress(one.scenario.name) as progress:
            verdicts.append(check(one, baseline, workers, progress))
    return verdicts


def _report(verdicts: list[Verdict], json_wanted: bool, junit_file: Path | None, markdown_file: Path | None) -> None:
    from importlib.metadata import version

    from simulator.experiment.files import write_whole
    from simulator.gate.reports import as_json, junit, markdown, table

    if json_wanted:
        document = as_json(verdicts, version("electsim"))
        print_json(document)
    else:
        print_table(table(verdicts))
    if junit_file is not None:
        write_whole(junit_file, junit(verdicts))
    if markdown_file is not None:
        write_whole(markdown_file, markdown(verdicts))
    if page := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(page).open("a", encoding="utf-8") as file:  # Other steps write to this file, too.
            file.write(markdown(verdicts))


def _accept(found: list[Guarded], reason: str, tolerance: float | None, alpha: float | None, workers: int) -> int:
    """The exit code."""
    from simulator.gate.guard import accept
    from simulator.gate.reports import table

    code = 0
    for one in found:
        with trials_progress(one.scenario.name) as progress:
            done = accept(one, reason, tolerance=tolerance, alpha=alpha, workers=workers, progress=progress)
        if done.verdict is not None:
            print_table(table([done.verdict]))
        if done.refused is not None:
            print_note(f"electsim: {one.file}: not accepted: {done.refused}")
            code = max(code, EXIT_TRIALS_FAILED if done.failed else EXIT_FOUND)
        else:
            print_text(f"{one.path}: {'accepted' if done.written else 'holds, and is left as it is'}")
    return code


def _finish(found: list[Guarded], verdicts: list[Verdict], directory: Path) -> None:
    """Say what can be done about what was found, and exit accordingly."""
    from simulator.gate.verdicts import Outcome

    named = {outcome: [] for outcome in Outcome}  # type: dict[Outcome, list[str]]
    for one, verdict in zip(found, verdicts, strict=True):
        named[verdict.outcome].append(str(one.file))
    if better := named[Outcome.IMPROVED]:
        print_note(f"Improved: to guard the gain: {_accepting(better, directory)}")
    if worse := named[Outcome.REGRESSED]:
        print_note(f"Regressed: if it is meant: {_accepting(worse, directory)}")
    if any(verdict.failed for verdict in verdicts):
        sys.exit(EXIT_TRIALS_FAILED)
    if named[Outcome.REGRESSED] or named[Outcome.BROKEN]:
        sys.exit(EXIT_FOUND)


def _accepting(files: list[str], directory: Path) -> str:
    return f'{shlex.join(["electsim", "gate", *files, "--baseline", str(directory)])} --accept "why"'
