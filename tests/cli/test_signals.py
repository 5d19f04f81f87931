"""Runs that are ended from outside, with real processes and real signals (issue 12, C1)."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from simulator.experiment.finished import without_gap
from tests.support.command_line import ELECTSIM, invoke

STARTED_S = 90  # The longest wait for a run to begin, on a machine with much else to do.

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes as Linux shows them")


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a command in a session of its own, by which its processes are found."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: object, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        command = [*before, *ELECTSIM, *map(str, arguments)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        for left in members(process.pid):
            os.kill(left, signal.SIGKILL)
        process.communicate()


def members(session: int) -> list[int]:
    """The processes of a session that are still there."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def workers(process: subprocess.Popen[str]) -> list[int]:
    """The worker processes: children of the fork server, which is a child of the coordinator."""

    def children(of: int) -> list[int]:
        return [
            other
            for other in members(process.pid)
            if Path(f"/proc/{other}/stat").read_text().rpartition(")")[2].split()[1] == str(of)
        ]

    return [grandchild for child in children(process.pid) for grandchild in children(child)]


def await_that(condition: Callable[[], object], process: subprocess.Popen[str], seconds: float = STARTED_S) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def await_trials(root: Path, process: subprocess.Popen[str], count: int = 40) -> Path:
    """The result, when it has so many finished trials."""
    await_that(lambda: finished_in(root) > count, process)
    (result,) = root.iterdir()
    return result


def finished_in(root: Path) -> int:
    """The trials that have been written down, from the first on without a gap, by the names of their files."""
    chunks = sorted(file.stem.split("-") for file in root.glob("**/chunks/*.parquet"))
    return without_gap({int(first): int(count) for first, count in chunks}, 0)


def assert_no_orphans(session: int, seconds: float = 5) -> None:
    """ "0 orphans after 5 s": no process of that session is left."""
    deadline = time.monotonic() + seconds
    while members(session) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert members(session) == []


def endless(scenario: Path, root: Path, workers: int = 2) -> list[object]:
    return ["run", scenario, "--trials", 1_000_000, "--workers", workers, "--results", root]


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("whole_group", [False, True], ids=["process", "group"])
def test_sigterm_ends_a_run_within_5_s_and_keeps_what_was_finished(
    scenario: Path, tmp_path: Path, start: Start, count: int, whole_group: bool
) -> None:
    """ "SIGTERM … ends a run within 5 s at two workers: what is finished is kept as after Ctrl-C, chunks under way are
    given up, no figures are drawn, exit 143". `docker stop` signals a process, systemd and CI jobs a whole group."""
    if count == 1 and whole_group:
        pytest.skip("one process is its own group")
    root = tmp_path / "out"
    process = start(*endless(scenario, root, count))
    await_trials(root, process)
    (os.killpg if whole_group else os.kill)(process.pid, signal.SIGTERM)
    began = time.monotonic()
    output, errors = process.communicate(timeout=60)
    assert time.monotonic() - began < 5
    assert process.returncode == 143, errors
    (kept,) = root.iterdir()
    finished = len(pd.read_parquet(kept / "trials.parquet"))
    assert finished > 0
    assert f"{finished:,} trials" in output
    assert f"electsim: terminated: {finished} of 1000000 trials were kept" in errors
    assert json.loads((kept / "summary.json").read_text())["stopped_by"] == "terminated"
    assert sorted(file.name for file in kept.iterdir()) == [
        "chunks", "elections.parquet", "overlaps.parquet", "rounds.parquet", "run.json", "scenario.yaml",
        "summary.json", "trials.parquet",
    ]  # fmt: skip
    assert f"go on with `electsim run --resume {kept}`" in errors
    assert "Traceback" not in errors
    assert_no_orphans(process.pid)


@pytest.mark.parametrize("count", [1, 2])
def test_ctrl_c_ends_all_processes_and_exits_with_130(scenario: Path, tmp_path: Path, start: Start, count: int) -> None:
    """ "After either signal … they end with their coordinator (0 orphans after 5 s)"; Ctrl-C goes to a whole group.

    "Ctrl-C prints what was finished and keeps it" (issue 2).
    """
    root = tmp_path / "out"
    process = start(*endless(scenario, root, count))
    await_trials(root, process)
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    (kept,) = root.iterdir()
    finished = len(pd.read_parquet(kept / "trials.parquet"))
    assert finished > 0
    assert f"{finished:,} trials" in output
    assert f"electsim: interrupted: {finished} of 1000000 trials were kept" in errors
    assert "Traceback" not in errors
    assert_no_orphans(process.pid)


