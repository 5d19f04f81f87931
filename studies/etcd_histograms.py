"""What a message and a write cost etcd: `python -m studies.etcd_histograms DIRECTORY` (docs/practices/calibrate.md).

Starts a cluster of etcd on the loopback interface, lets a client write at a low rate, and scrapes two histograms of
every member twice, at the beginning and at the end of the given time. Then it stops all that it has started. The prober
of etcd's peers adds to its histogram once in 30 s for each peer and connection, so 20 minutes give 1,600 durations.

Needs `etcd` in the path (Debian: etcd-server). What is written beside the scrapes: nothing but the members' data, which
are removed. Runs the members at `--nice`, so that others' load of the machine weighs less; a negative value needs root.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from pathlib import Path
from types import FrameType

METRICS = ("etcd_network_peer_round_trip_time_seconds", "etcd_disk_wal_fsync_duration_seconds")
REACHABLE_WITHIN_S = 30
PUTS_PER_S = 10
BLOCK = bytes(1 << 20)
BLOCKS_PER_S, BLOCKS = 16, 256  # What the other process writes: 16 MiB and an fsync each second, over and over 256 MiB.


def member_command(number: int, arguments: argparse.Namespace, data: Path) -> Sequence[str]:
    """The command line of one member; `timeout` ends it even if this program could not."""
    client, peer = client_url(arguments, number), peer_url(arguments, number)
    limit_s = round(arguments.minutes * 60 + arguments.settle + 120)
    return [
        *("nice", "-n", str(arguments.nice), "timeout", "--kill-after=10", str(limit_s)),
        *("etcd", "--name", f"n{number}", "--data-dir", str(data / f"n{number}")),
        *("--listen-client-urls", client, "--advertise-client-urls", client),
        *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
        *("--initial-cluster", ",".join(f"n{each}={peer_url(arguments, each)}" for each in members(arguments))),
        *("--heartbeat-interval", str(arguments.heartbeat), "--election-timeout", str(arguments.election)),
        *(["--pre-vote"] if arguments.pre_vote else []),
        *("--logger", "zap", "--log-level", "warn"),
    ]


def members(arguments: argparse.Namespace) -> range:
    """The numbers of the members, from 1 on."""
    return range(1, arguments.members + 1)


def client_url(arguments: argparse.Namespace, number: int) -> str:
    """Where a member serves clients and its metrics."""
    return f"http://127.0.0.1:{arguments.port + 2 * number}"


def peer_url(arguments: argparse.Namespace, number: int) -> str:
    """Where a member serves its peers."""
    return f"http://127.0.0.1:{arguments.port + 2 * number + 1}"


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a child process for as long as the block. A signal from the terminal reaches this program only."""
    with log.open("wb") as output:
        child = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        try:
            yield child
        finally:
            stop(child)


def stop(child: subprocess.Popen[bytes]) -> None:
    """Ends a child's whole session, first by SIGTERM."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        if child.poll() is None:
            os.killpg(child.pid, sent)
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                continue


def write_without_end(path: Path) -> None:
    """What the other process does on the members' disk: a burst of blocks and an fsync each second."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with path.open("wb", buffering=0) as file:
        for block in range(1 << 30):
            file.seek(block % BLOCKS * len(BLOCK))
            file.write(BLOCK)
            if block % BLOCKS_PER_S == BLOCKS_PER_S - 1:
                os.fsync(file.fileno())
                time.sleep(1)


