"""docs/tutorial.md is run as a reader would run it, and shows what the program prints."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.cli import main

PAGE = (Path(__file__).parents[1] / "docs" / "tutorial.md").read_text(encoding="utf-8")


def test_the_tutorial_shows_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in re.findall(r"```yaml\n# (\S+\.yaml)\n(.*?)```", PAGE, re.DOTALL):
        Path(name).write_text(text, encoding="utf-8")
    told = re.findall(r"```console\n\$ electsim (.*?)\n(.*?)```", PAGE, re.DOTALL)
    assert len(told) == PAGE.count("```console") >= 5
    for command, shown in told:
        printed = CliRunner().invoke(main, shlex.split(command)).output
        plain = "\n".join(line.rstrip() for line in printed.splitlines()) + "\n"
        pattern = re.escape(shown).replace("…", ".*")
        assert re.fullmatch(pattern, plain, re.DOTALL), f"$ electsim {command}\n{plain}"
