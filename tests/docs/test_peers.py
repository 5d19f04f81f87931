"""docs/bully.md, priority.md, rings.md and detectors.md: what they show can be run, and counts what they say."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from simulator.algorithms.bully import BULLY
from simulator.algorithms.detectors import DETECTORS
from simulator.algorithms.invitation import INVITATION
from simulator.algorithms.priority import PRIORITY
from simulator.algorithms.registration import Registration
from simulator.algorithms.rings import CHANG_ROBERTS, HIRSCHBERG_SINCLAIR, RING
from simulator.report.figures.overlaps import overlaps_figure
from simulator.scenario import load, loads
from studies.split_brain import VARIANTS, groups, table
from tests.algorithms.test_bully_counts import counts, expected

ROOT = Path(__file__).parents[2]
PAGES = {
    name: (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for name in ("bully", "priority", "rings", "detectors")
}
BLOCKS = [(name, block) for name, page in PAGES.items() for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
AROUND = "version: 1\nname: shown\nabout: Does it run?\ncluster: {nodes: 5}\nduration: 2s\n"


@pytest.mark.parametrize(("name", "block"), BLOCKS)
def test_what_a_page_shows_is_valid(name: str, block: str) -> None:
    algorithm = "" if "algorithm:" in block else "algorithm: {name: omega, detector: external}\n"
    small = AROUND.replace("nodes: 5", "nodes: 3") if "partition" in block else AROUND
    assert loads(small + algorithm + block).cluster_spec().nodes in (3, 5)


@pytest.mark.parametrize("name", PAGES)
def test_every_scenario_that_is_run_is_shipped(name: str) -> None:
    for shown in re.findall(r"electsim run ([\w-]+)", PAGES[name]):
        load(ROOT / "scenarios" / f"{shown}.yaml")


@pytest.mark.parametrize(
    ("page", "registration"),
    [
        ("bully", BULLY),
        ("bully", INVITATION),
        ("priority", PRIORITY),
        ("rings", RING),
        ("rings", CHANG_ROBERTS),
        ("rings", HIRSCHBERG_SINCLAIR),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_every_message_and_option_is_explained(page: str, registration: Registration) -> None:
    detectors = {kind for _, detector in DETECTORS.values() for kind in detector.receive}
    for kind in set(registration.algorithm.receive) - detectors:
        assert re.search(rf"\b{kind.__name__}\b", PAGES[page]), kind
    for option in fields(registration.config):
        assert re.search(rf"\b{option.name}\b", PAGES[page]), option.name


def test_the_counts_are_those_of_the_table() -> None:
    """For n = 7 and k = 3, each cell evaluated as it stands on the page."""
    rows = re.findall(
        r"^\| (Election|Answer|Coordinator) \| ([^|]+) \| [^|]+ \| [^|]+ \|$", PAGES["bully"], re.MULTILINE
    )
    told = tuple(_value(formula, n=7, k=3) for _, formula in rows)
    assert told == expected(7, 3) == counts(7, range(3, 4))


def _value(formula: str, **values: int) -> int:
    python = formula.replace("−", "-").replace(")(", ")*(").replace("/", "//")
    return int(eval(python, {}, values))


def test_the_command_makes_the_table_and_the_figure() -> None:
    found = {variant: groups(variant, trials=2) for variant in VARIANTS}
    head, _, *lines = table(found)
    assert head in PAGES["priority"]
    assert len(lines) == 3 and all(f"| {variant} |" in PAGES["priority"] for variant in VARIANTS)
    assert len(overlaps_figure(found).axes) == 3
