"""A shipped scenario can be named in every working directory (issue 6: "with the packaged scenarios")."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.scenario import ScenarioError, load
from simulator.shipped import shipped
from tests.support.scenarios import SHIPPED, SMALL


def test_every_scenario_of_the_repository_is_shipped() -> None:
    """Issue 6: "with the packaged scenarios": all of them can be named without a path."""
    assert list(shipped().values()) == SHIPPED
    assert load("raft-leader-crash") == load("raft-leader-crash.yaml") == load(shipped()["raft-leader-crash"])


def test_a_file_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's own file must not be hidden by a shipped scenario."""
    monkeypatch.chdir(tmp_path)
    Path("raft-leader-crash.yaml").write_text(SMALL)
    assert load("raft-leader-crash.yaml").name == "small"


def test_a_slip_in_a_name_gets_a_suggestion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """House rules: an error says what to write instead. A path with a folder means a file only."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScenarioError, match="did you mean raft-leader-crash, which comes with electsim"):
        load("raft-leader-crsh.yaml")
    with pytest.raises(ScenarioError, match=r"No such file or directory$"):
        load("elsewhere/raft-leader-crash.yaml")


def test_they_are_listed_with_their_questions() -> None:
    """Issue 6, front door: `electsim scenarios` lists every shipped scenario."""
    listed = CliRunner().invoke(main, ["scenarios"]).stdout
    assert all(name in listed for name in shipped())
