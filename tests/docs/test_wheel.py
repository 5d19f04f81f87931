"""The package as others install it (issue 6): the wheel in an empty environment outside the checkout, where the main
job runs with the packaged scenarios. Run by `make wheel`, since it installs everything anew.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

import pytest

from tests.support.scenarios import ROOT, SHIPPED

pytestmark = pytest.mark.wheel


def run(*command: object, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, and the wheel that is made from it rather than from the checkout: it must hold all that it takes."""
    place = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", place, ROOT, cwd=place)
    return place


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that holds the wheel, and what it asks for."""
    place = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(place, with_pip=True)
    (wheel,) = built.glob("*.whl")
    run(place / "bin" / "python", "-m", "pip", "--quiet", "install", wheel, cwd=place)
    return place / "bin"


def test_the_main_job_runs_there(installed: Path, tmp_path: Path) -> None:
    asked = ("run", "raft-leader-crash", "--trials", 20, "--json")
    there = json.loads(run(installed / "electsim", *asked, cwd=tmp_path))
    assert there["trials"] == {"run": 20, "requested": 20, "failed": 0, "censored": 0, "never_led": 0}
    kept = {path.name for path in (tmp_path / "results" / "raft-leader-crash-001").iterdir()}
    assert {"scenario.yaml", "summary.json", "trials.parquet", "elections.parquet", "failover.png"} <= kept
    where = run(installed / "python", "-c", "import simulator; print(simulator.__file__)", cwd=tmp_path)
    assert str(ROOT) not in where


def test_every_scenario_is_there(installed: Path, tmp_path: Path) -> None:
    said = run(installed / "electsim", "validate", *(path.stem for path in SHIPPED), cwd=tmp_path)
    assert said.count(": valid") == len(SHIPPED)


def test_what_a_new_algorithm_begins_from_is_there(installed: Path, tmp_path: Path) -> None:
    run(installed / "electsim", "new", "mine", "--algorithm", cwd=tmp_path)
    run(installed / "python", "-m", "pip", "--quiet", "install", tmp_path / "mine", cwd=tmp_path)
    asked = ("run", "leader-crash", "--algorithm", "mine", "--trials", 40, "--workers", 2, "--json")
    assert json.loads(run(installed / "electsim", *asked, cwd=tmp_path))["algorithm"] == "mine"


def test_the_workflows_and_the_pytest_plugin_are_there(installed: Path, tmp_path: Path) -> None:
    assert "electsim gate" in run(installed / "electsim", "gate", "--workflow", "github", cwd=tmp_path)
    asked = "from importlib.metadata import entry_points; print(*entry_points(group='pytest11'))"
    assert "simulator.pytest_plugin" in run(installed / "python", "-c", asked, cwd=tmp_path)


def test_the_sdist_holds_what_was_committed_and_no_results(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        names = {name.partition("/")[2] for name in files.getnames()}
    assert {"pyproject.toml", "README.md", "simulator/protocol.py", "scenarios/raft-leader-crash.yaml"} <= names
    assert not [name for name in names if name.startswith("results/") and name.endswith(".parquet")]
