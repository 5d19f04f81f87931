"""docs/write-an-algorithm.md "builds one from nothing in under 60 lines, and a test runs that page" (issue 5)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from simulator.protocol import Assumption, Guarantee

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "write-an-algorithm.md").read_text(encoding="utf-8")


def block(title: str) -> str:
    (found,) = re.findall(rf'^```\w+ title="{re.escape(title)}"\n(.*?)^```$', PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A directory with the module of the page."""
    (tmp_path / "highest_alive.py").write_text(block("highest_alive.py"))
    return tmp_path


def python(here: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=here, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_built_in_under_60_lines() -> None:
    assert len(block("highest_alive.py").splitlines()) < 60


def test_the_program_prints_what_the_page_says(here: Path) -> None:
    (here / "try_it.py").write_text(block("try_it.py"))
    (printed,) = re.findall(r"^It prints\n\n```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert python(here, "try_it.py") == printed


def test_the_entry_point_makes_it_known_to_the_command_line(here: Path) -> None:
    """As pip leaves it: the metadata of a package, beside its module."""
    points = tomllib.loads(block("pyproject.toml"))["project"]["entry-points"]
    metadata = here / "highest_alive-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: highest-alive\nVersion: 0.1.0\n")
    (metadata / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
            for group, entries in points.items()
        )
    )
    main = "import sys; from simulator.cli import main; main(sys.argv[1:])"
    (command,) = re.findall(r"^    electsim (run leader-crash .*)$", PAGE, re.MULTILINE)
    ran = python(here, "-c", main, *command.split(), "--trials", "40", "--workers", "2", "--json")
    summary = json.loads(ran)
    assert (summary["algorithm"], summary["trials"]["run"], summary["trials"]["censored"]) == ("highest-alive", 40, 0)
    assert 0.1 < summary["metrics"]["failover"]["median"]["value"] < 0.15  # Of the timeout given, 150 ms.
    assert "timeout" in python(here, "-c", main, "algorithms", "highest-alive")


def test_its_scene_is_right(here: Path) -> None:
    (here / "scene.txt").write_text(block("A scene"))
    program = (
        "from pathlib import Path; from highest_alive import HIGHEST_ALIVE; from simulator.testing.script import *;"
        "text = Path('scene.txt').read_text();"
        "assert replay(text, registry={'highest-alive': HIGHEST_ALIVE}) == text"
    )
    python(here, "-c", program)


def test_what_it_could_promise_exists() -> None:
    names = set(re.findall(r"\b(?:Guarantee|Assumption)\.([A-Z_]+)", PAGE))
    assert len(names) == 6
    assert names <= {*Guarantee.__members__, *Assumption.__members__}
