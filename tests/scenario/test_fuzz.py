"""Every input gives a Scenario or a ScenarioError. Callers catch nothing else."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.scenario import Scenario, ScenarioError, json_schema, load, loads, resolved_text
from simulator.scenario.text.tree import parse
from tests.scenario.faults.test_faults import VERBS, WHEN, text
from tests.scenario.mutants import outcome_of
from tests.support.scenarios import RICH, WIDE

ENTRIES = [*(f"{{at: 1s, {verb}}}" for verb, _ in VERBS), *(f"{{{when}, kill: n1}}" for when, _ in WHEN)]
TREES = [parse(example, "x.yaml").tree for example in (RICH, WIDE, text(*ENTRIES))]
TREE = TREES[0]
KEYS = ["at", "after", "lasts", "crash", "uniform", "name", "loss", "nodes", "between"]
EDITOR = jsonschema.Draft202012Validator(json_schema())

NASTY: list[Any] = [
    *(None, True, False, 0, 1, -1, 2**64, 10**100, 0.5, 1.5, -0.0, 1e300, float("nan"), float("inf")),
    *("", "x", "on", "1:30", "010", "n0", "n1", "n5", "n6", "n99999999999", "leader", "all", "raft"),
    *("\x07", "a\nb", "\x85", "\u2028x", "n1\n", "é"),
    *("0s", "1ns", "5ms", "1000h", "400000h", "-5ms", "0.1ns", "together", "same", "1e3ms", "\u2028", "{", "=", "<<"),
    *([], {}, [[]], [[[]]], {"at": "1s"}, {"constant": "5ms"}, {"uniform": ["5ms", "1ms"]}, {"name": "raft"}, {"": ""}),
    *(
        "world",
        "lan",
        "zone:oslo",
        "berlin",
        "10MB/s",
        "0bit/s",
        "stream",
        {"berlin": ["n1"]},
        {"a": {"a": 0}},
        ["oslo"],
    ),
    *({"together": None}, {"same": None}, {"exponential": None}, {"normal": []}, ["n1", "n1"], {"on": 1, "1": 2}),
]
SYNTAX = [*"{}[]:,-&*!|>%@`'\"#?\n\t\0\ud800", "---\n", "\n  ", ": ", "<<", '"\\U', '"\\x']
values = st.sampled_from(NASTY) | st.text(max_size=8) | st.floats() | st.integers()


def paths(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    return [inner for key in keys for inner in ((*path, key), *paths(tree[key], (*path, key)))]


@st.composite
def mutated_trees(draw: st.DrawFn) -> Any:
    tree = copy.deepcopy(draw(st.sampled_from(TREES)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(paths(tree)))
        holder = tree
        for key in path[:-1]:
            holder = holder[key]
        change = draw(st.sampled_from(["replace", "delete", "rename", "add"]))
        if change == "delete":
            del holder[path[-1]]
        elif change == "replace" or isinstance(holder, list):
            holder[path[-1]] = copy.deepcopy(draw(values))
        else:
            key = draw(st.text(max_size=5) | st.sampled_from(KEYS))
            holder[key] = holder.pop(path[-1]) if change == "rename" else copy.deepcopy(draw(values))
    return tree


@st.composite
def mutated_texts(draw: st.DrawFn) -> str:
    text = RICH
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        junk = draw(st.text(max_size=3) | st.sampled_from(SYNTAX))
        text = text[:at] + junk + text[at + draw(st.integers(0, 6)) :]
    return text


def hold(text: str, *overrides: str) -> None:
    """What must be true of any text."""
    try:
        scenario = loads(text, "x.yaml", overrides)
    except ScenarioError as error:
        lines = str(error).split("\n")
        assert 1 <= len(lines) <= 21
        assert all(line.isprintable() and line.startswith(("x.yaml", "override ", "… and ")) for line in lines)
    else:
        assert isinstance(scenario, Scenario)
        scenario.cluster_spec()
        assert loads(resolved_text(scenario)) == scenario
        if not overrides:  # An editor must never mark a scenario that runs.
            assert [error.message for error in EDITOR.iter_errors(parse(text, "x.yaml").tree)] == []


@pytest.mark.parametrize("count", [150, pytest.param(2_000, marks=pytest.mark.verify)])
def test_mutated_trees(count: int) -> None:
    """Issue 2, part 5: a bad scenario is an error of one line, never a traceback."""

    @settings(max_examples=count)
    @given(mutated_trees())
    def mutate(tree: Any) -> None:
        hold(yaml.safe_dump(tree, allow_unicode=True))

    mutate()


@pytest.mark.parametrize("count", [150, pytest.param(2_000, marks=pytest.mark.verify)])
def test_mutated_texts(count: int) -> None:
    """Issue 2, part 5: a text that is not YAML is an error of one line, never a traceback."""

    @settings(max_examples=count)
    @given(mutated_texts())
    def mutate(text: str) -> None:
        hold(text)

    mutate()


@settings(max_examples=150)
@given(
    st.sampled_from([".".join(map(str, path)) for path in paths(TREE)]) | st.text(max_size=12),
    st.text(max_size=8) | values.map(lambda value: yaml.safe_dump(value, default_flow_style=True)),
)
def test_overrides(path: str, value: str) -> None:
    """Issue 2, part 5: an override is checked by the same rules as the file."""
    hold(RICH, f"{path}={value}")


@settings(max_examples=100)
@given(mutated_trees())
def test_mutated_trees_run_or_are_refused(tree: Any) -> None:
    """Ten thousand of them: tests/verify/test_mutated_scenarios.py."""
    outcome_of(yaml.safe_dump(tree, allow_unicode=True))


@settings(max_examples=100)
@given(content=st.binary(max_size=40), place=st.integers(0, len(RICH)))
def test_files_of_any_bytes(tmp_path_factory: Any, content: bytes, place: int) -> None:
    """ "bad files are ScenarioErrors with file, line, value" (issue 3), whatever bytes a file holds."""
    path: Path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(RICH[:place].encode() + content + RICH[place:].encode())
    try:
        assert isinstance(load(path), Scenario)
    except ScenarioError as error:
        assert str(path) in str(error)  # noqa: PT017 - either is right.
