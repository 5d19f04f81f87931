"""The only place that prints: every text is made safe for a terminal first (`simulator.printable`).

A test reads the code of `cli`, `gate` and `report`: nothing else there calls `click.echo`, `print` or a console.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from simulator.printable import UNSAFE, printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.measure import Measurement
    from rich.segment import Segment

_PAGE_WIDTH = 100  # Columns, without a terminal.
_PROGRESS_EVERY_S = 30.0
_ESCAPED = re.compile(f"[{UNSAFE}\ud800-\udfff]")


def print_text(text: str, *, newline: bool = True) -> None:
    """Print a text on standard output."""
    click.echo(printable(text), nl=newline)


def print_note(text: str) -> None:
    """Print a line on standard error, beside what the command was asked for."""
    click.echo(printable(text), err=True)


def print_json(value: object, *, indent: int | None = 2) -> None:
    """Print a value as JSON on standard output. Nothing is lost: unsafe characters are written as `\\u009b`."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    click.echo(_ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def print_table(table: RenderableType) -> None:
    """Print a table on standard output, as wide as the terminal; 100 columns wide without a terminal."""
    from rich.console import Console

    console = Console(width=_width(), highlight=False, markup=False)  # Brackets are intervals and lists.
    console.print(_Printable(table), crop=False)


def _width() -> int | None:
    """The width in columns; None: the width of the terminal."""
    return None if sys.stdout.isatty() else _PAGE_WIDTH


class _Printable:
    """A renderable of rich, of which every text is made safe after it has been laid out."""

    def __init__(self, content: RenderableType) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        from rich.segment import Segment

        for segment in console.render(self._content, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        from rich.measure import Measurement

        return Measurement.get(console, options, self._content)


@contextmanager
def trials_progress(name: str, clock: Callable[[], float] = time.monotonic) -> Iterator[Callable[[int, int], None]]:
    """What a run calls with the numbers of trials finished and asked for.

    On a terminal it draws a bar on standard error; without one, it prints a line every 30 s. `clock` is in seconds.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:  # A disabled bar still prints an empty line when it stops, before rich 14.3.
        yield _lines_of_progress(name, clock)
        return
    description = TextColumn("{task.description}", markup=False)  # A variant's name may hold brackets.
    columns = (description, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(printable(f"{name}: trials"), total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _lines_of_progress(name: str, clock: Callable[[], float]) -> Callable[[int, int], None]:
    """Prints `name: 120 of 1,000 trials after 60 s, 2.0 a second, 440 s left`, at most every 30 s.

    The rate is that since the first call: trials of a resumed run that were finished before do not count.
    """
    start = last = clock()
    first: tuple[float, int] | None = None

    def show(done: int, total: int) -> None:
        nonlocal last, first
        now = clock()
        first = first or (now, done)
        if now - last >= _PROGRESS_EVERY_S and done < total:
            last = now
            speed = ""
            if now > first[0] and done > first[1]:
                rate = (done - first[1]) / (now - first[0])
                speed = f", {rate:,.1f} a second, {(total - done) / rate:,.0f} s left"
            print_note(f"{name}: {done:,} of {total:,} trials after {now - start:.0f} s{speed}")

    return show
