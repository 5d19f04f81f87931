"""Trials on a Dask cluster (issue 14: "Executors behind one seam … Dask"; "a trial counts once")."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import distributed
import pytest
from dask import config

import simulator
from simulator.experiment import dask
from simulator.experiment.dask import OtherVersions, call_with_same_versions
from simulator.experiment.executors import WorkerDied
from simulator.experiment.result import made_with
from tests.experiment.test_runner import CRASH
from tests.support.command_line import invoke

# An in-process cluster of distributed leaves sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning", "ignore::DeprecationWarning"
)


@pytest.fixture(autouse=True)
def _collect() -> Iterator[None]:
    """Collect them while these filters hold, and not in a test of something else."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The scheduler of a cluster of two workers, in this process."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(CRASH)
    return path


def test_digests_are_those_of_this_process(address: str, scenario: Path) -> None:
    """ "So the digest is the same for any number of workers", and for any executor."""
    here = simulator.run(scenario, trials=45)
    there = simulator.run(scenario, trials=45, dask=address)
    assert there.digest == here.digest
    assert there.summary["metrics"] == here.summary["metrics"]


def test_a_sweep_runs_there_too(address: str, scenario: Path) -> None:
    """With a precision, too, which is decided at fixed numbers of trials."""
    vary = {"cluster.nodes": [3, 5]}
    here, there = (simulator.sweep(scenario, vary, trials=130, precision=0.2, dask=where) for where in (None, address))
    assert there.digest == here.digest
    assert list(there.frame["run"]) == list(here.frame["run"])


def test_a_trial_that_fails_is_named_as_here(address: str, scenario: Path) -> None:
    with pytest.raises(simulator.TrialError, match="EventLimitError"):
        simulator.run(scenario, ["limits.events=50"], trials=30, dask=address)


def test_a_worker_with_other_versions_runs_nothing() -> None:
    """Digests depend on the versions that a result names: one part of it would have other digests than the other."""
    assert call_with_same_versions(made_with(), max, (3, 5), {}) == 5
    with pytest.raises(OtherVersions, match=r"a worker has numpy .*, and this is numpy 0.1: .* install the same"):
        call_with_same_versions({**made_with(), "numpy": "0.1"}, max, (3, 5), {})


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (distributed.scheduler.KilledWorker("task", object(), 3), "Dask has lost a worker with the same trials"),
        (ModuleNotFoundError("No module named 'mine'"), "No module named 'mine'; install the same electsim"),
        (distributed.comm.CommClosedError("in <TLS>: closed"), "Dask: CommClosedError: in <TLS>: closed"),
    ],
)
def test_what_ends_a_task_is_said_in_one_line(error: Exception, said: str) -> None:
    outer: Future[Any] = Future()
    inner: Future[Any] = Future()
    inner.set_exception(error)
    dask._pass_on(outer, inner)
    with pytest.raises(WorkerDied, match=said):
        outer.result()


def test_a_connection_that_is_lost_ends_a_task() -> None:
    """Dask cancels the futures of a client whose scheduler is gone."""
    outer: Future[Any] = Future()
    inner: Future[Any] = Future()
    inner.cancel()
    dask._pass_on(outer, inner)
    with pytest.raises(WorkerDied, match="connection to the Dask scheduler is lost"):
        outer.result()


def test_a_scheduler_that_does_not_answer_is_named(scenario: Path, tmp_path: Path) -> None:
    """Bad input is one line with the remedy, and exit code 2; nothing is left behind."""
    with config.set({"distributed.comm.timeouts.connect": "1s"}):
        outcome = invoke("run", scenario, "--dask", "tcp://127.0.0.1:9", "--results", tmp_path / "out")
    assert outcome.exit_code == 2
    assert "--dask tcp://127.0.0.1:9: no scheduler answers" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_an_address_without_a_scheme_is_refused(scenario: Path) -> None:
    outcome = invoke("run", scenario, "--dask", "scheduler:8786")
    assert (outcome.exit_code, len(outcome.stderr.splitlines())) == (2, 1)
    assert "write tcp://HOST:8786, tls://… or local" in outcome.stderr


def test_importing_the_package_imports_no_extra() -> None:
    """ "`import simulator` imports none of them" (issue 14, "Extras")."""
    code = "import sys, simulator, simulator.cli; print({'xarray', 'optuna', 'distributed', 'dask'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"
