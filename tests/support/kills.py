"""Runs that are killed at random instants and resumed: what must be true of the result then (issue 14, "Resume")."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from simulator.cli import main
from simulator.experiment import chunks
from simulator.experiment.trial import TrialResult, simulate

__all__ = ["assert_equal", "kill_and_resume", "start", "written"]

TABLES = ("trials", "elections", "rounds", "overlaps")
ELECTSIM = [sys.executable, "-c", "from simulator.cli import main; main()"]


def start(*arguments: object) -> subprocess.Popen[str]:
    """A command in a session of its own."""
    command = [*ELECTSIM, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def workers_of(session: int) -> list[int]:
    """The worker processes of a session: what the fork server has started."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                parents[int(entry.name)] = int(fields[1])
    return [process for process, parent in parents.items() if parents.get(parent) == session]


def written(directory: Path) -> set[int]:
    """The trials in the files of chunks."""
    found: set[int] = set()
    for file in directory.glob("chunks/*.parquet"):
        first, count = map(int, file.stem.split("-"))
        found |= set(range(first, first + count))
    return found


def kill_and_resume(
    scenario: Path, root: Path, seed: int, whom: str, trials: int, monkeypatch: pytest.MonkeyPatch, longest_s: float
) -> tuple[Path, Result]:
    """Run, kill the coordinator or a worker at a random instant, and resume, watching that no trial is run again."""
    chance = random.Random(seed)
    process = start("run", scenario, "--trials", trials, "--workers", 2, "--results", root)
    begun = (
        "*/run.json" if whom == "coordinator" else "*/chunks/*.parquet"
    )  # A run without a finished trial leaves none.
    wait_for(lambda: list(root.glob(begun)), process)
    time.sleep(chance.uniform(0, longest_s))
    if whom == "coordinator":
        os.kill(process.pid, signal.SIGKILL)
    elif workers := workers_of(process.pid):
        os.kill(chance.choice(workers), signal.SIGKILL)
    _, errors = process.communicate(timeout=120)
    assert process.returncode in (0, 3, -signal.SIGKILL), errors
    (kept,) = root.iterdir()
    if process.returncode == 3 and "--resume" in errors:
        assert re.search(rf"go on with `electsim run --resume {kept}`", errors)
    before, again = written(kept), []

    def watched(spec: Any, trial_seed: int, trial: int) -> TrialResult:
        again.append(trial)
        return simulate(spec, trial_seed, trial)

    monkeypatch.setattr(chunks, "simulate", watched)
    outcome = CliRunner().invoke(main, ["run", "--resume", str(kept), "--workers", "1"])
    monkeypatch.setattr(chunks, "simulate", simulate)
    assert before.isdisjoint(again)
    return kept, outcome


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def assert_equal(left: Path, right: Path) -> None:
    """Equal results but for what a run says of itself: command and platform."""
    for name in TABLES:
        pd.testing.assert_frame_equal(
            pd.read_parquet(left / f"{name}.parquet"), pd.read_parquet(right / f"{name}.parquet")
        )
        assert (left / f"{name}.parquet").read_bytes() == (right / f"{name}.parquet").read_bytes(), name
    summaries = [json.loads((path / "summary.json").read_text()) for path in (left, right)]
    for summary in summaries:
        del summary["command"], summary["platform"]
    assert summaries[0] == summaries[1]
    names = [{entry.name for entry in path.iterdir()} for path in (left, right)]
    assert names[0] == names[1]
