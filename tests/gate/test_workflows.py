"""The workflows that we hand out: they are what a CI takes, and what they call works (issue 6: "Ready workflows")."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click
import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.cli.gate import gate
from simulator.gate.workflows import WORKFLOWS
from simulator.scenario.text.tree import parse
from tests.experiment.test_runner import CRASH


def printed(name: str) -> Any:
    """The workflow as the command prints it, read as YAML 1.2, where `on` is a word."""
    outcome = CliRunner().invoke(main, ["gate", "--workflow", name])
    assert outcome.exit_code == 0
    assert outcome.stdout == WORKFLOWS[name].read_text(encoding="utf-8")
    return parse(outcome.stdout, name).tree


def scripts(name: str) -> list[str]:
    """The commands of a workflow, in order."""
    if name == "github":
        return [step["run"] for step in printed(name)["jobs"]["gate"]["steps"] if "run" in step]
    return list(printed(name)["election-timing"]["script"])


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Somebody's repository, with one guarded scenario."""
    (tmp_path / "scenarios" / "ci").mkdir(parents=True)
    (tmp_path / "scenarios" / "ci" / "crash.yaml").write_text(CRASH)
    accept = ["gate", str(tmp_path / "scenarios" / "ci" / "crash.yaml"), "--accept", "the first"]
    assert CliRunner().invoke(main, [*accept, "--baseline", str(tmp_path / "results" / "baselines")]).exit_code == 0
    return tmp_path


@pytest.mark.parametrize("name", WORKFLOWS)
def test_what_it_calls_works(name: str, repository: Path) -> None:
    install, *commands = scripts(name)
    assert install == "python -m pip install -r requirements.txt"
    assert len(commands) == 2
    place = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": place, "GITHUB_STEP_SUMMARY": str(repository / "summary.md")}
    for command in commands:  # As GitHub's runner does: bash -e.
        done = subprocess.run(["bash", "-ec", command], cwd=repository, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert ElementTree.parse(repository / "gate.xml").getroot().find("testsuite") is not None
    kept = {"github": "summary.md", "gitlab": "gate.md"}[name]
    assert "| small-crash | identical |" in (repository / kept).read_text()
    # A step ends the job where its command fails: here, since somebody has changed the scenario.
    (repository / "scenarios" / "ci" / "crash.yaml").write_text(CRASH.replace("seed: 3", "seed: 4"))
    done = subprocess.run(
        ["bash", "-ec", commands[-1]], cwd=repository, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "seed was 3, and is 4" in done.stderr


def test_github_reads_it_as_meant() -> None:
    workflow = printed("github")
    assert set(workflow) == {"name", "on", "permissions", "jobs"}
    assert set(workflow["on"]) == {"pull_request", "push"}
    uses = [step["uses"].partition("@")[0] for step in workflow["jobs"]["gate"]["steps"] if "uses" in step]
    assert uses == ["actions/checkout", "actions/setup-python", "actions/upload-artifact"]
    # The report is kept where it matters most: after a failure.
    upload = workflow["jobs"]["gate"]["steps"][-1]
    assert (upload["if"], upload["with"]["path"]) == ("always()", "gate.xml")


def test_gitlab_reads_it_as_meant() -> None:
    job = printed("gitlab")["election-timing"]
    assert job["artifacts"] == {"when": "always", "paths": ["gate.md"], "reports": {"junit": "gate.xml"}}
    assert all(set(rule) == {"if"} for rule in job["rules"])


def test_each_can_be_asked_for() -> None:
    (option,) = [parameter for parameter in gate.params if parameter.name == "workflow"]
    assert isinstance(option.type, click.Choice)
    assert list(option.type.choices) == list(WORKFLOWS)
