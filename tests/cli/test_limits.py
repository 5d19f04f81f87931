"""Bounds on what a command may take of a machine (issue 12, C2)."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import simulator
from simulator.cli import main
from simulator.experiment.executors import MOST_WORKERS
from tests.experiment.test_runner import CRASH


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(CRASH)
    return path


@pytest.mark.parametrize("command", ["run", "compare", "gate"])
@pytest.mark.parametrize("workers", ["100000000", "1025", "-1", "1.5", "9" * 5000])
def test_more_workers_than_any_machine_can_start_are_refused(command: str, workers: str, scenario: Path) -> None:
    """ "`--workers 100000000` is refused"; it began to start them one by one."""
    outcome = CliRunner().invoke(main, [command, str(scenario), "--workers", workers])
    assert outcome.exit_code == 2
    assert outcome.stderr == (
        f"electsim: {command}: Invalid value for '--workers': {workers[:20]!r} is not a number of processes from 1 to "
        f"1024; write 0 for one per core; `electsim {command} --help` lists what it takes\n"
    )


def test_python_refuses_them_too() -> None:
    """The same bound for `simulator.run`, before a process is started."""
    scenario = simulator.loads(CRASH, "test.yaml")
    for workers in (-1, MOST_WORKERS + 1):
        with pytest.raises(ValueError, match="workers: write 0 for one per core, or a number up to 1024"):
            simulator.run(scenario, trials=1, workers=workers)


def test_a_trial_beyond_its_memory_exits_with_3_and_names_the_remedy(scenario: Path, tmp_path: Path) -> None:
    """ "A clear error that names `limits.memory` and the remedy", as the event limit has it, for a replay as well."""
    outcome = CliRunner().invoke(
        main,
        ["run", str(scenario), "--results", str(tmp_path / "out"), "--algorithm", "priority", "--trials", "1",
         "--set", "cluster.nodes=500", "--set", "faults=[]", "--set", "limits.memory=30MiB"],
    )  # fmt: skip
    assert (outcome.exit_code, outcome.stderr.count("\n")) == (3, 1)
    assert "trial 0: MemoryLimitError: the trial takes " in outcome.stderr
    assert "simulate fewer nodes, or raise limits.memory if each worker may take more" in outcome.stderr
    assert "--first-trial 0 --trials 1" in outcome.stderr


def test_nodes_beyond_the_memory_exit_with_2_in_one_line(tmp_path: Path) -> None:
    """ "Refused if nodes alone … exceed it, with figure and field", in a line that names the file's line."""
    path = tmp_path / "large.yaml"
    path.write_text("version: 1\nname: a\nalgorithm: {name: omega}\ncluster:\n  nodes: 100000\nduration: 9s\n")
    outcome = CliRunner().invoke(main, ["run", str(path)])
    assert (outcome.exit_code, outcome.stderr.count("\n")) == (2, 1)
    assert f"{path}:5: cluster.nodes: 100000 nodes of omega take about 4.73 TiB, above limits.memory (4 GiB)" in (
        outcome.stderr
    )
