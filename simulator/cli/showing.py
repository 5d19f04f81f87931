"""What `electsim show` prints of a directory with several runs: a comparison, a sweep, or a tuner's."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.common import EXIT_BAD_INPUT, fail
from simulator.cli.printing import print_note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMPARISON = "comparison.json"


def draw_again(directory: Path, figures: Path, write: Callable[[], list[Path]]) -> None:
    """Draw figures into another directory, and name them."""
    from simulator.experiment.files import StoreError

    try:
        figures.mkdir(parents=True, exist_ok=True)
        with readable(directory):
            written = write()
    except StoreError as error:
        fail(str(error), EXIT_BAD_INPUT)
    except OSError as error:
        fail(f"{figures}: cannot write the figures: {error.strerror or error}", EXIT_BAD_INPUT)
    for path in written:
        print_note(f"Drawn: {path}")


@contextmanager
def readable(file: Path) -> Iterator[None]:
    """End the program with one line if the content of a file cannot be shown: the file is damaged.

    Every exception counts, as in `simulator.experiment.reading`, but for those of the output.
    """
    from simulator.experiment.reading import damaged

    try:
        yield
    except (OSError, click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        fail(str(damaged(file, error)), EXIT_BAD_INPUT)


def show_earlier_comparison(directory: Path, as_json: bool, figures: Path | None) -> None:
    """Show the comparison in a directory, and draw its figures into another one, if that is given."""
    from simulator.cli.compare import show_comparison
    from simulator.experiment.reading import read_object
    from simulator.experiment.store import StoreError
    from simulator.report.figures.comparison import write_comparison_figures

    file = directory / COMPARISON
    try:
        comparison = read_object(
            file, {"scenario": str, "command": str, "seed": int, "metrics": dict, "variants": list}
        )
    except StoreError as error:
        fail(str(error), EXIT_BAD_INPUT)
    with readable(file):
        show_comparison(comparison, as_json, tests=False)
    if figures is not None:
        draw_again(file, figures, lambda: write_comparison_figures(comparison, figures))


def show_earlier_tuning(directory: Path, as_json: bool, figures: Path | None) -> None:
    """Show what a tuner found, and draw its figure."""
    from simulator.cli.tuning import show_tuning
    from simulator.experiment.files import StoreError
    from simulator.experiment.tune.request import TUNE, read_tune_json
    from simulator.report.figures.tune import write_tune_figure

    try:
        found = read_tune_json(directory)
    except StoreError as error:
        fail(str(error), EXIT_BAD_INPUT)
    if not found["candidates"]:
        fail(
            f"{directory}: a tuner that was ended; go on with it by `electsim tune --resume {directory}`",
            EXIT_BAD_INPUT,
        )
    with readable(directory / TUNE):
        show_tuning(found, as_json)
    if figures is not None:
        draw_again(directory / TUNE, figures, lambda: write_tune_figure(found, figures))


def show_earlier_sweep(directory: Path, as_json: bool, figures: Path | None) -> None:
    """Show a sweep, and draw its figures."""
    from simulator.cli.sweeping import show_sweep
    from simulator.experiment.files import StoreError
    from simulator.experiment.sweep.running import STUDY, read_study_json
    from simulator.report.figures.sweep_figures import write_sweep_figures

    try:
        found = read_study_json(directory)
    except StoreError as error:
        fail(str(error), EXIT_BAD_INPUT)
    with readable(directory / STUDY):
        show_sweep(found, as_json)
    if figures is not None:
        draw_again(directory / STUDY, figures, lambda: write_sweep_figures(found, figures))
