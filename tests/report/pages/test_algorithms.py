"""`electsim algorithms` lists "paper, assumptions, guarantees, message complexity, options" (issue 5)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from simulator.algorithms.registry import REGISTRY
from simulator.cli import main
from simulator.protocol import Assumption, Guarantee
from simulator.report.pages.algorithms import describe, page

ROOT = Path(__file__).parents[3]


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["algorithms", *arguments])


def test_the_committed_page_is_up_to_date() -> None:
    # `make schema` brings it up to date.
    assert (ROOT / "docs" / "algorithms.md").read_text(encoding="utf-8") == page(REGISTRY.values())


@pytest.mark.parametrize("described", describe(REGISTRY.values()), ids=lambda described: str(described["name"]))
def test_each_says_whom_it_is_from_and_what_it_costs(described: dict[str, str]) -> None:
    assert described["paper"]
    assert described["cost"]
    assert len(described["about"].split("\n\n")) > 1  # More than a title: the assumptions, and the cost in full.
    if described["page"]:
        assert (ROOT / "docs" / described["page"]).is_file()


@pytest.mark.parametrize("word", [*Guarantee, *Assumption])
def test_every_guarantee_and_assumption_has_its_sentence(word: Guarantee | Assumption) -> None:
    assert word.about.endswith(".")
    assert type(word)(str(word)) is word  # As scenarios write it, and as workers receive it.


def test_they_are_listed() -> None:
    outcome = invoke()
    assert all(f"\n{name} " in outcome.stdout for name in REGISTRY)
    assert "Garcia-Molina 1982, section 3" in outcome.stdout


def test_one_is_described_whole() -> None:
    printed_text = " ".join(invoke("bully").stdout.split())
    assert "guarantees agreement: If no fault occurs for the stabilization time" in printed_text
    assert "no-loss: Every message arrives" in printed_text
    assert "answer_timeout 100ms How long a candidate waits" in printed_text
    assert "Options of phi" in printed_text


def test_json_has_all_that_is_known() -> None:
    (bully,) = (described for described in json.loads(invoke("--json").stdout) if described["name"] == "bully")
    assert bully == json.loads(invoke("bully", "--json").stdout)
    assert bully["options"][0] == {
        "name": "answer_timeout",
        "value": "duration",
        "default": "100ms",
        "about": "How long a candidate waits for an answer before it becomes leader. At least a round trip.",
    }
    assert bully["options"][-1]["value"] == "heartbeat, ping, chen, phi, external"
    assert [option["name"] for option in bully["option_sets"]["ping"]] == ["interval", "timeout", "retries"]
    assert set(bully["guarantees"]) == {"agreement", "highest-id"}
    assert bully["groups"] == ["electorate", "monitor"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["buly"], "electsim: buly is not an algorithm; did you mean bully?\n"),
        (["bully", "--markdown"], "electsim: --markdown is the page about all of them; leave NAME and --json out\n"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], says: str) -> None:
    outcome = invoke(*arguments)
    assert (outcome.exit_code, outcome.stderr) == (2, says)
