"""`electsim compare` as its user meets it (issue 6: "one table, one figure per metric")."""

import json
import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

import simulator.results
from tests.support.command_line import ELECTSIM, invoke


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
    assert {"comparison.json", "01-raft-nodes-3", "04-bully-nodes-5", "failover-median.png", "messages.svg"} <= names
    part = simulator.results.load(kept / "04-bully-nodes-5")  # Each part is a run of its own.
    assert (part.scenario.size, part.summary["trials"]["run"]) == (5, 8)
    # "`show` of a part of a comparison repeats rightly" (issue 12, C8): from any folder, with the same digest.
    (repeat,) = re.findall("^repeat  (.*)$", invoke("show", kept / "04-bully-nodes-5").stdout, re.MULTILINE)
    again = invoke(*shlex.split(repeat)[1:], "--results", tmp_path / "again", "--json")
    assert json.loads(again.stdout)["digest"] == part.summary["digest"]
    shown = invoke("show", kept)
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[:10] == outcome.stdout.splitlines()[:10]


def test_json_is_what_is_kept_and_its_command_repeats_it(scenario: Path, tmp_path: Path) -> None:
    arguments = ("--vary", "network.loss=0,0.2", "--trials", 6, "--metric", "failover.median", "--json")
    first = json.loads(invoke("compare", scenario, *arguments, "--results", tmp_path / "a").stdout)
    assert first == json.loads((tmp_path / "a" / "compare-small-crash-001" / "comparison.json").read_text())
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
        ((), "two at least"),
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


def test_a_runaway_keeps_the_variants_before_it(scenario: Path, tmp_path: Path) -> None:
    outcome = invoke(
        "compare", scenario, "--vary", "limits.events=1000000,50", "--trials", 3, "--results", tmp_path / "out"
    )
    assert outcome.exit_code == 3
    assert "1 of 2 variants were kept" in outcome.stderr
    (kept,) = (tmp_path / "out").iterdir()
    assert json.loads((kept / "comparison.json").read_text())["stopped_by"].startswith("events 50: trial 0: ")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="sends a signal as a terminal does")
def test_ctrl_c_keeps_the_variants_that_were_finished(scenario: Path, tmp_path: Path) -> None:
    # Issue 6: nothing lost. The second variant would take far longer than the test.
    command = [
        *ELECTSIM, "compare", scenario, "--vary", "duration=2s,100000s", "--trials", "40",
        "--results", tmp_path / "out", "--workers", "1",
    ]  # fmt: skip
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("out/*/01-*/summary.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)  # Until it is on its way with the second, even on a busy machine.
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "1 of 2 variants were kept" in said
    (kept,) = (tmp_path / "out").iterdir()
    comparison = json.loads((kept / "comparison.json").read_text())
    assert comparison["stopped_by"] == "interrupted"
    assert [variant["name"] for variant in comparison["variants"]] == ["duration 2s"]
