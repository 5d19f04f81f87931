"""The lock in requirements/ (issue 12: "A universal lock file with hashes (`uv pip compile --universal
--generate-hashes`, no index address in it), from which `make` installs").
"""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.support.scenarios import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]
FILES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "requirements").glob("*.txt"))}
# What each file must hold: what the program runs with, and what builds it; or one dependency group.
WANTED = {"run": PROJECT["project"]["dependencies"] + GROUPS["build"]}
WANTED |= {name: wanted for name, wanted in GROUPS.items() if name != "build"}
PIN = re.compile(
    r"^([A-Za-z0-9._-]+)==(\S+)( ; .+?)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def pins(name: str) -> list[tuple[str, str]]:
    return [(pin[0], pin[1]) for pin in PIN.findall(FILES[name])]


def test_every_dependency_group_is_locked() -> None:
    assert set(FILES) == set(WANTED)


@pytest.mark.parametrize("name", FILES)
def test_all_that_a_file_installs_has_a_hash_and_no_address(name: str) -> None:
    """ "No index address in it": nothing is left of the file besides comments, versions and hashes."""
    rest = PIN.sub("", FILES[name]).splitlines()
    assert [line for line in rest if not line.startswith("#")] == []
    assert "://" not in FILES[name]


@pytest.mark.parametrize("name", FILES)
def test_what_is_locked_is_what_the_project_allows(name: str) -> None:
    """A bound that is raised without `make lock` would install what the project refuses."""
    locked = pins(name)
    for wanted in map(Requirement, WANTED[name]):
        versions = [version for project, version in locked if project == wanted.name.lower()]
        assert versions, f"{wanted.name} is not in requirements/{name}.txt; run make lock"
        assert all(wanted.specifier.contains(version) for version in versions), f"{wanted}: run make lock"


def test_the_files_agree_with_each_other() -> None:
    """They are installed into one environment, one after the other."""
    versions: dict[str, set[tuple[str, ...]]] = {}
    for name in FILES:
        locked = pins(name)
        for project in {project for project, _ in locked}:
            versions.setdefault(project, set()).add(tuple(sorted(v for p, v in locked if p == project)))
    assert {project: found for project, found in versions.items() if len(found) > 1} == {}
