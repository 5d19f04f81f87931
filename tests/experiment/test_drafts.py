"""What a killed run leaves, how it is read, and when it may be removed (issue 12, C1; issue 14, "Resume")."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

import simulator
import simulator.results
from simulator.experiment.drafts import DraftLock, dead_drafts
from simulator.experiment.executors import InThisProcess
from simulator.experiment.plan import Plan
from simulator.experiment.schedule import run_cells
from simulator.experiment.store import new_directory
from tests.experiment.test_runner import CRASH
from tests.support.command_line import invoke

pytestmark = [
    pytest.mark.usefixtures("no_run_figures"),
    pytest.mark.skipif(os.name == "nt", reason="no directory can be locked there"),
]
OVERLAPPING = CRASH.replace("crash: leader}", "pause: leader, lasts: 600ms}")  # An old leader comes back, and overlaps.
OF_030 = Path(__file__).parent / "killed-0.3.0"  # What version 0.3.0 left of OVERLAPPING after three trials.


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "results"


def plan(text: str = CRASH, requested: int = 45) -> Plan:
    return Plan(
        scenario=simulator.loads(text),
        seed=3,
        first=0,
        requested=requested,
        command=f"electsim run small.yaml --trials {requested} --seed 3",
    )


def left_by_a_kill(root: Path, text: str = CRASH, trials: int = 4) -> tuple[Path, simulator.Result]:
    """The directory of a run that was killed after so many trials, and what it had found by then."""
    with new_directory(root, "begun") as writer:
        writer.begin(plan(text))
        run_cells([plan(text, trials).cell(writer.trials)], InThisProcess(), lambda: 1, lambda cell, chunk: None)
        dead = root / "small-crash-007"  # A copy: nobody holds a lock on it.
        shutil.copytree(writer.path, dead)
    shutil.rmtree(root / "begun-001")
    return dead, simulator.run(simulator.loads(text), trials=trials, seed=3)


@pytest.mark.parametrize("text", [CRASH, OVERLAPPING], ids=["crash", "overlaps"])
def test_an_unfinished_result_has_all_that_its_finished_trials_have_found(root: Path, text: str) -> None:
    """ "`electsim show` reads their finished trials": the same tables, columns and digest as the run itself had."""
    draft, result = left_by_a_kill(root, text)
    stored = simulator.results.load(draft)
    for name in ("trials", "elections", "rounds", "overlaps"):
        pd.testing.assert_frame_equal(getattr(stored, name), getattr(result, name))
    assert len(result.overlaps) > 0 or text is CRASH
    assert (stored.summary["digest"], stored.summary["stopped_by"]) == (result.digest, "killed")
    assert (stored.summary["state"], stored.summary["trials"]["requested"]) == ("unfinished", 45)
    assert stored.summary["command"] == "electsim run small.yaml --trials 4 --seed 3"
    assert stored.trace(2).digest == result.trials["digest"][2]
    for command in (("show", draft), ("trace", draft), ("replay", draft, "--trial", 3)):
        assert invoke(*command).exit_code == 0


def test_what_version_0_3_0_left_is_still_read(tmp_path: Path) -> None:
    """Results of earlier versions stay readable (docs/results.md); theirs were hidden directories with a journal."""
    draft = tmp_path / ".small-crash-0k1l2m3n"
    shutil.copytree(OF_030, draft)
    stored = simulator.results.load(draft)
    assert (len(stored.trials), len(stored.overlaps), stored.summary["stopped_by"]) == (3, 3, "killed")
    assert stored.summary["digest"] == "6adf337a2e0d97aa91ca397ce71cc645e007b506d0a1c48d8d20e8873da7e3bd"
    whole = (draft / "finished.jsonl").read_bytes()
    (draft / "finished.jsonl").write_bytes(whole[:-40])  # A line that a kill has cut short.
    assert len(simulator.results.load(draft).trials) == 2
    assert dead_drafts(tmp_path) == [draft]
    outcome = invoke("run", "--resume", draft)
    assert (outcome.exit_code, "cannot be resumed; run it again" in outcome.stderr) == (2, True)
    (draft / "finished.jsonl").write_text('{"row": 3}\n[1, 2]\n')
    outcome = invoke("show", draft)
    assert (outcome.exit_code, len(outcome.stderr.splitlines())) == (2, 1)
    assert "finished.jsonl, line 2: is not a finished trial" in outcome.stderr


def test_violations_are_kept_with_the_trials(tmp_path: Path) -> None:
    """A result could be read back without its violations; only their counts were kept."""
    text = CRASH + "liveness: {within: 1ms}\n"
    draft, result = left_by_a_kill(tmp_path, text, trials=3)
    assert result.violations
    assert list(simulator.results.load(draft).violations) == list(result.violations)
    assert invoke("run", "--resume", draft).exit_code == 1
    finished = simulator.results.load(draft)
    assert list(finished.result().violations)[: len(result.violations)] == list(result.violations)
    assert finished.summary["violations"] == {"liveness": len(finished.violations)}


def test_clean_lists_what_it_removes_and_leaves_all_else(root: Path) -> None:
    """ "Nothing is deleted without `electsim clean`". A run that goes on, a result and other directories are left."""
    draft, result = left_by_a_kill(root)
    simulator.save(result, root)
    others = [root / ".git", root / ".cache-abcdefgh", root / "notes"]
    for other in others:
        other.mkdir()
        (other / "file").write_text("mine")
    (root / ".empty-abcdefgh").mkdir()  # Version 0.3.0, killed before it wrote anything.
    interrupted = root / "small-crash-002"
    shutil.copytree(draft, interrupted)
    head = (interrupted / "run.json").read_text()
    (interrupted / "run.json").write_text(head.replace("{", '{"stopped_by": "terminated",', 1))
    with new_directory(root, "alive") as alive:
        alive.begin(plan())
        assert dead_drafts(root) == [root / ".empty-abcdefgh", draft]
        asked = invoke("clean", "--results", root)
        assert (asked.exit_code, draft.is_dir()) == (2, True)
        assert f"{draft}: 4 finished trials, 0." in asked.stdout
        assert "say --yes" in asked.stderr
        done = invoke("clean", "--results", root, "--yes")
        assert done.exit_code == 0
        assert f"{draft}: removed" in done.stdout
        assert not draft.exists()
        assert alive.path.is_dir()
    left = {".git", ".cache-abcdefgh", "notes", "small-crash-001", "small-crash-002"}
    assert {path.name for path in root.iterdir()} == left
    assert "no results of killed runs" in invoke("clean", "--results", root, "--yes").stdout


def test_a_result_that_is_being_written_is_neither_removed_nor_resumed(root: Path) -> None:
    draft, _ = left_by_a_kill(root)
    lock = DraftLock(draft)
    try:
        assert dead_drafts(root) == []
        assert "no results of killed runs" in invoke("clean", "--results", root, "--yes").stdout
        assert "is still being written by another process" in invoke("run", "--resume", draft).stderr
        assert simulator.results.load(draft).summary["stopped_by"] == "still running"
    finally:
        lock.release()
    assert dead_drafts(root) == [draft]


def test_an_unfinished_comparison_names_its_parts(root: Path) -> None:
    draft, _ = left_by_a_kill(root)
    part = draft / "01-loss-0"
    part.mkdir()
    for file in [file for file in draft.iterdir() if file != part]:
        file.rename(part / file.name)
    (draft / "run.json").write_text('{"schema": 1, "state": "unfinished", "command": "electsim compare"}\n')
    assert dead_drafts(root) == [draft]
    outcome = invoke("show", draft)
    assert (outcome.exit_code, len(outcome.stderr.splitlines())) == (2, 1)
    assert f"a comparison that did not end; name one of its parts: {part}" in outcome.stderr
    assert '"stopped_by": "killed"' in invoke("show", part, "--json").stdout
    assert (
        "is a comparison of version 0.3.0 or before, which cannot be resumed as a whole"
        in invoke("run", "--resume", draft).stderr
    )


def test_a_full_disk_ends_the_run_and_keeps_what_is_on_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours of trials that cannot be kept are worth nothing; those that were kept are resumed when there is room."""
    replace = os.replace
    written: list[Path] = []

    def full(source: Path, target: Path) -> None:
        if "chunks" in str(target):
            written.append(target)
            if len(written) == 3:
                raise OSError(28, "No space left on device")
        replace(source, target)

    scenario = root.parent / "small.yaml"
    scenario.write_text(CRASH)
    with monkeypatch.context() as patched:
        patched.setattr("simulator.experiment.finished.os.replace", full)
        outcome = invoke("run", scenario, "--results", root, "--workers", 1)
    kept = root / "small-crash-001"
    assert outcome.exit_code == 2
    assert f"{kept}: cannot write results: No space left on device" in outcome.stderr
    assert f"go on with `electsim run --resume {kept}`" in outcome.stderr
    before = sum(int(file.stem.rpartition("-")[2]) for file in (kept / "chunks").glob("*.parquet"))
    assert 0 < before < 45
    assert invoke("run", "--resume", kept, "--workers", 1).exit_code == 0
    assert simulator.results.load(kept).summary["digest"] == simulator.run(simulator.loads(CRASH)).digest