@contextmanager
def writer(path: Path) -> Iterator[None]:
    """Another process writes to the disk while this block runs."""
    process = get_context("spawn").Process(target=write_without_end, args=(path,), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def with_label(sample: str, label: str) -> str:
    """A line of the text format with one more label, in front of the others."""
    name, rest = sample.split("{", 1) if "{" in sample else (sample.split(" ", 1)[0], "} " + sample.split(" ", 1)[1])
    return f"{name}{{{label}{'' if rest.startswith('}') else ','}{rest}"


def scrape(urls: Mapping[int, str]) -> str:
    """All members' two histograms as one text, each line with the label `instance`, as a scraper of Prometheus adds it.

    Raises OSError if a member does not answer.
    """
    lines = []
    for number, url in urls.items():
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
            samples = answer.read().decode().splitlines()
        lines += [with_label(line, f'instance="n{number}"') for line in samples if line.startswith(METRICS)]
    parts = []
    for metric in METRICS:
        parts += [f"# TYPE {metric} histogram", *(line for line in lines if line.startswith(metric))]
    return "\n".join(parts) + "\n"


def put(url: str, key: str) -> None:
    """One small write, by the JSON gateway; waits until it is committed. Raises OSError if it is not."""
    pair = {"key": base64.b64encode(key.encode()).decode(), "value": base64.b64encode(bytes(100)).decode()}
    request = urllib.request.Request(f"{url}/v3/kv/put", json.dumps(pair).encode())
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()


def wait_until_reachable(url: str, member: subprocess.Popen[bytes]) -> None:
    """Returns when a member commits a write. Raises RuntimeError if it has ended, or does not within half a minute."""
    deadline = time.monotonic() + REACHABLE_WITHIN_S
    while member.poll() is None and time.monotonic() < deadline:
        try:
            return put(url, "ready")
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"the member at {url} does not answer; its log says why")


def write_for(seconds: float, urls: Sequence[str]) -> int:
    """The client: `PUTS_PER_S` small writes each second, through one member after another. Returns how many failed."""
    begin, done, failed = time.monotonic(), 0, 0
    while time.monotonic() - begin < seconds:
        try:
            put(urls[done % len(urls)], f"key-{done % 100}")
        except OSError:
            failed += 1
        done += 1
        time.sleep(max(0.0, begin + done / PUTS_PER_S - time.monotonic()))
    return failed


def measure(arguments: argparse.Namespace) -> None:
    """One measurement: both scrapes as files `NAME-before.prom` and `NAME-after.prom`."""
    arguments.directory.mkdir(parents=True, exist_ok=True)
    urls = {number: client_url(arguments, number) for number in members(arguments)}
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="etcd-histograms-", dir=arguments.data)))
        logs = {number: arguments.directory / f"{arguments.name}-n{number}.log" for number in urls}
        processes = {
            number: stack.enter_context(running(member_command(number, arguments, data), logs[number]))
            for number in urls
        }
        for number, url in urls.items():
            wait_until_reachable(url, processes[number])
        if arguments.writer:
            stack.enter_context(writer(data / "other"))
        failed = 0
        for when, seconds in (("before", arguments.settle), ("after", arguments.minutes * 60)):
            failed += write_for(seconds, list(urls.values()))
            path = arguments.directory / f"{arguments.name}-{when}.prom"
            path.write_text(scrape(urls), encoding="utf-8")
            print(f"{time.strftime('%H:%M:%S')} {path}", flush=True)
    print(f"{arguments.name}: {failed} writes failed")


def interrupt(number: int, frame: FrameType | None) -> None:
    """Makes an end by SIGTERM as orderly as one by SIGINT."""
    raise KeyboardInterrupt


def main() -> None:
    """Reads the options, measures once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("directory", type=Path, help="where the scrapes and the logs go")
    parser.add_argument("--name", default="quiet", help="of this measurement, in the files' names")
    parser.add_argument("--data", type=Path, default=Path(), help="the file system whose writes are measured")
    parser.add_argument("--members", type=int, default=5)
    parser.add_argument("--port", type=int, default=23790, help="member N uses PORT + 2 N and the next")
    parser.add_argument("--heartbeat", type=int, default=100, help="in ms")
    parser.add_argument("--election", type=int, default=1000, help="in ms")
    parser.add_argument("--pre-vote", action="store_true")
    parser.add_argument("--writer", action="store_true", help="another process writes to the same disk")
    parser.add_argument("--minutes", type=float, default=21, help="between the two scrapes")
    # The prober smooths its round trips, beginning at 0, so the first ones are too short.
    parser.add_argument("--settle", type=float, default=180, help="seconds until the first scrape")
    parser.add_argument("--nice", type=int, default=0, help="of the members")
    signal.signal(signal.SIGTERM, interrupt)
    try:
        measure(parser.parse_args())
    except KeyboardInterrupt:
        raise SystemExit("interrupted; all members are stopped") from None


if __name__ == "__main__":
    main()
