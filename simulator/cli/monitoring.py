"""`--openmetrics FILE` of `electsim run` and `replay`: what a monitoring system would have scraped from a trial."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.common import EXIT_BAD_INPUT, fail
from simulator.cli.printing import print_note
from simulator.protocol import Nanoseconds

if TYPE_CHECKING:
    from simulator.trace.trace import Trace

_SCRAPE = "electsim.scrape"  # The key under which one option stores its value for the other option.


@dataclass(frozen=True, slots=True)
class Exposition:
    """Where the text goes, and how often the nodes are scraped."""

    path: Path
    interval_ns: Nanoseconds

    def write(self, trace: Trace) -> None:
        """Write the scrapes of a trial. Ends the program with exit code 2 if they are too many, or the file cannot be
        written."""
        from simulator.report.monitoring.openmetrics import openmetrics
        from simulator.report.monitoring.scrapes import TooManySamplesError, scrapes

        try:
            found = scrapes(trace, self.interval_ns)
            self.path.write_bytes(openmetrics(found))
        except TooManySamplesError as error:
            fail(f"--openmetrics {self.path}: {error}", EXIT_BAD_INPUT)
        except OSError as error:
            fail(f"--openmetrics {self.path}: {error.strerror or error}", EXIT_BAD_INPUT)
        if not len(found.seconds):
            print_note(
                f"electsim: {self.path} holds no scrape: the trial ended before the first; choose a shorter --scrape"
            )


def _remember_scrape(context: click.Context, option: click.Parameter, text: str) -> None:
    from simulator.scenario.text.units import parse_duration

    try:
        interval_ns = parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    if interval_ns <= 0:
        raise click.BadParameter("give more than 0, such as 15s")
    context.meta[_SCRAPE] = interval_ns


def _exposition(context: click.Context, option: click.Parameter, path: Path | None) -> Exposition | None:
    if path is None:
        return None
    if not path.parent.is_dir():
        raise click.BadParameter(f"there is no folder {path.parent}")
    return Exposition(path, context.meta[_SCRAPE])


OPENMETRICS = click.option(
    "--openmetrics",
    "exposition",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    callback=_exposition,
    help="Also write what a monitoring system would have scraped in one trial, in the OpenMetrics format.",
)
SCRAPE = click.option(
    "--scrape",
    metavar="DURATION",
    default="15s",
    show_default=True,
    is_eager=True,
    expose_value=False,
    callback=_remember_scrape,
    help="How often it scrapes, in simulated time.",
)
