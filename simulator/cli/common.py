"""Shared by the commands: exit codes, reading a scenario, and common options."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from simulator.cli.completion import scenario_names
from simulator.cli.printing import print_note
from simulator.experiment.signals import TERMINATED, interruptible, name_of_signal
from simulator.experiment.workers import LOCAL, Workers

if TYPE_CHECKING:
    from simulator.scenario import Scenario

# docs/exit-codes.md says what each means. Where several apply, the first of these counts: 143, 130, 2, 3, 1.
EXIT_FOUND, EXIT_BAD_INPUT, EXIT_TRIALS_FAILED, EXIT_INTERRUPTED, EXIT_TERMINATED = 1, 2, 3, 130, 143
_MOST_DRAFTS = 3  # Named one by one.

SCENARIO = click.argument(
    "scenario_file", metavar="SCENARIO", type=click.Path(path_type=Path), shell_complete=scenario_names
)
SCENARIOS = click.argument(
    "files",
    metavar="SCENARIO...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
    shell_complete=scenario_names,
)

ALLOW_FILES = click.option(
    "--allow-files",
    "allow_files",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Let the scenario read files in this folder, too, and not only in its own; may be repeated.",
)


def fail(text: str, code: int) -> NoReturn:
    """End with one line on standard error."""
    print_note(f"electsim: {text}")
    sys.exit(code)


def end_interrupted(error: KeyboardInterrupt, what: str = "") -> NoReturn:
    """End with the line and the code of the signal that was received."""
    end_stopped_by(name_of_signal(error), what)


def end_stopped_by(signal_name: str, what: str = "") -> NoReturn:
    """End with the code of a signal, by the name that a result has for it."""
    fail(f"{signal_name}{what}", EXIT_TERMINATED if signal_name == TERMINATED else EXIT_INTERRUPTED)


def resume_command(subcommand: str, directory: Path) -> str:
    """The command that runs the trials that are left of an earlier `electsim COMMAND`."""
    return shlex.join(["electsim", subcommand, "--resume", str(directory)])


def why_not_drawn(draw: Callable[[], object]) -> str | None:
    """Draw figures, which a signal may end. Returns why they cannot be written, or None: the data stay in any case."""
    try:
        with interruptible():
            draw()
    except OSError as error:
        return error.strerror or str(error)
    return None


def notice_drafts(root: Path, but: Path | None = None) -> None:
    """Name the results of killed runs in a results directory."""
    from simulator.experiment.drafts import dead_drafts

    if drafts := [path for path in dead_drafts(root) if path != but]:
        named = ", ".join(str(path) for path in drafts[:_MOST_DRAFTS])
        more = f" and {len(drafts) - _MOST_DRAFTS} more" if len(drafts) > _MOST_DRAFTS else ""
        remedy = "`electsim run --resume` (`sweep`, `compare`, `tune`) goes on with one, `electsim show` reads it, "
        remedy += "`electsim clean` removes all"
        print_note(f"electsim: left by killed runs: {named}{more}; {remedy}")


def load_scenario(
    path: Path, overrides: tuple[str, ...], algorithm: str | None = None, allow_files: tuple[Path, ...] = ()
) -> Scenario:
    """The scenario in a file. Ends the program with exit code 2 if it is not valid."""
    from simulator.scenario import ScenarioError, dropped_options, load

    try:
        scenario = load(path, overrides, algorithm=algorithm, allow_files=allow_files)
        own, dropped = ("", ()) if algorithm is None else dropped_options(path, algorithm)
    except ScenarioError as error:
        print_note(str(error))
        sys.exit(EXIT_BAD_INPUT)
    if dropped:
        remedy = f"those of {algorithm} have their defaults, unless --set algorithm.OPTION=VALUE gives another"
        print_note(f"{path}: the options of {own} are dropped ({', '.join(dropped)}); {remedy}")
    advise(path, scenario)
    return scenario


def advise(path: Path, scenario: Scenario) -> None:
    """Print advice on a valid scenario: what may not be meant."""
    from simulator.scenario import advice

    for line in advice(scenario):
        print_note(f"{path}: look again: {line}")


class Percentage(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """`5%`, as 0.05; above 0 and below 100."""

    name = "percent"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Called by click. Ends the program if the text is no percentage."""
        if isinstance(value, float):
            return value
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / 100
        except ValueError:
            share = -1.0
        if not text.endswith("%") or not 0 < share < 1:
            self.fail(f"{text!r} is not a percentage above 0% and below 100%, such as 5%", param, ctx)
        return share


PERCENTAGE = Percentage()


class ProcessCount(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A number of worker processes that a machine can start; 0 stands for one per core."""

    name = "number"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Called by click. Ends the program if the text is no number of processes."""
        from simulator.experiment.executors import MOST_WORKERS

        text = str(value).strip()
        count = int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else -1
        if not 0 <= count <= MOST_WORKERS:
            self.fail(
                f"{text[:20]!r} is not a number of processes from 1 to {MOST_WORKERS}; write 0 for one per core",
                param,
                ctx,
            )
        return count


WORKERS = ProcessCount()


def runs_on(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say where trials run, as its argument `workers`."""

    @click.option("--workers", "processes", type=WORKERS, default=0, help="Processes; 0, the default: one per core.")
    @click.option(
        "--dask",
        metavar="ADDRESS",
        callback=_dask_address,
        help="Run on a Dask cluster: its scheduler (tcp://scheduler:8786), or `local` (docs/cluster.md).",
    )
    @wraps(command)
    def with_workers(*args: object, processes: int, dask: str | None, **options: object) -> None:
        command(*args, workers=Workers(processes, dask), **options)

    return with_workers


def _dask_address(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    if text is not None and text != LOCAL and "://" not in text:
        raise click.BadParameter(f"{text!r} is no address of a scheduler; write tcp://HOST:8786, tls://… or {LOCAL}")
    return text
