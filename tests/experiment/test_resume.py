"""Chunks of trials, and runs that are resumed: the result is that of an uninterrupted run (issue 14, "Studies")."""

from __future__ import annotations

import json
import random
import shlex
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import simulator
import simulator.results
from simulator.analysis.records.registry import METRICS
from simulator.checks.violation import Violation
from simulator.cli import main
from simulator.cluster.cluster import run_trial
from simulator.experiment.chunks import simulate_chunk
from simulator.experiment.executors import InThisProcess, WorkerDied, WorkerProcesses
from simulator.experiment.finished import InDirectory, missing, without_gap
from simulator.experiment.plan import Plan
from simulator.experiment.schedule import Cell, run_cells
from simulator.experiment.store import new_directory
from simulator.experiment.tables import TablesOnDisk, gathered, write_tables
from tests.experiment.test_runner import CRASH
from tests.support.kills import assert_equal, kill_and_resume

OVERLAPPING = CRASH.replace("crash: leader}", "pause: leader, lasts: 600ms}")
linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes as Linux shows them")


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(OVERLAPPING)
    return path


def test_digests_are_those_of_the_trials_one_by_one() -> None:
    """ "Digests as before" (issue 14): the outside truth is the trial itself, run without chunks or executor."""
    loaded = simulator.loads(CRASH)
    traces = [run_trial(loaded.cluster_spec(), 3, trial).digest for trial in range(12)]
    for workers in (1, 2):
        assert list(simulator.run(loaded, trials=12, workers=workers).trials["digest"]) == traces


@pytest.mark.parametrize("seed", range(3))
def test_chunks_change_no_byte_of_the_tables(tmp_path: Path, seed: int) -> None:
    """ "*The chunking* must not change digests", nor anything else, in whatever order chunks come."""
    spec = simulator.loads(CRASH + "liveness: {within: 1ms}\n").cluster_spec()
    chance = random.Random(seed)
    cuts = sorted({0, 24, *chance.choices(range(1, 24), k=6)})
    pieces = list(pairwise(cuts))
    chance.shuffle(pieces)
    for name, chosen in (("whole", [(0, 24)]), ("pieces", pieces)):
        trials = InDirectory(tmp_path / name)
        (tmp_path / name).mkdir()
        for start, end in chosen:
            trials.add(simulate_chunk(spec, 3, start, end - start))
        write_tables(InDirectory(tmp_path / name), 2, 23, tmp_path / name, {})  # The ends are within chunks.
    for file in sorted((tmp_path / "whole").glob("*.parquet")):
        assert file.read_bytes() == (tmp_path / "pieces" / file.name).read_bytes()
    assert len(pd.read_parquet(tmp_path / "pieces" / "violations.parquet")) > 0
    assert list(pd.read_parquet(tmp_path / "pieces" / "trials.parquet")["trial"]) == list(range(2, 23))


def test_gaps_between_chunks_are_found() -> None:
    """Worked out by hand: trials 0–4, 7–8 and 20–29 are there."""
    there = {0: 5, 7: 2, 20: 10}
    assert missing(there, 0, 25) == [range(5, 7), range(9, 20)]
    assert missing(there, 3, 40) == [range(5, 7), range(9, 20), range(30, 40)]
    assert missing(there, 21, 25) == []
    assert missing({}, 4, 6) == [range(4, 6)]
    assert [without_gap(there, first) for first in (0, 5, 7, 22)] == [5, 5, 9, 30]


def test_a_metric_names_every_column_that_it_reads(tmp_path: Path) -> None:
    """A result on disk gives a metric the columns that its record names, and no others."""
    result = simulator.run(simulator.loads(OVERLAPPING, overrides=["network.loss=0.25"]), trials=20)
    on_disk = TablesOnDisk(simulator.save(result, tmp_path))
    for metric in METRICS:
        assert metric.summarize(on_disk.only(metric.reads)) == metric.summarize(result.tables.only(metric.reads))
    watched = simulator.run("failure-detectors", trials=1)
    on_disk = TablesOnDisk(simulator.save(watched, tmp_path))
    detector = next(metric for metric in METRICS if metric.key == "detector")
    assert detector.summarize(on_disk.only(detector.reads)) == detector.summarize(watched.tables.only({})) is not None


def test_memory_is_that_of_a_chunk_and_not_of_all_trials(tmp_path: Path) -> None:
    """ "The coordinator's memory does not grow with the number of trials": the tables are written a chunk at a time."""
    import tracemalloc

    import pyarrow as pa

    spec = simulator.loads(CRASH).cluster_spec()
    first, peaks = simulate_chunk(spec, 3, 0, 50), []
    for count in (10, 60):
        directory = tmp_path / str(count)
        directory.mkdir()
        trials = InDirectory(directory)
        for number in range(count):  # The same trials under other numbers: what they hold does not matter.
            trials.add(type(first)(first=50 * number, finished=50, failed=(), packed=first.packed, seconds=0))
        tracemalloc.start()
        before = pa.total_allocated_bytes()
        write_tables(trials, 0, 50 * count, directory, {})
        peaks.append(tracemalloc.get_traced_memory()[1] + pa.total_allocated_bytes() - before)
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


