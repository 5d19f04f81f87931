"""`electsim new` (issue 6): what it writes works as it stands."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import simulator
from simulator.cli import main
from simulator.cli.new import _SCENARIO
from simulator.scenario import advice, json_schema
from tests.docs.test_write_an_algorithm import block

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def new(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["new", *arguments])


def test_a_new_scenario_runs_and_is_called_what_was_asked() -> None:
    outcome = new("my-first.1")
    assert outcome.exit_code == 0, outcome.output
    assert "Now: electsim run my-first.1.yaml" in outcome.stderr
    scenario = simulator.load("my-first.1.yaml")
    assert (scenario.name, advice(scenario)) == ("my-first.1", [])
    result = simulator.run(scenario, trials=5)
    assert result.summary["elections"]["loss"] == 5
    assert result.violations == []


def test_the_name_is_held_to_what_a_scenario_may_be_called() -> None:
    assert json_schema()["properties"]["name"]["pattern"] == f"^{_SCENARIO.pattern}$"


def test_a_new_algorithm_passes_its_test_under_its_own_name() -> None:
    assert new("my-election", "--algorithm").exit_code == 0
    here = Path("my-election")
    assert sorted(path.name for path in here.iterdir()) == ["my_election.py", "pyproject.toml", "test_my_election.py"]
    assert not any("ighest" in path.read_text().replace("the highest id", "") for path in here.glob("my_*"))
    points = tomllib.loads((here / "pyproject.toml").read_text())["project"]["entry-points"]
    assert points == {"simulator.algorithms": {"my-election": "my_election:MY_ELECTION"}}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "."],
        cwd=here, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "2 passed" in tested.stdout, tested.stdout


def test_the_page_shows_what_is_written() -> None:
    """docs/write-an-algorithm.md is run by a test of its own."""
    new("highest-alive", "--algorithm")
    assert Path("highest-alive/highest_alive.py").read_text() == block("highest_alive.py")
    assert block("A scene").rstrip() in Path("highest-alive/test_highest_alive.py").read_text()
    assert block("pyproject.toml") in Path("highest-alive/pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["a b"], "electsim: a b is not a name; write letters, digits"),
        (["../up"], "electsim: ../up is not a name"),
        (["My", "--algorithm"], "electsim: My: not a name for an algorithm: small letters and digits, words parted"),
        (["raft", "--algorithm"], "electsim: raft: an algorithm is called that; choose another name"),
        (["random", "--algorithm"], "electsim: random: Python has a module random; choose another name"),
        (["class", "--algorithm"], "electsim: class: a word that its module needs for something else"),
        (["alive", "--algorithm"], "electsim: alive: a word that its module needs for something else"),
        (["leader", "--algorithm"], "electsim: leader: a word that its module needs for something else"),
    ],
)
def test_what_cannot_be_a_name_is_refused_in_one_line(arguments: list[str], says: str) -> None:
    outcome = new(*arguments)
    assert (outcome.exit_code, outcome.stderr.count("\n")) == (2, 1)
    assert outcome.stderr.startswith(says)
    assert list(Path().iterdir()) == []


def test_nothing_is_overwritten() -> None:
    Path("mine.yaml").write_text("mine")
    assert new("mine").stderr == "electsim: mine.yaml exists; choose another name, or move it away\n"
    assert Path("mine.yaml").read_text() == "mine"
