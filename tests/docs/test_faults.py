"""docs/faults.md is executed: what a reader copies from it must work, and nothing may be missing."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from simulator.cluster.faults.registry import FAULTS
from simulator.cluster.faults.schedule import TRIGGERS, WithoutTarget
from simulator.cluster.faults.targets import DESCRIPTIONS
from simulator.scenario import json_schema, loads
from simulator.scenario.text.tree import parse
from tests.support.scenarios import SMALL

# A request needs an algorithm that can do what is asked.
BEFORE = SMALL.replace("{name: raft}", "{name: raft, replication: true, no_op: true}")
DOC = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOC, re.DOTALL)


@pytest.mark.parametrize("block", blocks("yaml"))
def test_every_block_is_valid_in_a_scenario(block: str) -> None:
    scenario = loads(BEFORE + block)
    assert len(scenario.cluster_spec().faults) == block.count("\n  - ")
    assert jsonschema.Draft202012Validator(json_schema()).is_valid(parse(BEFORE + block, "x.yaml").tree)


@pytest.mark.parametrize("key", ["at", "after", "lasts", "label", "without_target"])
def test_the_example_of_every_key_is_valid(key: str) -> None:
    [example] = re.findall(rf"^\| `{key}` \|.*\| `(.*)` \|$", DOC, re.MULTILINE)
    when = "" if key in ("at", "after") else "at: 1s, "
    loads(f"{SMALL}faults:\n  - {{{when}{example}, crash: n1}}\n")


def test_every_verb_has_its_row_and_its_example() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \|", DOC, re.MULTILINE)
    examples = "".join(blocks("yaml"))
    for verb in FAULTS:
        assert verb in rows
        assert re.search(rf"\b{verb}: ", examples)


def test_every_target_occasion_and_outcome_is_explained() -> None:
    for word in (*DESCRIPTIONS, *TRIGGERS, *WithoutTarget):
        assert f"`{word}`" in DOC


def test_the_python_prints_what_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    [code], [printed] = blocks("python"), blocks("text")
    exec(compile(code, "docs/faults.md", "exec"), {})
    assert capsys.readouterr().out == printed
