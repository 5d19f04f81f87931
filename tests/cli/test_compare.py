"""`electsim compare` as its user meets it (issue 6: "one table, one figure per metric")."""

import json
import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

import simulator
import simulator.results
from simulator.cluster.spec import ClusterSpec
from simulator.experiment.trial import TrialResult, simulate
from tests.support.command_line import ELECTSIM, invoke


def comparison_in(directory: Path) -> dict[str, Any]:
    """What a results directory keeps of a comparison."""
    found: dict[str, Any] = json.loads((directory / "study.json").read_text())["comparison"]
    return found


def test_it_prints_one_table_and_keeps_everything_in_one_place(scenario: Path, tmp_path: Path) -> None:
    outcome = invoke(
        "compare", scenario, "--vary", "algorithm=raft,bully", "--vary", "cluster.nodes=3,5", "--trials", 8,
        "--results", tmp_path / "out", "--tests", "--equivalent", "20%",
    )  # fmt: skip
    assert outcome.exit_code == 0, outcome.output
    for expected in ("failover, median, ms", "bully, nodes 5", "difference", "ratio", "KS distance", "Holm", "1.2"):
        assert expected in outcome.stdout
    (kept,) = (tmp_path / "out").iterdir()
    assert kept.name == "compare-small-crash-001"
    names = {path.name for path in kept.iterdir()}
    assert {"study.json", "cells.parquet", "cell-00001", "cell-00004", "failover-median.png", "messages.svg"} <= names
    part = simulator.results.load(kept / "cell-00004")  # Each part is a run of its own.
    assert (part.scenario.size, part.summary["trials"]["run"]) == (5, 8)
    # "`show` of a part of a comparison repeats rightly" (issue 12, C8): from any folder, with the same digest.
    (repeat,) = re.findall("^repeat  (.*)$", invoke("show", kept / "cell-00004").stdout, re.MULTILINE)
    again = invoke(*shlex.split(repeat)[1:], "--results", tmp_path / "again", "--json")
    assert json.loads(again.stdout)["digest"] == part.summary["digest"]
    shown = invoke("show", kept)
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[:10] == outcome.stdout.splitlines()[:10]


def test_json_is_what_is_kept_and_its_command_repeats_it(scenario: Path, tmp_path: Path) -> None:
    arguments = ("--vary", "network.loss=0,0.2", "--trials", 6, "--metric", "failover.median", "--json")
    first = json.loads(invoke("compare", scenario, *arguments, "--results", tmp_path / "a").stdout)
    assert first == comparison_in(tmp_path / "a" / "compare-small-crash-001")
    _, *words = first["command"].split()
    again = json.loads(invoke(*words, "--json", "--results", tmp_path / "b").stdout)
    assert again == first
    assert [variant["trials"]["run"] for variant in first["variants"]] == [6, 6]


