"""Drafts: what a killed run leaves, how it is read, and when it may be removed (issue 12, C1)."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

import simulator
import simulator.results
from simulator.experiment.drafts import DraftLock, dead_drafts
from simulator.experiment.journal import JOURNAL, read_journal
from simulator.experiment.runner import run
from simulator.experiment.store import new_directory
from tests.experiment.test_runner import CRASH
from tests.support.command_line import invoke

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no directory can be locked there")
OVERLAPPING = CRASH.replace("crash: leader}", "pause: leader, lasts: 600ms}")  # An old leader comes back, and overlaps.


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "results"


def left_by_a_kill(root: Path, text: str = CRASH, trials: int = 4) -> tuple[Path, simulator.Result]:
    """The draft of a run that was killed after so many trials, and what it had found by then."""
    scenario = simulator.loads(text)
    block = new_directory(root, scenario.name)
    draft = block.__enter__()
    draft.begin(scenario, seed=3, requested=45, command="electsim run small.yaml --trials 45 --seed 3")
    result = run(scenario, trials=trials, seed=3, on_finished=draft.append)
    dead = root / ".small-crash-0k1l2m3n"  # A copy: nobody holds a lock on it.
    dead.mkdir()
    for file in draft.path.iterdir():
        (dead / file.name).write_bytes(file.read_bytes())
    block.__exit__(None, None, None)
    return dead, result


@pytest.mark.parametrize("text", [CRASH, OVERLAPPING], ids=["crash", "overlaps"])
def test_a_draft_has_all_that_its_finished_trials_have_found(root: Path, text: str) -> None:
    """ "`electsim show` reads their finished trials": the same tables, columns and digest as the run itself had."""
    draft, result = left_by_a_kill(root, text)
    stored = simulator.results.load(draft)
    for name in ("trials", "elections", "rounds", "overlaps"):
        pd.testing.assert_frame_equal(getattr(stored, name), getattr(result, name))
    assert len(result.overlaps) > 0 or text is CRASH
    assert (stored.summary["digest"], stored.summary["stopped_by"]) == (result.digest, "killed")
    assert stored.summary["trials"]["requested"] == 45
    assert stored.summary["command"] == "electsim run small.yaml --trials 4 --seed 3"
    assert stored.trace(2).digest == result.trials["digest"][2]
    for command in (("show", draft), ("trace", draft), ("replay", draft, "--trial", 3)):
        assert invoke(*command).exit_code == 0


def test_a_line_that_a_kill_has_cut_short_is_left_out(root: Path) -> None:
    draft, result = left_by_a_kill(root)
    whole = (draft / JOURNAL).read_bytes()
    (draft / JOURNAL).write_bytes(whole[:-40])
    assert len(simulator.results.load(draft).trials) == len(result.trials) - 1


def test_broken_promises_are_written_down_too(tmp_path: Path) -> None:
    scenario = simulator.loads(CRASH + "liveness: {within: 1ms}\n")
    with new_directory(tmp_path, "run") as draft:
        draft.begin(scenario, seed=3, requested=3, command="")
        result = run(scenario, trials=3, on_finished=draft.append)
        read = read_journal(draft.path / JOURNAL)
    assert result.violations
    assert [(one.trial, violation) for one in read for violation in one.violations] == list(result.violations)


def test_what_is_not_a_finished_trial_is_a_line(root: Path) -> None:
    draft, _ = left_by_a_kill(root)
    (draft / JOURNAL).write_text('{"row": 3}\n[1, 2]\n')
    outcome = invoke("show", draft)
    assert (outcome.exit_code, len(outcome.stderr.splitlines())) == (2, 1)
    assert "finished.jsonl, line 2: is not a finished trial" in outcome.stderr


def test_clean_lists_what_it_removes_and_leaves_all_else(root: Path) -> None:
    """ "Nothing is deleted without `electsim clean`". A run that goes on, a result and other directories are left."""
    draft, result = left_by_a_kill(root)
    simulator.save(result, root)
    others = [root / ".git", root / ".cache-abcdefgh", root / "notes"]
    for other in others:
        other.mkdir()
        (other / "file").write_text("mine")
    (root / ".empty-abcdefgh").mkdir()  # Killed before it wrote anything.
    with new_directory(root, "small-crash") as alive:
        assert dead_drafts(root) == [root / ".empty-abcdefgh", draft]
        asked = invoke("clean", "--results", root)
        assert (asked.exit_code, draft.is_dir()) == (2, True)
        assert f"{draft}: 4 finished trials, 0.0 MB" in asked.stdout
        assert "say --yes" in asked.stderr
        done = invoke("clean", "--results", root, "--yes")
        assert done.exit_code == 0
        assert f"{draft}: removed" in done.stdout
        assert not draft.exists()
        assert alive.path.is_dir()
    assert {path.name for path in root.iterdir()} == {".git", ".cache-abcdefgh", "notes", "small-crash-001"}
    assert "no drafts of killed runs" in invoke("clean", "--results", root, "--yes").stdout


def test_a_draft_that_is_in_use_again_is_not_removed(root: Path) -> None:
    draft, _ = left_by_a_kill(root)
    lock = DraftLock(draft)
    try:
        assert dead_drafts(root) == []
        assert "no drafts" in invoke("clean", "--results", root, "--yes").stdout
    finally:
        lock.release()
    assert dead_drafts(root) == [draft]


def test_the_draft_of_a_comparison_names_its_parts(root: Path) -> None:
    draft, _ = left_by_a_kill(root)
    part = draft / "01-loss-0"
    part.mkdir()
    for file in [file for file in draft.iterdir() if file.is_file()]:
        file.rename(part / file.name)
    assert dead_drafts(root) == [draft]
    outcome = invoke("show", draft)
    assert (outcome.exit_code, len(outcome.stderr.splitlines())) == (2, 1)
    assert f"a comparison that did not end; name one of its parts: {part}" in outcome.stderr
    assert '"stopped_by": "killed"' in invoke("show", part, "--json").stdout


def test_a_full_disk_ends_the_writing_down_and_not_the_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours of trials are worth more than the note that each of them was finished."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("simulator.experiment.journal.Journal.append", full)
    scenario = root.parent / "small.yaml"
    scenario.write_text(CRASH)
    outcome = invoke("run", scenario, "--trials", 3, "--results", root, "--json")
    assert outcome.exit_code == 0
    assert "no longer written down as they came: No space left on device" in outcome.stderr
    assert [path.name for path in root.iterdir()] == ["small-crash-001"]