def test_trials_after_a_gap_are_shown(scenario: Path, tmp_path: Path) -> None:
    """Chunks come in any order: "`show` of an unfinished result" counts and uses all that are finished."""
    loaded = simulator.load(scenario)
    whole = simulator.run(loaded, trials=30)
    plan = Plan(scenario=loaded, seed=loaded.seed, first=0, requested=40, command="electsim run small.yaml --trials 40")
    with new_directory(tmp_path, "small") as writer:
        writer.begin(plan)
        for first in (0, 20):  # Trials 10 to 19 have not come yet.
            writer.trials.add(simulate_chunk(loaded.cluster_spec(), loaded.seed, first, 10))
    expected = whole.trials[~whole.trials["trial"].between(10, 19)]
    stored = simulator.results.load(writer.path)
    assert list(stored.trials["digest"]) == list(expected["digest"])
    assert stored.summary["trials"]["run"] == 20
    assert stored.summary["command"] == plan.command  # No command repeats these trials and no others.
    elections = whole.elections[~whole.elections["trial"].between(10, 19)]
    assert len(stored.elections) == len(elections)
    assert "20 trials, seed" in invoke("show", writer.path).stdout
    assert invoke("run", "--resume", writer.path, "--workers", 1).exit_code == 0
    assert simulator.results.load(writer.path).summary["digest"] == simulator.run(loaded, trials=40).digest


