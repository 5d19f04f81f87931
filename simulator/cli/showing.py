"""What `electsim show` prints of a directory with several runs: a comparison, a sweep, or a tuner's."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.common import EXIT_BAD_INPUT, fail, resume_command
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
    """Of a version before studies: `comparison.json` has what `study.json` has as `comparison` now."""
    from simulator.cli.sweeping import draw_study, show_study
    from simulator.experiment.reading import read_object
    from simulator.experiment.store import StoreError

    file = directory / COMPARISON
    try:
        comparison = read_object(
            file, {"scenario": str, "command": str, "seed": int, "metrics": dict, "variants": list}
        )
    except StoreError as error:
        fail(str(error), EXIT_BAD_INPUT)
    with readable(file):
        show_study({"comparison": comparison}, as_json)
    if figures is not None:
        draw_again(file, figures, lambda: draw_study({"comparison": comparison}, figures))


def show_earlier_study(directory: Path, as_json: bool, figures: Path | None) -> None:
    """Show a sweep or a comparison, as far as it has come, and draw its figures into another directory."""
    from simulator.cli.sweeping import draw_study, show_study
    from simulator.experiment.files import StoreError
    from simulator.experiment.sweep.progress import found_by_now
    from simulator.experiment.sweep.rows import STUDY

    try:
        found = found_by_now(directory)
    except StoreError as error:
        fail(str(error), EXIT_BAD_INPUT)
    with readable(directory / STUDY):
        show_study(found, as_json)
    if figures is not None:
        draw_again(directory / STUDY, figures, lambda: draw_study(found, figures))


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
        fail(f"{directory}: nothing is finished; go on by `{resume_command('tune', directory)}`", EXIT_BAD_INPUT)
    with readable(directory / TUNE):
        show_tuning(found, as_json)
    if figures is not None:
        draw_again(directory / TUNE, figures, lambda: write_tune_figure(found, figures))
