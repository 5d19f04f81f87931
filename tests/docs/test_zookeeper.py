"""docs/zookeeper.md: what it shows can be run, and it explains every message and option of the ensemble."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from simulator.algorithms.zookeeper.registration import ENSEMBLE
from simulator.scenario import load, loads
from tests.algorithms.zookeeper.test_properties import MUTANTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "zookeeper.md").read_text(encoding="utf-8")
AROUND = "version: 1\nname: shown\nabout: Does it run?\ncluster: {nodes: 3}\nduration: 2s\n"


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_what_the_page_shows_is_valid(block: str) -> None:
    """The page shows every option with its default."""
    assert loads(AROUND + block).cluster_spec().config == ENSEMBLE.config()


def test_every_scenario_that_is_named_is_shipped() -> None:
    shown = re.findall(r"(?:electsim run |`)(zookeeper-ensemble-[\w-]+)", PAGE)
    assert len(shown) >= 2
    for name in shown:
        load(ROOT / "scenarios" / f"{name}.yaml")


@pytest.mark.parametrize(
    "name", [*(kind.__name__ for kind in ENSEMBLE.receive), *(o.name for o in fields(ENSEMBLE.config))]
)
def test_every_message_and_option_is_explained(name: str) -> None:
    assert re.search(rf"\b{name}\b", PAGE)


def test_as_many_faults_are_found_as_it_says() -> None:
    numbers = {"seven": 7, "eight": 8, "nine": 9}
    (said,) = re.findall(r"each of (\w+) deliberate faults", PAGE)
    assert numbers[said] == len(MUTANTS)