@linux
@pytest.mark.parametrize("whom", [pytest.param("coordinator", marks=pytest.mark.verify), "worker"])
def test_a_killed_run_is_resumed_without_a_difference(
    scenario: Path, tmp_path: Path, whom: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "After kill -9 of coordinator or workers at any instant no finished trial is run again, and the result equals an
    uninterrupted one"; tests/verify does it a hundred times each."""
    whole = tmp_path / "whole"
    assert invoke("run", scenario, "--trials", 160, "--workers", 1, "--results", whole).exit_code == 0
    kept, outcome = kill_and_resume(scenario, tmp_path / "out", 5, whom, 160, monkeypatch, 1.5)
    assert outcome.exit_code == 0 or "all its trials are finished" in outcome.stderr
    assert_equal(kept, whole / "small-crash-001")


@pytest.mark.parametrize("after", ["interrupted", "precision"])
def test_a_run_that_was_interrupted_goes_on(
    scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    """Ctrl-C keeps tables and figures of what is finished; resumed, they are those of all trials. With a precision, the
    interim analyses are at the same numbers of trials."""
    options = ["--trials", 30] if after == "interrupted" else ["--trials", 200, "--precision", "8%"]
    whole = tmp_path / "whole"
    assert invoke("run", scenario, *options, "--workers", 1, "--results", whole).exit_code == 0
    from simulator.experiment.trial import simulate

    def interrupt(*arguments: int) -> object:
        if arguments[2] == 17:
            raise KeyboardInterrupt
        return simulate(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr("simulator.experiment.chunks.simulate", interrupt)
        outcome = invoke("run", scenario, *options, "--workers", 1, "--results", tmp_path / "out")
    kept = tmp_path / "out" / "small-crash-001"
    assert outcome.exit_code == 130
    assert f"17 of {options[1]} trials were kept; go on with `electsim run --resume {kept}`" in outcome.stderr
    summary = json.loads((kept / "summary.json").read_text())
    assert (summary["state"], summary["stopped_by"], summary["trials"]["run"]) == ("unfinished", "interrupted", 17)
    assert invoke("show", kept).exit_code == 0
    assert invoke("run", "--resume", kept, "--trials", 3).exit_code == 2  # RESULT says how many.
    assert invoke("run", "--resume", kept, "--workers", 1).exit_code == 0
    assert_equal(kept, whole / "small-crash-001")
    assert "all its trials are finished" in invoke("run", "--resume", kept).stderr


@pytest.mark.usefixtures("no_run_figures")
def test_a_damaged_chunk_is_run_again(scenario: Path, tmp_path: Path) -> None:
    """ "Resumed after any crash": one that has left half of a block on the disk, too."""
    root = tmp_path / "out"
    whole = simulator.run(scenario, trials=20)
    assert invoke("run", scenario, "--trials", 20, "--workers", 1, "--results", root).exit_code == 0
    kept = root / "small-crash-001"
    trials = InDirectory(kept)
    plan = {"seed": 3, "requested": 20, "first_trial": 0, "command": "electsim run small.yaml --trials 20 --seed 3"}
    (kept / "run.json").write_text(json.dumps(plan | {"versions": whole.summary["versions"]}))
    for start in (0, 10):
        trials.add(simulate_chunk(whole.scenario.cluster_spec(), 3, start, 10))
    file = kept / "chunks" / "000000000010-10.parquet"
    file.write_bytes(file.read_bytes()[:-30])
    assert "is damaged" in invoke("show", kept).stderr
    assert invoke("run", "--resume", kept, "--workers", 1).exit_code == 0
    assert simulator.results.load(kept).summary["digest"] == whole.digest


def test_a_result_of_other_versions_is_not_resumed(scenario: Path, tmp_path: Path) -> None:
    """Half of it would have digests that nobody can repeat together with those of the other half."""
    directory = tmp_path / "small-crash-001"
    directory.mkdir()
    (directory / "run.json").write_text('{"versions": {"numpy": "1.0"}, "seed": 1, "requested": 2, "command": ""}')
    (directory / "scenario.yaml").write_text(scenario.read_text())
    outcome = invoke("run", "--resume", directory)
    assert outcome.exit_code == 2
    assert f"{directory}: was begun with numpy 1.0, and this is numpy " in outcome.stderr
    assert "is no unfinished result" in invoke("run", "--resume", tmp_path).stderr


@pytest.mark.usefixtures("no_run_figures")
def test_a_trial_that_fails_is_a_row_and_the_others_go_on(tmp_path: Path) -> None:
    """ "A failing trial is a row with its replay command; the study goes on; the exit code says so"."""
    sent = simulator.run(simulator.loads(CRASH), trials=30).trials["sent_total"]
    scenario = tmp_path / "limited.yaml"
    for events in range(int(sent.min()), 5 * int(sent.max()), 10):
        scenario.write_text(CRASH + f"limits: {{events: {events}}}\n")
        outcome = invoke("run", scenario, "--trials", 30, "--workers", 1, "--results", tmp_path / str(events))
        kept = tmp_path / str(events) / "small-crash-001"
        if kept.exists() and len(simulator.results.load(kept).trials) > 15:
            break
    assert outcome.exit_code == 3
    saved = simulator.results.load(kept)
    failures = pd.read_parquet(kept / "failures.parquet")
    count = len(failures)
    assert 0 < count < 15
    assert sorted([*failures["trial"], *saved.trials["trial"]]) == list(range(30))
    assert saved.summary["trials"] | {"censored": 0, "never_led": 0} == {
        "run": 30 - count, "requested": 30, "failed": count, "censored": 0, "never_led": 0,
    }  # fmt: skip
    assert saved.failed == list(failures[["trial", "error"]].itertuples(index=False, name=None))
    assert f"{count} of 30 trials failed, the others were kept; the first again: " in outcome.stderr
    again = invoke(*shlex.split(failures["command"][0])[1:], "--results", tmp_path / "again")
    assert again.exit_code == 3
    assert failures["error"][0] in again.stderr
    with pytest.raises(simulator.TrialError) as raised:  # In Python, as before.
        simulator.run(scenario, trials=30)
    assert raised.value.trial == failures["trial"][0]


# --- Executors


def test_an_executor_of_ones_own_gives_the_same(tmp_path: Path) -> None:
    """ "Executors behind one seam, `concurrent.futures.Executor`": threads of the standard library do as well."""
    from concurrent.futures import ThreadPoolExecutor

    spec = simulator.loads(CRASH).cluster_spec()
    digests = []
    for pool in (InThisProcess(), ThreadPoolExecutor(2)):
        trials = InDirectory(tmp_path / type(pool).__name__)
        (tmp_path / type(pool).__name__).mkdir()
        with pool:
            cell = Cell(spec, seed=3, first=0, requested=12, trials=trials)
            run_cells([cell], pool, lambda: 2, lambda cell, chunk: None)
        tables, _ = gathered(trials, 0, 12)
        digests.append(list(tables.trials["digest"]))
    assert digests[0] == digests[1]


def end(code: int) -> None:
    import os

    os._exit(code)


def test_a_worker_that_ends_breaks_its_future_and_no_other() -> None:
    pool = WorkerProcesses(2)
    try:
        broken, whole = pool.submit(end, 7), pool.submit(len, "four")
        assert whole.result(60) == 4
        with pytest.raises(WorkerDied, match=r"exit code 7"):
            broken.result(60)
        with pytest.raises(TypeError):
            pool.submit(len, 4).result(60)  # type: ignore[arg-type]
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.mark.usefixtures("no_run_figures")
def test_violations_come_back_as_they_were(tmp_path: Path) -> None:
    text = CRASH + "liveness: {within: 1ms}\n"
    result = simulator.run(simulator.loads(text), trials=3)
    kept = tmp_path / "small.yaml"
    kept.write_text(text)
    assert invoke("run", kept, "--trials", 3, "--workers", 1, "--results", tmp_path / "out").exit_code == 1
    found = simulator.results.load(tmp_path / "out" / "small-crash-001").violations
    assert list(found) == list(result.violations)
    assert isinstance(found[0][1], Violation)
