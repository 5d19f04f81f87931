"""What the lists of algorithms and of faults share in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from rich import box
from rich.table import Table


def table_with(*columns: str, title: str | None = None) -> Table:
    """An empty table with these headings. The first column holds names, which are never broken."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
    )
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number == 0)
    return table


def field_table(title: str, fields: Iterable[Mapping[str, str]], heading: str = "option") -> Table:
    """A row for each field (`reference.Field.plain`)."""
    table = table_with(heading, "default", "meaning", title=title)
    for field in fields:
        meaning = f"{field['about']} ({field['value']})" if field["about"] else field["value"]
        table.add_row(field["name"], field["default"], meaning)
    return table


def paragraphs(text: str) -> Iterator[str]:
    """The paragraphs of a text, each joined into one line; an indented paragraph keeps its lines."""
    for paragraph in text.split("\n\n"):
        yield paragraph if "\n    " in paragraph else paragraph.replace("\n", " ")
