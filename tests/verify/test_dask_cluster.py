"""A Dask cluster of processes with TLS, of which a worker is killed (issue 14: "with several worker processes and real
certificates …, a worker killed in the middle included").

The scheduler and the workers are started as docs/cluster.md says.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import ELECTSIM

pytestmark = [
    pytest.mark.verify,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="makes certificates"),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills a worker"),
]

SWEEP = ("sweep", "raft-leader-crash", "--vary", "cluster.nodes=3,5", "--trials", "400", "--metric", "failover.median")


def openssl(place: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=place, check=True, capture_output=True)


def certificates(place: Path, name: str) -> Path:
    """An authority of its own, and a certificate that it has signed, as docs/cluster.md says."""
    place.mkdir()
    new_key = ("req", "-newkey", "rsa:2048", "-nodes", "-subj")
    authority = ("-x509", "-days", "2", "-keyout", "ca-key.pem", "-out", "ca.pem")
    openssl(place, *new_key, f"/CN={name} authority", *authority)
    openssl(place, *new_key, f"/CN={name}", "-keyout", "key.pem", "-out", "request.pem")
    openssl(place, "x509", "-req", "-days", "2", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca-key.pem",
            "-CAcreateserial", "-out", "cert.pem")  # fmt: skip
    return place


def environment(place: Path) -> dict[str, str]:
    """Dask's configuration of TLS, by variables; the same for scheduler, workers and client."""
    options: dict[str, str] = {"CA_FILE": str(place / "ca.pem")}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        options |= {f"{role}__CERT": str(place / "cert.pem"), f"{role}__KEY": str(place / "key.pem")}
    found = {f"DASK_DISTRIBUTED__COMM__TLS__{name}": value for name, value in options.items()}
    return {**os.environ, **found, "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "true"}


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("tls") / "ours", "electsim")


@pytest.fixture(scope="module")
def cluster(secured: Path) -> Iterator[tuple[str, list[Any]]]:
    """A scheduler with three workers of one thread each; the address, and the workers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, options = f"tls://127.0.0.1:{port}", {"env": environment(secured), "stderr": subprocess.DEVNULL}
    command = ["dask", "scheduler", "--protocol", "tls", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    started = [subprocess.Popen(command, **options)]  # type: ignore[call-overload]
    worker = ["dask", "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    started += [subprocess.Popen(worker, **options) for _ in range(3)]  # type: ignore[call-overload]
    yield address, started[1:]
    for process in started:
        process.kill()
        process.wait()


def start(place: Path, secured: Path, *words: object) -> subprocess.Popen[str]:
    command = [*ELECTSIM, *map(str, words), "--json", "--results", str(place)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment(secured), stdout=pipe, stderr=pipe, text=True)


def await_chunks(process: subprocess.Popen[str], place: Path, count: int) -> None:
    """Wait until so many chunks of trials are on the disk."""
    while len(list(place.glob("*/cell-*/chunks/*.parquet"))) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def test_a_worker_that_is_killed_changes_nothing(cluster: tuple[str, list[Any]], secured: Path, tmp_path: Path) -> None:
    """ "Dask retries by itself; a trial counts once": every table is that of a sweep in one process."""
    address, workers = cluster
    here, _ = start(tmp_path / "here", secured, *SWEEP, "--workers", 1).communicate(timeout=600)
    there = start(tmp_path / "there", secured, *SWEEP, "--dask", address)
    await_chunks(there, tmp_path / "there", 2)
    workers[0].kill()
    output, errors = there.communicate(timeout=600)
    assert there.returncode == 0, errors
    one, other = json.loads(here), json.loads(output)
    assert other["cells"] == one["cells"]
    assert other["digest"] == one["digest"]
    for table in sorted((tmp_path / "here").glob("*/cell-*/*.parquet")):
        assert table.read_bytes() == (tmp_path / "there" / table.relative_to(tmp_path / "here")).read_bytes()


def test_ctrl_c_keeps_what_is_finished_and_the_sweep_goes_on_elsewhere(
    cluster: tuple[str, list[Any]], secured: Path, tmp_path: Path
) -> None:
    """A sweep that was begun on a cluster is resumed in this process, and ends as it would have there."""
    address, _ = cluster
    process = start(tmp_path, secured, *SWEEP, "--dask", address)
    await_chunks(process, tmp_path, 1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    (kept,) = tmp_path.glob("sweep-*")
    resumed = start(tmp_path / "unused", secured, "sweep", "--resume", kept, "--workers", 2)
    output, errors = resumed.communicate(timeout=600)
    assert resumed.returncode == 0, errors
    whole, _ = start(tmp_path / "whole", secured, *SWEEP, "--workers", 1).communicate(timeout=600)
    assert json.loads(output)["digest"] == json.loads(whole)["digest"]


def test_who_has_no_certificate_of_the_authority_is_refused(cluster: tuple[str, list[Any]], tmp_path: Path) -> None:
    """With TLS a stranger can neither see nor run anything."""
    address, _ = cluster
    foreign = certificates(tmp_path / "foreign", "electsim")
    process = start(tmp_path / "out", foreign, *SWEEP, "--dask", address)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 2
    assert f"--dask {address}: no scheduler answers" in errors
    assert "Traceback" not in errors
