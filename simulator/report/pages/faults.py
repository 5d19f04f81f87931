"""The faults of a schedule: `electsim faults`, made from the JSON Schema of scenarios."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from simulator.cluster.faults.registry import FAULTS
from simulator.report.pages.listing import field_table, paragraphs, table_with
from simulator.report.pages.reference import fault_fields
from simulator.scenario import json_schema

Description = Mapping[str, Any]


def describe() -> list[dict[str, Any]]:
    """The full description of each fault, as plain values for JSON. `when` are the fields that all faults have."""
    common, faults = fault_fields(json_schema())
    when = [field.plain() for field in common]
    return [
        {
            "name": name,
            "about": about,
            "example": FAULTS[name].example,
            "fields": [field.plain() for field in fields],
            "when": when,
        }
        for name, (about, fields) in faults.items()
    ]


def overview(descriptions: Iterable[Description]) -> RenderableType:
    """A row for each: its first sentence, and an example."""
    table = table_with("fault", "what happens", "for example")
    for described in descriptions:
        first = " ".join(described["about"].split()).split(". ")[0].rstrip(".")
        table.add_row(described["name"], first, described["example"])
    return table


def detail(described: Description) -> RenderableType:
    """One of them, whole."""
    return Group(
        Text(described["name"], style="bold"),
        *(Padding(Text(paragraph), (0, 0, 1, 2)) for paragraph in paragraphs(described["about"])),
        Text("For example", style="bold"),
        Padding(Text(f"faults:\n  - {described['example']}"), (0, 0, 1, 2)),
        field_table("Its fields", described["fields"], "field"),
        Text(""),
        field_table("Fields of every fault", described["when"], "field"),
    )
