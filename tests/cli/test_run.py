"""The command line as its user meets it: what it prints, what it keeps, and its exit codes (issue 2)."""

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from simulator.cli import LARGEST_SEED, MOST_TRIALS
from simulator.scenario import json_schema
from tests.experiment.test_runner import CRASH
from tests.support.command_line import ELECTSIM, invoke


def test_run_prints_a_table_and_keeps_everything(scenario: Path, tmp_path: Path) -> None:
    outcome = invoke("run", scenario, "--results", tmp_path / "out", "--trials", 5, "--trace")
    assert outcome.exit_code == 0, outcome.output
    for expected in ("failover, ms", "detection, ms", "election, ms", "split votes", "RequestVote", "digest"):
        assert expected in outcome.stdout
    (kept,) = (tmp_path / "out").iterdir()
    assert kept.name == "small-crash-001"
    assert sorted(path.name for path in kept.iterdir()) == [
        "decomposition.png", "decomposition.svg", "elections.parquet", "failover.png", "failover.svg",
        "messages.parquet", "overlaps.parquet", "rounds.parquet", "scenario.yaml", "summary.json",
        "timeline.png", "timeline.svg", "trace.parquet", "trials.parquet",
    ]  # fmt: skip
    messages = pd.read_parquet(kept / "messages.parquet")
    assert len(messages) >= pd.read_parquet(kept / "trials.parquet")["sent_total"][0]


@pytest.mark.usefixtures("no_run_figures")
def test_json_is_the_summary_and_nothing_else(scenario: Path, tmp_path: Path) -> None:
    outcome = invoke("run", scenario, "--results", tmp_path / "out", "--trials", 10, "--json", "--seed", 11)
    summary = json.loads(outcome.stdout)
    assert summary == json.loads((tmp_path / "out" / "small-crash-001" / "summary.json").read_text())
    assert (summary["seed"], summary["trials"]["run"]) == (11, 10)
    assert summary["metrics"]["failover"]["median"]["low"] <= summary["metrics"]["failover"]["median"]["value"]


@pytest.mark.usefixtures("no_run_figures")
def test_the_command_of_a_summary_repeats_it(scenario: Path, tmp_path: Path) -> None:
    first = invoke(
        "run", scenario, "--results", tmp_path, "--trials", 4, "--json", "--set", "network.loss=0.2", "--first-trial", 2
    )
    summary = json.loads(first.stdout)
    words = summary["command"].split()
    assert words[:2] == ["electsim", "run"]
    again = json.loads(invoke(*words[1:], "--results", tmp_path, "--json").stdout)
    assert again["digest"] == summary["digest"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "network.loss=1.5"], "network.loss: 1.5 is not a probability between 0 and 1"),
        (["--set", "network.los=0.5"], "did you mean loss?"),
        (["--set", "cluster.nodes=0"], "cluster.nodes"),
        (["--trials", "0"], "--trials"),
        (["--seed", "-1"], "--seed"),
        (["--first-trial", "99999999999999999999999"], "--first-trial"),
        (["--set", "faults.0={at: 1s, restart: leader}"], "a leader is never down; name the node, or write all"),
        (["--workers", "-1"], "--workers"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(scenario: Path, arguments: list[str], message: str) -> None:
    outcome = invoke("run", scenario, *arguments)
    assert outcome.exit_code == 2
    assert message in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    outcome = invoke("run", tmp_path / "missing.yaml")
    assert (outcome.exit_code, outcome.stderr.count("\n")) == (2, 1)


def test_results_that_cannot_be_written_are_refused_before_the_run(scenario: Path) -> None:
    outcome = invoke("run", scenario, "--results", scenario)  # A file, not a directory.
    assert (outcome.exit_code, outcome.stderr.count("\n")) == (2, 1)
    assert "cannot write results" in outcome.stderr


@pytest.mark.usefixtures("no_run_figures")
def test_a_runaway_exits_with_3_and_says_how_to_repeat_it(scenario: Path, tmp_path: Path) -> None:
    outcome = invoke("run", scenario, "--results", tmp_path / "out", "--set", "limits.events=100")
    assert outcome.exit_code == 3
    assert "trial 0: EventLimitError" in outcome.stderr
    assert "--first-trial 0 --trials 1" in outcome.stderr


def test_a_fault_that_is_to_fail_without_its_target_does_so_in_one_line(scenario: Path, tmp_path: Path) -> None:
    # "A target that does not exist then (no leader) waits, skips or fails, as the scenario says" (issue 3).
    never = "faults=[{at: 0, crash: leader, without_target: fail}]"
    outcome = invoke("run", scenario, "--results", tmp_path / "out", "--set", never)
    assert (outcome.exit_code, outcome.stderr.count("\n")) == (3, 1)
    reason = "MissingTargetError: crash: there is no leader, and without_target says fail"
    assert outcome.stderr.startswith(f"electsim: trial 0: {reason}; again: electsim run ")


def test_bounds_are_those_of_the_schema() -> None:
    properties = json_schema()["properties"]
    assert (properties["trials"]["maximum"], properties["seed"]["maximum"]) == (MOST_TRIALS, LARGEST_SEED)


def test_validate_tells_right_from_wrong(scenario: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(CRASH.replace("loss: 0.01", "loss: 7"))
    outcome = invoke("validate", scenario, wrong)
    assert outcome.exit_code == 2
    assert "small.yaml: small-crash: valid" in outcome.stdout
    assert outcome.stderr.startswith(f"{wrong}:6: network.loss: 7 is not a probability between 0 and 1")


def test_schema_is_json() -> None:
    assert json.loads(invoke("schema").stdout)["type"] == "object"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_output_that_cannot_be_written_is_one_line() -> None:
    # "Bad input gets a clear one-line error and exit code 2, never a traceback": a full disk under stdout is like it.
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*ELECTSIM, "schema"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "electsim: cannot write the output: No space left on device"
