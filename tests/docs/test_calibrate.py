"""docs/practices/calibrate.md: its programs run, its scenarios load from what they write, and its commands end well
(issue 13: "which of a running system's numbers go into which field of a scenario").
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml
from click.testing import CliRunner

from simulator.cli import main
from simulator.cluster.distributions import Empirical, Exponential
from simulator.cluster.histogram import Bucket, Halved, Histogram
from simulator.protocol import MICROSECOND as US
from simulator.protocol import MILLISECOND as MS
from simulator.scenario import Scenario, loads, resolved_text
from tests.support.prometheus import FSYNC, RTT, Server
from tests.support.scenarios import ROOT

PAGE = (ROOT / "docs" / "practices" / "calibrate.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SCENARIOS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
PING = """PING n2 (10.0.0.2) 56(84) bytes of data.
64 bytes from n2 (10.0.0.2): icmp_seq=1 ttl=64 time=0.412 ms
64 bytes from n2 (10.0.0.2): icmp_seq=2 ttl=64 time=1.2 ms

--- n2 ping statistics ---
2 packets transmitted, 2 received, 0% packet loss, time 201ms
rtt min/avg/max/mdev = 0.412/0.806/1.200/0.394 ms
"""


@pytest.fixture
def member() -> Iterator[str]:
    """The address of a member: between two scrapes, it gains four round trips of 0.3 ms and two fsyncs of 0.5 ms."""
    round_trips, fsyncs = Server(RTT, [0.0001, 0.0002, 0.0004]), Server(FSYNC, [0.001, 0.002])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = round_trips.scrape() + fsyncs.scrape().replace('{To="a"}', "").replace('To="a",', "")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())
            round_trips.observe("a", {0.0003: 4})
            fsyncs.observe("a", {0.0005: 2})

        def log_message(self, *arguments: object) -> None:
            pass

    round_trips.observe("a", {0.00005: 7})
    fsyncs.observe("a", {0.0015: 1})
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def measured(tmp_path: Path, member: str) -> Path:
    """A folder with what the page's programs write."""
    (tmp_path / "ping.txt").write_text(PING)
    for program in PROGRAMS:
        text = program.replace("http://127.0.0.1:2379", member)
        subprocess.run([sys.executable, "-W", "error", "-c", text], cwd=tmp_path, check=True)
    return tmp_path


def scenario(number: int, folder: Path) -> Scenario:
    made = loads(f"version: 1\nname: calibrated\nduration: 3s\n{SCENARIOS[number]}", folder=folder)
    assert loads(resolved_text(made)) == made
    return made


def test_etcds_histograms_become_a_message_and_a_write(measured: Path) -> None:
    """Halves of the round trips between the two scrapes, and the fsyncs between them; those before do not count."""
    spec = scenario(0, measured).cluster_spec()
    assert spec.network.latency == Halved(Histogram((Bucket(200 * US, 400 * US, 4),), 1200 * US))
    assert spec.disk.write == Histogram((Bucket(0, MS, 2),), MS)


def test_pings_become_the_messages_of_zookeeper_and_pysyncobj(measured: Path) -> None:
    """Half of 0.412 and of 1.2 ms. What ping prints besides, such as its mean, is no sample."""
    for number in (1, 2):
        assert scenario(number, measured).cluster_spec().network.latency == Empirical((206 * US, 600 * US))
    assert scenario(1, measured).cluster_spec().disk.write == Exponential(2_400 * US)


def test_each_system_has_a_scenario() -> None:
    assert [yaml.safe_load(text)["algorithm"].get("dialect") for text in SCENARIOS] == ["etcd", None, "pysyncobj"]
    assert re.findall(r"^## (\w+)$", PAGE, re.MULTILINE) == ["etcd", "ZooKeeper", "PySyncObj"]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few trials, and beside a checkout: scenarios are named, and shipped."""
    monkeypatch.chdir(tmp_path)
    program, verb, *arguments = shlex.split(command)
    assert program == "electsim"
    few = {"latency": ["--samples", "100"], "run": ["--trials", "3", "--workers", "1"]}[verb]
    outcome = CliRunner().invoke(main, [verb, *arguments, *few])
    assert outcome.exit_code == 0, outcome.output
