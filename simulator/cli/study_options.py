"""The options that `electsim sweep` and `electsim compare` share: a study from its file, its axes and its links."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.common import EXIT_BAD_INPUT, fail
from simulator.cli.completion import scenario_names
from simulator.cli.printing import print_note

if TYPE_CHECKING:
    from simulator.experiment.sweep.study import Study

_METHODS = ("random", "latin-hypercube", "sobol")

STUDY_FILE = click.argument(
    "study_file", metavar="STUDY", required=False, type=click.Path(path_type=Path), shell_complete=scenario_names
)
VARY = click.option(
    "--vary", multiple=True, metavar="FIELD=A,B,…", help="An axis: a field and its values, or 3..101:log8."
)
LINK = click.option("--link", multiple=True, metavar="FIELD=EXPR", help="A field that follows others by an expression.")


def study_or_result(subcommand: str, study_file: Path | None, resume: Path | None) -> Path:
    """The one of the two that is given. Ends the program unless one is, and only one."""
    if study_file is not None and resume is not None:
        fail(f"{subcommand} --resume: RESULT says what to run; leave STUDY out", EXIT_BAD_INPUT)
    chosen = study_file or resume
    if chosen is None:
        fail(f"{subcommand}: name a STUDY, or an unfinished result: --resume RESULT", EXIT_BAD_INPUT)
    return chosen


def study_of(
    path: Path, vary: Sequence[str], link: Sequence[str], overrides: Sequence[str], options: Mapping[str, Any]
) -> Study:
    """The study of the file and the options. Ends the program if either is wrong."""
    from simulator.experiment.sweep.study import read_study
    from simulator.scenario import ScenarioError

    try:
        changes = {name: value for name, value in options.items() if value is not None}
        if "sample" in changes:
            changes["sample"] = _sample(str(changes["sample"]))
        changes |= {"axes": read_axes(vary), "link": read_pairs("--link", link), "set": read_pairs("--set", overrides)}
        return read_study(path, changes)
    except ScenarioError as error:
        print_note(str(error))
        sys.exit(EXIT_BAD_INPUT)
    except OSError as error:
        fail(f"{path}: cannot be read: {error.strerror or error}", EXIT_BAD_INPUT)


def command_of(subcommand: str, path: Path, options: Mapping[str, object]) -> str:
    """The command line that repeats a study; an option with several values is repeated, None is left out."""
    words = ["electsim", subcommand, str(path)]
    for option, values in options.items():
        for value in values if isinstance(values, tuple) else (values,):
            words += [] if value is None else [option, str(value)]
    return shlex.join(words)


def percent(share: float | None) -> str | None:
    """A proportion as an option has it: 0.05 is `5%`."""
    return None if share is None else f"{100 * share:g}%"


def read_axes(vary: Sequence[str]) -> list[dict[str, object]]:
    """The axes of `--vary`, as a study has them. Raises ScenarioError."""
    from simulator.experiment.sweep.options import varied

    return [
        {"field": field, "values": values[0] if len(values) == 1 and ".." in values[0] else values}
        for field, values in varied(vary).items()
    ]


def read_pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    """From `FIELD=VALUE` the values by field. Ends the program for what is no such text."""
    found = {}
    for text in texts:
        field, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not field or not value:
            fail(f"{option} {text}: write a field and its value: network.loss=1%", EXIT_BAD_INPUT)
        found[field] = value
    return found


def _sample(text: str) -> dict[str, object]:
    method, _, points = text.partition(":")
    if method not in _METHODS or not points.isdigit():
        fail(f"--sample {text}: write METHOD:POINTS, such as sobol:64; known: {', '.join(_METHODS)}", EXIT_BAD_INPUT)
    return {"method": method, "points": int(points)}
