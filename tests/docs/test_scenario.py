"""docs/scenario.md names every field of a scenario, and its example is one: a reader copies it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.scenario import advice, loads
from simulator.scenario.cluster import Cluster
from simulator.scenario.schema import Scenario
from simulator.shipped import shipped

PAGE = (Path(__file__).parents[2] / "docs" / "scenario.md").read_text(encoding="utf-8")
FIELDS = [
    *(name for name in Scenario.model_fields if name != "cluster"),
    *(f"cluster.{n}" for n in Cluster.model_fields),
]


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_has_its_row(name: str) -> None:
    assert f"\n| `{name}` |" in PAGE


def test_the_example_is_valid() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert advice(loads(example)) == []


def test_every_shipped_scenario_is_told_of() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    assert [name for name in shipped() if f"`{name}`" not in page] == []