@pytest.mark.parametrize(("second", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_second_signal_ends_at_once(
    scenario: Path, tmp_path: Path, start: Start, second: signal.Signals, code: int
) -> None:
    """ "A second signal ends at once", while the first still saves; the workers end, too."""
    slow = tmp_path / "sitecustomize.py"
    slow.write_text(
        "import simulator.experiment.store as store, time\n"
        "def slowly(trials, first, end, directory, metadata):\n"
        "    open(f'{directory}/saving', 'w').close()\n"
        "    time.sleep(60)\n"
        "store.write_tables = slowly\n"
    )
    root = tmp_path / "out"
    process = start(
        *endless(scenario, root), before=("env", f"PYTHONPATH={tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    )
    await_trials(root, process)
    os.kill(process.pid, signal.SIGTERM)
    await_that(lambda: list(root.glob("*/saving")), process)
    time.sleep(0.5)  # Beyond the time in which a repeated signal counts as the same.
    os.kill(process.pid, second)
    began = time.monotonic()
    process.communicate(timeout=60)
    assert time.monotonic() - began < 5
    assert process.returncode == code
    assert_no_orphans(process.pid)


@pytest.mark.skipif(shutil.which("timeout") is None, reason="a command of GNU coreutils")
def test_timeout_counts_as_one_signal(scenario: Path, tmp_path: Path, start: Start) -> None:
    """coreutils' `timeout` signals the process, and then its group: the second is no reason to give up the results."""
    root = tmp_path / "out"
    process = start(*endless(scenario, root), before=("timeout", "--preserve-status", "-s", "TERM", "600"))
    await_trials(root, process)
    os.kill(process.pid, signal.SIGTERM)  # `timeout` passes a signal of its own on as it does when time is up.
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, len(list(root.glob("small-crash-001")))) == (143, 1), errors


def test_after_sigkill_no_process_is_left_and_the_draft_can_be_shown(
    scenario: Path, tmp_path: Path, start: Start
) -> None:
    """ "They end with their coordinator (a pipe that closes; 0 orphans after 5 s)". "Drafts of dead runs are listed by
    name when a command meets them, and `electsim show` reads their finished trials; nothing is deleted without
    `electsim clean`"."""
    root = tmp_path / "out"
    process = start(*endless(scenario, root))
    draft = await_trials(root, process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert_no_orphans(process.pid)
    shown = invoke("show", draft, "--json")
    assert shown.exit_code == 0, shown.stderr
    summary = json.loads(shown.stdout)
    assert (summary["stopped_by"], summary["trials"]["requested"]) == ("killed", 1_000_000)
    again = invoke("run", scenario, "--trials", summary["trials"]["run"], "--results", root, "--json", "--workers", 1)
    assert again.exit_code == 0, again.stderr
    assert json.loads(again.stdout)["digest"] == summary["digest"]
    assert draft.name in again.stderr.splitlines()[0]  # The next command in this place names it.
    assert "electsim clean" in again.stderr.splitlines()[0]
    assert draft.is_dir()


def test_a_worker_that_is_killed_names_memory_and_keeps_what_is_finished(
    scenario: Path, tmp_path: Path, start: Start
) -> None:
    """ "A worker that is killed: memory is named as the likely cause"; trials failed: exit code 3."""
    root = tmp_path / "out"
    process = start(*endless(scenario, root))
    await_trials(root, process)
    os.kill(workers(process)[0], signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 3, errors
    (kept,) = root.iterdir()
    finished = len(pd.read_parquet(kept / "trials.parquet"))
    assert finished > 0
    assert f"; go on with `electsim run --resume {kept}`)" in errors
    (line,) = [line for line in errors.splitlines() if line.startswith("electsim: ")]
    assert re.search("a worker process was killed.*memory.*--workers", line)
    assert f"({finished} of 1000000 trials were kept; " in line
    assert "Traceback" not in errors
    assert_no_orphans(process.pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.verify)])
def test_compare_keeps_the_finished_trials_of_the_variant_under_way(
    scenario: Path, tmp_path: Path, start: Start, number: signal.Signals
) -> None:
    """ "`compare` keeps the finished trials of the variant under way"."""
    root = tmp_path / "out"
    process = start(
        "compare", scenario, "--vary", "network.loss=0,0.1", "--trials", "200", "--results", root, "--workers", 2
    )
    await_that(lambda: list(root.glob("*/cell-00002/chunks/*.parquet")), process)
    os.killpg(process.pid, number)
    _, errors = process.communicate(timeout=60)
    word, code = ("terminated", 143) if number == signal.SIGTERM else ("interrupted", 130)
    assert process.returncode == code, errors
    (kept,) = root.iterdir()
    comparison = json.loads((kept / "study.json").read_text())["comparison"]
    assert comparison["stopped_by"] == word
    (left,) = [cut for cut in comparison["unfinished"] if cut["name"] == "loss 0.1"]
    assert 0 < left["trials"]["run"] < 200
    assert f"{word}: {2 - len(comparison['unfinished'])} of 2 variants are finished; go on with" in errors
    assert (kept / "run.json").exists()
    if number == signal.SIGTERM:
        assert not list(kept.glob("*.png"))
    assert_no_orphans(process.pid)
