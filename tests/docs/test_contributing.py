"""The code blocks of CONTRIBUTING.md are written into a copy of the tree, and run there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w/.]+)`:\n\n```\w+\n(.*?)```", GUIDE, re.MULTILINE | re.DOTALL))
RECORD = "simulator/cluster/faults/jitter.py"

SCENARIO = """\
version: 1
name: new-fault
algorithm: {name: raft}
cluster: {nodes: 3}
duration: 4s
"""
SCHEDULE = f"{SCENARIO}faults:\n  - {{at: 1s, jitter: {{between: [n1, n2]}}, spread: 20ms, label: shaky}}\n"
SCHEDULE += "  - {after: shaky + 1s, heal: shaky}\n"
NEMESIS = f"""{SCENARIO}nemesis:
  mix: [{{jitter: random, spread: 20ms}}]
  time_to_failure: 300ms
  time_to_repair: 100ms
"""
# Prints the faults of one trial and the assumptions that it broke.
RUN = """
import json, sys
from simulator.cluster.cluster import run_trial
from simulator.experiment.assumptions import broken_assumptions
from simulator.scenario import loads
spec = loads(sys.stdin.read()).cluster_spec()
trace = run_trial(spec, 1, 0)
rows = [(row.kind, row.field("fault")) for row in trace.rows if row.kind in ("fault", "repaired")]
print(json.dumps({"rows": rows, "broken": sorted(map(str, broken_assumptions(spec, trace)))}))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program with the new fault in it, and nothing else changed."""
    copy = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "simulator", copy / "simulator", ignore=shutil.ignore_patterns("__pycache__"))
    assert not (copy / RECORD).exists()
    (copy / RECORD).write_text(FILES[RECORD], encoding="utf-8")
    return copy


def python(tree: Path, code: str, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        input=given,
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )


def electsim(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(tree, "from simulator.cli import main; main()", *arguments)


def trial(tree: Path, scenario: str) -> dict[str, list[object]]:
    outcome = python(tree, RUN, given=scenario)
    assert outcome.returncode == 0, outcome.stderr
    return dict(json.loads(outcome.stdout))


def test_guide_shows_the_files_of_a_new_fault() -> None:
    """ "Adding a fault takes one file and a page: CONTRIBUTING's code blocks *are* what a test writes" (issue 12)."""
    assert set(FILES) == {RECORD, "docs/faults.md"}


def test_new_fault_runs_in_a_schedule(tree: Path) -> None:
    """ "... the new fault in a schedule, in a nemesis, in `electsim faults` and in the schema" (issue 12, A)."""
    told = trial(tree, SCHEDULE)
    assert told["rows"] == [["fault", "jitter"], ["fault", "heal"]]
    assert told["broken"] == ["bounded-delay", "fifo"]


def test_new_fault_runs_in_a_nemesis(tree: Path) -> None:
    told = trial(tree, NEMESIS)
    assert told["rows"].count(["fault", "jitter"]) > 3
    assert told["rows"].count(["repaired", "jitter"]) > 3


def test_mistake_in_the_new_fault_is_one_line(tree: Path) -> None:
    """CONTRIBUTING's recipe ended "in `KeyError` in three commands" (house.md, section 2)."""
    (tree / "wrong.yaml").write_text(SCHEDULE.replace("spread: 20ms, ", ""), encoding="utf-8")
    outcome = electsim(tree, "validate", "wrong.yaml")
    assert outcome.returncode == 2
    assert outcome.stderr.endswith("wrong.yaml:7: faults.0.spread: is missing\n")


def test_new_fault_is_listed_with_its_help(tree: Path) -> None:
    outcome = electsim(tree, "faults", "jitter", "--json")
    assert outcome.returncode == 0, outcome.stderr
    listed = json.loads(outcome.stdout)
    assert listed["about"] == "Each packet takes a random time longer, so that packets overtake each other."
    assert {field["name"]: field["about"] for field in listed["fields"]}["spread"].startswith("The most that is added")
    assert "jitter" in electsim(tree, "faults").stdout


def test_new_fault_is_in_the_json_schema_and_the_reference(tree: Path) -> None:
    definitions = json.loads(electsim(tree, "schema").stdout)["$defs"]
    assert definitions["Jitter"]["required"] == ["jitter", "spread"]
    assert set(definitions["WeightedJitter"]["properties"]) == {"weight", "jitter", "spread"}
    assert "### `jitter`\n" in electsim(tree, "schema", "--markdown").stdout


def test_part_of_the_page_is_a_row_and_an_example(tree: Path) -> None:
    """tests/docs/test_faults.py asks docs/faults.md for a row and an example of every fault."""
    row, example = FILES["docs/faults.md"].strip().split("\n\n")
    assert re.match(r"^\| `jitter` \|.*\|$", row)
    assert trial(tree, f"{SCENARIO}faults:\n  {example}\n")["rows"] == [["fault", "jitter"], ["repaired", "jitter"]]
