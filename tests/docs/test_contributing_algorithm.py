"""CONTRIBUTING, "Add an algorithm": "adding an algorithm with terms and votes [takes] one file, a page and a scene:
CONTRIBUTING's code blocks *are* what a test writes into a copy of the tree and runs" (the issue)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = ("simulator/algorithms/ballots.py", "docs/ballots.md", "tests/scripts/ballots/majority_of_promises.txt")
NOT_COPIED = shutil.ignore_patterns("__pycache__", "kept", "images", "notebooks")
MADE = {
    "scenario.schema.json": ("schema",),
    "docs/scenario-reference.md": ("schema", "--markdown"),
    "docs/algorithms.md": ("algorithms", "--markdown"),
}
# What tries every registered algorithm, and must need no line for a new one.
TRIED = (
    "tests/algorithms/test_every_algorithm.py",
    "tests/algorithms/test_scripts.py",
    "tests/testing/test_contract.py",
    "tests/report/pages/test_algorithms.py",
    "tests/report/pages/test_reference.py",
)


def blocks() -> Mapping[str, str]:
    return titled_blocks("Add an algorithm")


def titled_blocks(heading: str) -> Mapping[str, str]:
    """The code blocks of a section of CONTRIBUTING.md by their titles."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r'^(`{3,})\w+ title="(.*?)"\n(.*?)^\1$', section, re.DOTALL | re.MULTILINE)
    return {title: block for _, title, block in found}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with the blocks written into it."""
    copy = copied_tree(tmp_path_factory.mktemp("tree"), blocks())
    for made, command in MADE.items():  # What `make schema` makes.
        (copy / made).write_text(electsim(copy, *command), encoding="utf-8")
    return copy


def copied_tree(copy: Path, files: Mapping[str, str]) -> Path:
    """Copy the tree into a folder, and add files by their paths. Nothing that is there is changed."""
    for folder in ("simulator", "tests", "scenarios", "docs", "studies"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=NOT_COPIED)
    for name in ("pyproject.toml", "CONTRIBUTING.md", "scenario.schema.json"):
        shutil.copy(ROOT / name, copy / name)
    for name, block in files.items():
        path = copy / name
        assert not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block, encoding="utf-8")
    return copy


def run(tree: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": ""}  # Compiled once.
    done = subprocess.run(
        [sys.executable, *arguments], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def electsim(tree: Path, *arguments: str) -> str:
    return run(tree, "-c", "import sys; from simulator.cli import main; main(sys.argv[1:])", *arguments)


def test_it_takes_one_file_a_page_and_a_scene() -> None:
    """The issue, as above."""
    assert tuple(blocks()) == FILES


def test_it_keeps_to_the_style(tree: Path) -> None:
    """`make lint` must pass with it: a block that the linter refuses could not be committed."""
    for command in (["check"], ["format", "--check"]):
        run(tree, "-m", "ruff", *command, "--no-cache", "--config", str(ROOT / "pyproject.toml"), FILES[0])


def test_the_tests_of_every_algorithm_pass_with_it(tree: Path) -> None:
    """Its scene, `leader-crash`, the contract of its state and its entry on the page of algorithms."""
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", "ballots or up_to_date")
    told = run(tree, "-m", "pytest", *options, *TRIED)
    passed = re.search(r"^(\d+) passed", told, re.MULTILINE)
    assert passed and int(passed[1]) >= len(TRIED), told


def test_it_keeps_its_guarantees_under_random_faults(tree: Path) -> None:
    """The issue: an algorithm "with terms and votes", as the scenario's faults and the checks see it."""
    ran = electsim(tree, "run", "raft-nemesis", "--algorithm", "ballots", "--trials", "5", "--workers", "1", "--json")
    summary = json.loads(ran)
    assert (summary["algorithm"], summary["trials"]["run"], summary["metrics"]["failover"]["count"] > 0) == (
        "ballots",
        5,
        True,
    )
    assert "one-vote" in electsim(tree, "algorithms", "ballots")


def test_it_is_in_the_schema(tree: Path) -> None:
    """ "The scenario schema follows from it.\""""
    assert '"ballots"' in electsim(tree, "schema")