def test_workers_change_nothing(scenario: Path, tmp_path: Path) -> None:
    found = [
        json.loads(
            invoke("compare", scenario, "--vary", "cluster.nodes=3,5", "--trials", 30, "--json",
                   "--results", tmp_path, "--workers", workers).stdout
        )
        for workers in (1, 2)
    ]  # fmt: skip
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "write a field and its values"),
        (("--vary", "cluster.nodes=3"), "two at least"),
        (("--vary", "cluster.nodes=3,x"), "override cluster.nodes=x"),
        (("--vary", "cluster.nodes=3,5", "--metric", "failover"), "did you mean failover."),
        (("--vary", "cluster.nodes=3,5", "--reference", "cluster.nodes=7"), "no variant has this"),
        (("--vary", "cluster.nodes=3,5", "--equivalent", "5"), "such as 5%"),
        (("--vary", "cluster.nodes=3,5", "--equivalent", "0%"), "above 0%"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(scenario: Path, arguments: tuple[str, ...], message: str) -> None:
    outcome = invoke("compare", scenario, *arguments)
    assert outcome.exit_code == 2
    assert message in outcome.stderr
    assert "Traceback" not in outcome.output


def test_variants_whose_trials_fail_do_not_end_the_others(scenario: Path, tmp_path: Path) -> None:
    """ "A trial that fails is a row with its replay command; the study goes on; the exit code says so" (issue 14)."""
    outcome = invoke(
        "compare", scenario, "--vary", "limits.events=1000000,50,2000000", "--trials", 3, "--results", tmp_path / "out"
    )
    assert outcome.exit_code == 3
    assert "trials failed in 1 of 3 variants" in outcome.stderr
    assert "skipped: events 50: all trials failed; the first: EventLimitError" in outcome.stdout
    found = comparison_in(tmp_path / "out" / "compare-small-crash-001")
    assert [variant["name"] for variant in found["variants"]] == ["events 1000000", "events 2000000"]


def test_pairs_with_a_trial_that_failed_are_left_out(scenario: Path, tmp_path: Path) -> None:
    """Both variants are the same but for a limit, so that every pair of trials that both finished is equal."""
    vary = ("--vary", "limits.events=1000000,188", "--trials", 40)
    outcome = invoke("compare", scenario, *vary, "--results", tmp_path, "--json")
    assert outcome.exit_code == 3
    found = json.loads(outcome.stdout)
    failed = found["variants"][1]["trials"]["failed"]
    assert 0 < failed < 40
    assert found["variants"][1]["trials"]["run"] == 40 - failed
    for metric in found["metrics"].values():
        (compared,) = [row for row in metric["variants"] if row["against"]]
        assert (compared["difference"]["value"], compared["verdict"]) == (0, None)
    shown = invoke("show", tmp_path / "compare-small-crash-001").stdout
    assert f"{failed} of 40 trials failed; pairs with them are left out" in shown


def test_variants_that_are_no_scenario_are_skipped_with_the_reason(scenario: Path, tmp_path: Path) -> None:
    vary = ("--vary", "network.loss=0,2,0.1", "--trials", 3, "--workers", 1)
    outcome = invoke("compare", scenario, *vary, "--results", tmp_path)
    assert outcome.exit_code == 0, outcome.output
    assert "skipped: loss 2: " in outcome.stdout


def test_fields_that_follow_others_are_compared(scenario: Path, tmp_path: Path) -> None:
    """Issue 14: "fields cannot be varied together"; the parts are the runs of the linked scenarios."""
    interval = "algorithm.heartbeat_interval"
    vary = ("--vary", f"{interval}=20ms,50ms", "--link", f"algorithm.election_timeout=[3 * {interval}, 6 * {interval}]")
    outcome = invoke("compare", scenario, *vary, "--trials", 8, "--json", "--results", tmp_path)
    found = json.loads(outcome.stdout)
    assert [variant["name"] for variant in found["variants"]] == ["heartbeat_interval 20ms", "heartbeat_interval 50ms"]
    overrides = ["algorithm.heartbeat_interval=20ms", "algorithm.election_timeout=[60ms, 120ms]"]
    assert found["variants"][0]["digest"] == simulator.run(scenario, overrides, trials=8).digest


def test_an_interrupted_comparison_goes_on(scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ "No finished trial is run again", and the comparison is that of an uninterrupted one (issue 14)."""
    vary = ("--vary", "network.loss=0,5%,10%", "--trials", 15, "--workers", 1, "--json")
    whole = json.loads(invoke("compare", scenario, *vary, "--results", tmp_path / "a").stdout)
    run: list[tuple[object, int]] = []

    def interrupt(spec: ClusterSpec, seed: int, trial: int) -> TrialResult:
        if len(run) == 34:
            raise KeyboardInterrupt
        run.append((spec.network.loss, trial))
        return simulate(spec, seed, trial)

    with monkeypatch.context() as patched:
        patched.setattr("simulator.experiment.chunks.simulate", interrupt)
        outcome = invoke("compare", scenario, *vary, "--results", tmp_path / "b")
    kept = tmp_path / "b" / "compare-small-crash-001"
    assert outcome.exit_code == 130
    go_on = f"`electsim compare --resume {kept}`"
    assert f"2 of 3 variants are finished; go on with {go_on}" in outcome.stderr
    begun = comparison_in(kept)
    assert [variant["name"] for variant in begun["variants"]] == ["loss 0", "loss 5%"]
    assert begun["unfinished"] == [
        {"name": "loss 10%", "directory": "cell-00003", "trials": {"run": 4, "requested": 15}}
    ]
    assert "not compared: loss 10%, of which 4 of 15 trials are in cell-00003" in invoke("show", kept).stdout
    assert go_on in invoke("sweep", "--resume", kept).stderr
    again: list[tuple[object, int]] = []

    def watch(spec: ClusterSpec, seed: int, trial: int) -> TrialResult:
        again.append((spec.network.loss, trial))
        return simulate(spec, seed, trial)

    with monkeypatch.context() as patched:
        patched.setattr("simulator.experiment.chunks.simulate", watch)
        resumed = invoke("compare", "--resume", kept, "--workers", 1, "--json")
    assert resumed.exit_code == 0, resumed.output
    assert not set(run) & set(again)
    assert len(run) + len(again) == 45
    assert json.loads(resumed.stdout) == whole
    assert invoke("compare", "--resume", kept).exit_code == 2


def test_a_comparison_of_an_earlier_version_is_shown(scenario: Path, tmp_path: Path) -> None:
    """docs/results.md: results of earlier versions are read. They had `comparison.json` in place of `study.json`."""
    vary = ("--vary", "network.loss=0,10%", "--trials", 6, "--workers", 1)
    outcome = invoke("compare", scenario, *vary, "--results", tmp_path)
    kept = tmp_path / "compare-small-crash-001"
    unfinished = {"name": "loss 20%", "directory": "03-loss-20", "trials": {"run": 2, "requested": 6}}
    old = comparison_in(kept) | {"unfinished": unfinished}
    del old["skipped"]
    (kept / "comparison.json").write_text(json.dumps(old))
    (kept / "study.json").unlink()
    shown = invoke("show", kept)
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert "not compared: loss 20%, of which 2 of 6 trials are in 03-loss-20" in shown.stdout
    assert shown.stdout.splitlines()[-3:] == outcome.stdout.splitlines()[-3:]
    refused = invoke("compare", "--resume", kept)
    assert refused.exit_code == 2
    assert "cannot be resumed; run it again" in refused.stderr


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills a process")
def test_a_killed_comparison_is_resumed_without_a_difference(scenario: Path, tmp_path: Path) -> None:
    """ "After a kill -9 of the coordinator at any instant … ends equal to an uninterrupted study" (issue 14)."""
    vary = ("compare", scenario, "--vary", "network.loss=0,5%", "--trials", 120, "--workers", 1, "--json")
    whole = json.loads(invoke(*vary, "--results", tmp_path / "a").stdout)
    command = [*ELECTSIM, *vary, "--results", tmp_path / "b"]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("b/*/cell-00002/chunks/*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    kept = tmp_path / "b" / "compare-small-crash-001"
    resumed = invoke("compare", "--resume", kept, "--workers", 1, "--json")
    assert resumed.exit_code == 0, resumed.output
    assert json.loads(resumed.stdout) == whole
    names = sorted(path.name for path in kept.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "a" / "compare-small-crash-001").iterdir())
