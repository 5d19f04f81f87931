"""The files around the code: Makefile, workflows, hooks (issue 12: "`.github/`: workflow (3.11 to 3.14, Linux and
macOS), templates; pre-commit with local hooks"). `make lint` checks the workflows against GitHub's schema; here stands
what a schema cannot see: that what they call exists.
"""

from __future__ import annotations

import re
import subprocess
import tomllib
from typing import Any

from simulator.scenario.text.tree import parse
from tests.support.scenarios import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def read(name: str) -> Any:
    return parse((ROOT / name).read_text(encoding="utf-8"), name).tree


def commands() -> list[str]:
    jobs = [job for path in WORKFLOWS for job in read(str(path.relative_to(ROOT)))["jobs"].values()]
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


def test_the_workflows_call_what_exists() -> None:
    called = commands()
    assert {".ci/run", "make test PYTHON=python", "make verify PYTHON=python", "make lowest PYTHON=python"} <= {*called}
    assert [one for one in called if one != ".ci/run" and one.split()[1] not in TARGETS] == []
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_ci_calls_targets_that_exist() -> None:
    called = re.findall(r"^make (\S+)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    assert {"lint", "test", "run"} <= {*called} <= TARGETS


def test_the_tests_run_on_each_python_that_the_package_claims() -> None:
    """ "Workflow (3.11 to 3.14, Linux and macOS)"."""
    matrix = read(".github/workflows/ci.yml")["jobs"]["test"]["strategy"]["matrix"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    claimed = [re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line) for line in project["classifiers"]]
    assert matrix["python"] == [version[1] for version in claimed if version] == ["3.11", "3.12", "3.13", "3.14"]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos"}


def test_hooks_are_local_and_are_what_lint_runs() -> None:
    """ "Pre-commit with local hooks": nothing is fetched, and a commit is held to what `make lint` demands."""
    (source,) = read(".pre-commit-config.yaml")["repos"]
    assert source["repo"] == "local"
    tools = {hook["entry"].split()[0] for hook in source["hooks"]}
    (recipe,) = re.findall(r"^lint:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert {tool.removeprefix(".venv/bin/") for tool in tools} == {*re.findall(r"\$\(BIN\)/(\S+)", recipe)} | {
        "check-jsonschema"
    }


def test_help_teaches_every_target() -> None:
    """ "`make help` teaching the targets"."""
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^make ([a-z]+)  ", shown, re.MULTILINE)) == TARGETS


def test_a_citation_names_this_version() -> None:
    """A result names the version that made it, and so must who cites it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert str(read("CITATION.cff")["version"]) == project["version"]
