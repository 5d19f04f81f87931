"""What the commands share: how they end, read a scenario, and print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

    from simulator.scenario import Scenario

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 1, 2, 130


def fail(text: str, code: int) -> NoReturn:
    """End with one line on standard error."""
    click.echo(f"electsim: {text}", err=True)
    sys.exit(code)


def load_scenario(path: Path, overrides: tuple[str, ...], algorithm: str | None = None) -> Scenario:
    """The scenario in a file; ends the program with what is wrong with it."""
    from simulator.scenario import ScenarioError, dropped_options, load

    try:
        scenario = load(path, overrides, algorithm=algorithm)
        own, dropped = ("", ()) if algorithm is None else dropped_options(path, algorithm)
    except ScenarioError as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_BAD_INPUT)
    if dropped:
        remedy = f"those of {algorithm} have their defaults, unless --set algorithm.OPTION=VALUE gives another"
        click.echo(f"{path}: the options of {own} are dropped ({', '.join(dropped)}); {remedy}", err=True)
    advise(path, scenario)
    return scenario


def advise(path: Path, scenario: Scenario) -> None:
    """Say what is worth a second look, though nothing is wrong with it."""
    from simulator.scenario import advice

    for line in advice(scenario):
        click.echo(f"{path}: look again: {line}", err=True)


def print_table(table: RenderableType) -> None:
    """As wide as the terminal, or as a page."""
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 100, highlight=False).print(table, crop=False)
