"""examples/: "five short programs, run by tests" (issue 12, B)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = {path.stem: path for path in sorted((ROOT / "examples").glob("*.py"))}
# What each prints with few trials: a pattern that only a program that has run and measured can match.
PRINTS = {
    "choose_a_timeout": r"60–120 +\d+ +[\d.]+ % +\d+\n +120–240 .*\n +240–480 .*\n +480–960 ",
    "failover": r"failover, median: \d+ ms \[\d+ – (\d+|∞)]\nfailover, p99: \d+ ms \[\d+ – ",
    "own_algorithm": r"two leaders in 5 of 5 trials, for 0\.[789]\d s in the median\n",
    "two_leaders": r"check_quorum=true +\d overlaps.*\ncheck_quorum=false +[1-9] overlaps in 5 trials, the longest 1\.",
    "which_algorithm": r"omega +\d+ ms +\d+ times two leaders\nraft .*\nring .*\nbully ",
}


def test_there_are_five_and_each_is_short() -> None:
    """A reader takes each in at one sitting."""
    assert sorted(EXAMPLES) == sorted(PRINTS)
    assert len(EXAMPLES) == 5
    assert all(path.read_text(encoding="utf-8").count("\n") < 100 for path in EXAMPLES.values())


@pytest.mark.parametrize("name", PRINTS)
def test_an_example_prints_what_it_says(name: str, tmp_path: Path) -> None:
    """As a reader runs it, with 5 trials, from another directory."""
    program = [sys.executable, str(EXAMPLES[name]), "5"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        program, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(PRINTS[name], done.stdout), done.stdout


def test_the_readme_names_them() -> None:
    """What nobody finds teaches nobody."""
    assert "(examples/)" in (ROOT / "README.md").read_text(encoding="utf-8")
