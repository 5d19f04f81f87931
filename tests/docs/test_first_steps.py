"""docs/tutorial.md and the README are run as a reader would run them, and show what the program prints."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tutorial_shows_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in re.findall(r"```yaml\n# (\S+\.yaml)\n(.*?)```", PAGE, re.DOTALL):
        Path(name).write_text(text, encoding="utf-8")
    told = re.findall(r"```console\n\$ electsim (.*?)\n(.*?)```", PAGE, re.DOTALL)
    assert len(told) == PAGE.count("```console") >= 5
    for command, shown in told:
        printed = shown_by(command)
        # A line of … alone stands for any number of lines.
        pattern = re.escape(shown).replace("…", ".*")
        assert re.fullmatch(pattern, printed, re.DOTALL), f"$ electsim {command}\n{printed}"


def test_the_readme_shows_what_make_run_prints(tmp_path: Path) -> None:
    [shown] = re.findall(r"```text\n(raft-leader-crash .*?)```", README, re.DOTALL)
    command = f"run {ROOT}/scenarios/raft-leader-crash.yaml --results {tmp_path} --workers 1"
    printed = shown_by(command).replace(f"{ROOT}/", "")
    assert printed.startswith(shown), printed


def shown_by(command: str) -> str:
    """What is printed, without the blanks at the ends of lines, and without the progress that a slow machine shows."""
    printed = CliRunner().invoke(main, shlex.split(command)).output
    printed = re.sub(r"^\S+: [\d,]+ of [\d,]+ trials after \d+ s.*\n", "", printed, flags=re.MULTILINE)
    return "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
