"""CONTRIBUTING, "Add a metric": its code blocks are written into a copy of the tree, and run there.

House.md, section 2: "one record" for a metric, with "its definition, unit, estimator, table row, gate headline".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.docs.test_contributing_algorithm import copied_tree, electsim, run, titled_blocks

FILES = (
    "simulator/metrics/brief_claims.py",
    "simulator/analysis/records/brief_claims.py",
    "tests/metrics/test_brief_claims.py",
)
SCENARIO = """\
version: 1
name: brief-claims
algorithm: {name: raft}
cluster: {nodes: 3}
duration: 4s
trials: 4
faults:
  - {after: leader-announced, kill: leader}
"""


def blocks() -> Mapping[str, str]:
    return titled_blocks("Add a metric")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with the blocks written into it, and nothing else changed."""
    copy = copied_tree(tmp_path_factory.mktemp("tree"), blocks())
    run(copy, "-m", "simulator.report.pages.metrics", "docs/metrics.md")  # Of what `make schema` makes.
    (copy / "brief.yaml").write_text(SCENARIO, encoding="utf-8")
    return copy


def test_it_takes_a_function_a_record_and_a_test() -> None:
    """ "The same for a metric [...]: one record" (house.md, section 2)."""
    assert tuple(blocks()) == FILES


def test_it_keeps_to_the_style(tree: Path) -> None:
    """`make lint` must pass with it: a block that the linter refuses could not be committed."""
    for command in (["check"], ["format", "--check"]):
        run(tree, "-m", "ruff", *command, "--no-cache", *FILES)


def test_its_own_test_passes(tree: Path) -> None:
    """The recipe's third step."""
    assert "1 passed" in run(tree, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", FILES[2])


def test_it_is_in_the_summary_and_the_table(tree: Path) -> None:
    """ "The summary, `electsim compare`, the gate, the tables and docs/metrics.md are made from the record."

    The first leader of each of the four trials is killed at its announcement, well within a second of its claim.
    """
    assert "brief claims" in electsim(tree, "run", "brief.yaml", "--workers", "1")
    (kept,) = (tree / "results").glob("brief-claims*")
    summary = json.loads((kept / "summary.json").read_text(encoding="utf-8"))
    assert summary["metrics"]["brief_claims"] == {"count": 4}


def test_it_can_be_compared(tree: Path) -> None:
    """As above: every variant has one brief claim in each trial."""
    varied = ("--vary", "cluster.nodes=3,5", "--metric", "brief_claims")
    compared = json.loads(electsim(tree, "compare", "brief.yaml", *varied, "--trials", "4", "--workers", "1", "--json"))
    assert [variant["value"] for variant in compared["metrics"]["brief_claims"]["variants"]] == [1.0, 1.0]


def test_its_definition_is_on_the_page(tree: Path) -> None:
    """The recipe's fourth step."""
    assert "| brief claims | `brief_claims` | claims | Claims that end" in (tree / "docs" / "metrics.md").read_text()
