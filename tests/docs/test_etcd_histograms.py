"""studies/etcd_histograms.py: it measures, and it stops all that it has started (issue 13: "bounded, started and
stopped by itself"). A small server stands in for etcd, which is not installed everywhere.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulator.cluster.histogram import Bucket, Histogram
from simulator.protocol import MILLISECOND as MS
from simulator.scenario import loads
from studies.etcd_histograms import METRICS, with_label
from tests.support.scenarios import ROOT, SMALL

needs_linux = pytest.mark.skipif(shutil.which("timeout") is None, reason="the study starts members by `timeout`")

# Publishes both histograms. Each write adds an fsync of 0.5 ms; the command line is that of etcd.
FAKE_ETCD = f"""#!{sys.executable}
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
writes = 0
class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        global writes
        writes += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer("{{}}")
    def do_GET(self):
        lines = ["etcd_other 5"]
        for metric, label in (({METRICS[0]!r}, 'To="b",'), ({METRICS[1]!r}, "")):
            lines += [metric + "_bucket{{" + label + 'le="0.001"}} ' + str(writes)]
            lines += [metric + "_bucket{{" + label + 'le="+Inf"}} ' + str(writes)]
            braces = "{{" + label.rstrip(",") + "}}" if label else ""
            lines += [metric + "_sum" + braces + " " + str(writes * 0.0005)]
        self.answer("\\n".join(lines) + "\\n")
    def answer(self, text):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())
    def log_message(self, *arguments):
        pass
url = sys.argv[sys.argv.index("--listen-client-urls") + 1]
HTTPServer(("127.0.0.1", int(url.rsplit(":", 1)[1])), Handler).serve_forever()
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which `etcd` is the small server."""
    etcd = tmp_path / "bin" / "etcd"
    etcd.parent.mkdir()
    etcd.write_text(FAKE_ETCD)
    etcd.chmod(0o755)
    return os.environ | {"PATH": f"{etcd.parent}{os.pathsep}{os.environ['PATH']}"}


def command(tmp_path: Path, *options: str) -> list[str]:
    with socket.socket() as free:  # The study takes the ports above this one.
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = [str(tmp_path / "out"), "--data", str(tmp_path), "--members", "2", "--port", str(min(port, 60_000))]
    return [sys.executable, "-m", "studies.etcd_histograms", *where, *options]


def running(tmp_path: Path) -> list[str]:
    """The processes whose command line names the data of this test."""
    found = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if f"{tmp_path}/etcd-histograms-" in line]


@needs_linux
def test_it_scrapes_twice_and_stops_all(tmp_path: Path, environment: dict[str, str]) -> None:
    """What it has scraped can be named in a scenario: both members, the second scrape less the first."""
    options = ["--settle", "0.3", "--minutes", "0.01", "--writer"]
    outcome = subprocess.run(
        command(tmp_path, *options), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    assert "quiet: 0 writes failed" in outcome.stdout
    assert running(tmp_path) == []
    assert list(tmp_path.glob("etcd-histograms-*")) == []
    histogram = f"{{file: quiet-after.prom, since: quiet-before.prom, metric: {METRICS[1]}}}"
    text = f"{SMALL}network: {{latency: {{histogram: {histogram}}}}}\n"
    made = loads(text, folder=tmp_path / "out").cluster_spec().network.latency
    assert isinstance(made, Histogram)
    ((low, high, number),) = made.buckets
    assert (low, high) == (0, MS)
    assert 4 <= number <= 8  # Ten writes a second, for 0.6 s.
    assert made == Histogram((Bucket(0, MS, number),), number * MS // 2)


@needs_linux
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all(tmp_path: Path, environment: dict[str, str], sent: signal.Signals) -> None:
    """Issue 13's script runs for 20 minutes and more: its user will interrupt it."""
    study = subprocess.Popen(
        command(tmp_path, "--settle", "60"), cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 30
    while len(running(tmp_path)) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(running(tmp_path)) >= 2
    study.send_signal(sent)
    _, said = study.communicate(timeout=40)
    assert study.returncode == 1
    assert said == "interrupted; all members are stopped\n"
    assert running(tmp_path) == []


def test_a_label_is_added_as_a_scraper_of_prometheus_does() -> None:
    assert with_label("a_sum 5", 'i="1"') == 'a_sum{i="1"} 5'
    assert with_label('a_bucket{le="1"} 5', 'i="1"') == 'a_bucket{i="1",le="1"} 5'
