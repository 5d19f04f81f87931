"""The only place that prints: every text is made safe for a terminal first (`simulator.printable`).

A test reads the code of `cli`, `gate` and `report`: nothing else there calls `click.echo`, `print` or a console, but
for the bar of `simulator.cli.progress`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from simulator.printable import UNSAFE, printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.measure import Measurement
    from rich.segment import Segment

_PAGE_WIDTH = 100  # Columns, without a terminal.
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
