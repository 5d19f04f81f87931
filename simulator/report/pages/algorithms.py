"""The description of an algorithm: `electsim algorithms`, and docs/algorithms.md."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simulator.algorithms.registration import Registration
from simulator.protocol import Assumption, Guarantee
from simulator.report.pages.listing import field_table, paragraphs, table_with
from simulator.report.pages.reference import Field, algorithm_options, table_of
from simulator.scenario import json_schema

Description = Mapping[str, Any]

_OPENING = """# Algorithms

What a scenario may name as its `algorithm`, as the program itself knows it: `electsim algorithms --markdown` writes
this page. `electsim algorithms NAME` prints one of them, and `electsim run leader-crash --algorithm NAME` runs it.
[Write your own](write-an-algorithm.md), and it is listed beside these.

Guarantees are checked in every trial; where an algorithm has assumptions, in those trials that broke none of them
([nemesis and liveness](nemesis.md)). Options are written under `algorithm`, beside its name.
"""


def describe(registrations: Iterable[Registration]) -> list[dict[str, Any]]:
    """The full description of each algorithm, as plain values for JSON. `about` is the docstring of its module."""
    schema = json_schema()
    return [_described(registration, schema) for registration in registrations]


def _described(registration: Registration, schema: Mapping[str, Any]) -> dict[str, Any]:
    options, sets = algorithm_options(schema, registration.name)
    algorithm = registration.algorithm
    return {
        "name": registration.name,
        "paper": registration.paper,
        "cost": registration.cost,
        "about": inspect.cleandoc(sys.modules[algorithm.__module__].__doc__ or algorithm.__doc__ or ""),
        "guarantees": _meanings(algorithm.guarantees),
        "assumptions": _meanings(algorithm.assumes),
        "options": [option.plain() for option in options],
        "option_sets": {name: [option.plain() for option in inside] for name, inside in sets.items()},
        "dialects": list(registration.dialects),
        "groups": [registration.group, *(group.name for group in registration.groups)],
        "page": registration.page,
    }


def _meanings(words: Iterable[Guarantee | Assumption]) -> dict[str, str]:
    return {word.value: word.about for word in sorted(words)}


# --- For a terminal


def overview(descriptions: Iterable[Description]) -> RenderableType:
    """A row for each."""
    table = table_with("algorithm", "from", "messages and time")
    for described in descriptions:
        table.add_row(described["name"], described["paper"], described["cost"])
    return table


def detail(described: Description) -> RenderableType:
    """One of them, whole."""
    guarantees = _words(described["guarantees"]) or "nothing that is checked"
    parts: list[RenderableType] = [
        Text(described["name"], style="bold"),
        *(Padding(Text(paragraph), (0, 0, 1, 2)) for paragraph in paragraphs(described["about"])),
        _line("paper", described["paper"]),
        _line("cost", described["cost"]),
        _line("guarantees", guarantees),
        _line("assumes", _assumed(described)),
        _line("groups", ", ".join(described["groups"])),
    ]
    for name, options in {"": described["options"], **described["option_sets"]}.items():
        if options:
            parts += [Text(""), field_table(f"Options of {name}" if name else "Options", options)]
    return Group(*parts)


def _assumed(described: Description) -> str:
    if assumed := _words(described["assumptions"]):
        return assumed
    bound = "no more than is said above: its guarantees are checked in every trial"
    return bound if described["guarantees"] else "nothing that is checked"


def _words(meanings: Mapping[str, str]) -> str:
    return "\n".join(f"{word}: {about}" for word, about in meanings.items())


def _line(name: str, text: str) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=10, style="bold")
    grid.add_column()
    grid.add_row(name, text)
    return grid


# --- For the documentation


def page(registrations: Iterable[Registration]) -> str:
    """The page in Markdown."""
    schema = json_schema()
    known = list(registrations)
    lines = [_OPENING, *_contents(known)]
    sets: dict[str, list[Field]] = {}
    for registration in known:
        options, own_sets = algorithm_options(schema, registration.name)
        sets |= own_sets
        lines += [*_section(_described(registration, schema)), *(table_of(options) if options else ())]
    if sets:
        lines += ["## Failure detectors\n", "What `detector` may be ([failure detectors](detectors.md)).\n"]
    for name, inside in sets.items():
        lines += [f"### `{name}`\n", *table_of(inside)]
    return "\n".join(lines).rstrip() + "\n"


def _contents(registrations: Iterable[Registration]) -> Iterator[str]:
    yield "| algorithm | from | messages and time |\n|---|---|---|"
    for registration in registrations:
        cells = (f"[`{registration.name}`](#{registration.name})", registration.paper, registration.cost)
        yield "| " + " | ".join(_escaped(cell) if cell[0] != "[" else cell for cell in cells) + " |"
    yield ""


def _section(described: Description) -> Iterator[str]:
    yield f"## {described['name']}\n"
    for paragraph in described["about"].split("\n\n"):
        yield (paragraph if paragraph.startswith("    ") else _escaped(paragraph)) + "\n"
    if described["page"]:
        yield f"[More about it]({described['page']}).\n"
    yield f"**Guarantees:** {_sentences(described['guarantees']) or 'nothing that is checked.'}\n"
    yield f"**Assumes:** {_sentences(described['assumptions']) or _assumed(described) + '.'}\n"
    yield f"**Cost:** {_escaped(described['cost'])}.\n"
    if described["dialects"]:
        yield f"**Dialects:** {', '.join(f'`{name}`' for name in described['dialects'])}.\n"


def _sentences(meanings: Mapping[str, str]) -> str:
    return " ".join(f"`{word}`: {about}" for word, about in meanings.items())


def _escaped(text: str) -> str:
    """Markdown that shows the text as it is. What is between backticks stays code."""
    parts = text.split("`")
    return "`".join(
        part if number % 2 else re.sub(r"([*_\[\]<>|\\])", r"\\\1", part) for number, part in enumerate(parts)
    )
