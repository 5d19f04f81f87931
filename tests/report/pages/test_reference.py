"""The scenario reference is what the schema says: issue 6, "scenario reference generated from the schema"."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.algorithms.registry import REGISTRY
from simulator.cluster.faults.registry import FAULTS
from simulator.report.pages.reference import reference_page
from simulator.scenario import json_schema
from simulator.scenario.durations.distributions import DISTRIBUTIONS

ROOT = Path(__file__).parents[3]
SCHEMA = json_schema()
PAGE = reference_page(SCHEMA)


def test_the_committed_page_is_up_to_date() -> None:
    # `make schema` brings it up to date.
    assert (ROOT / "docs" / "scenario-reference.md").read_text(encoding="utf-8") == PAGE


@pytest.mark.parametrize("name", [*FAULTS, *DISTRIBUTIONS, *(f"name: {name}" for name in REGISTRY)])
def test_everything_that_can_be_named_has_a_section(name: str) -> None:
    assert f"### `{name}`\n" in PAGE


def test_every_field_of_the_schema_has_its_row() -> None:
    """But a nemesis's faults, which are those of `faults` with a weight, and what is written within one value."""
    rows = set(re.findall(r"^\| `(\w+)", PAGE, re.MULTILINE)) | set(re.findall(r"(\w+): …", PAGE))
    parts = {name: part for name, part in SCHEMA["$defs"].items() if not name.startswith("Weighted")}
    fields = {field for part in (SCHEMA, *parts.values()) for field in part.get("properties", ())}
    headings = {"bursts", "gilbert_elliott", *DISTRIBUTIONS}
    assert fields - rows - headings - {"name"} == set()


def test_defaults_are_written_as_a_scenario_writes_them() -> None:
    assert "| `retransmit_after` | duration | `200ms` |" in PAGE  # 200 000 000 in the schema.
