"""Real PySyncObj clusters, whose leader is killed: `python -m studies.pysyncobj FILE --python PYTHON --trials 48`.

Five processes talk over the loopback interface. A trial starts them, waits, kills the leader and waits for the next
one: some 13 s. PYTHON is an interpreter with PySyncObj 0.3.17. FILE gets one line of JSON for each trial, all times
in ms from the kill: when the survivors saw the closed connection (`noticed`), the first campaign of each (`campaigns`),
the first of all (`detection_ms`), when one led (`failover_ms`), how many terms that took (`terms`), and for each
survivor the turns of its poll loop since a second before the kill (`turns`): when the wait began, how long it took, how
many sockets ended it, and the processor time of the turn's work before it.

`python -m studies.pysyncobj FILE --report` prints quantiles of what is in FILE.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

NODES = 5
FIRST_PORT = 24_100
CANDIDATE, LEADER = 1, 2  # PySyncObj's numbers of the states.
SETTLED_S = (9.0, 11.0)  # After the start. A connection that fails at first is tried again after 5 s.
LONGEST_S = 60.0  # For an election.
AFTERWARDS_S = 0.2  # For what survivors have yet to report.
SHOWN = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)

# Run by PYTHON, which need not have this package. It reports on standard output: a JSON list a line.
WORKER = """
import json, sys, time
from pysyncobj import SyncObj, SyncObjConf
from pysyncobj.poller import PollPoller

clock, turns, ended = time.monotonic_ns, [], [0, 0]
wait = PollPoller.poll

class Timed:
    def __init__(self, real):
        self.real = real
    def poll(self, timeout):
        found = self.real.poll(timeout)
        ended[:] = len(found), clock()
        return found
    def __getattr__(self, name):
        return getattr(self.real, name)

def poll(self, timeout):
    worked, began = time.thread_time_ns() - poll.worked, clock()
    real = self._PollPoller__poll
    self._PollPoller__poll = Timed(real)
    try:
        wait(self, timeout)
    finally:
        self._PollPoller__poll = real
    turns.append((began, ended[1] - began, ended[0], worked))
    poll.worked = time.thread_time_ns()

poll.worked, PollPoller.poll = 0, poll

def tell(*row):
    print(json.dumps([clock(), *row]), flush=True)

me, *others = sys.argv[2:]
conf = SyncObjConf(connectionTimeout=float(sys.argv[1]),
                   onStateChanged=lambda old, new: tell("state", new, node.raftCurrentTerm))
node = SyncObj(me, others, conf)
transport = node._SyncObj__transport
lost = transport._onNodeDisconnectedCallback
transport.setOnNodeDisconnectedCallback(lambda peer: (tell("lost", peer.id), lost(peer)))
since = int(sys.stdin.readline())
tell("turns", [turn for turn in list(turns) if sum(turn[:2]) > since])
node.destroy()
"""


class Member:
    """One process of the cluster, and what it reports."""

    def __init__(self, python: str, timeout_s: float, names: Sequence[str], me: int, directory: Path) -> None:
        self.name = names[me]
        self.output = (directory / f"{me}").open("wb")
        command = (python, "-c", WORKER, str(timeout_s), self.name, *names[:me], *names[me + 1 :])
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=self.output, stderr=subprocess.DEVNULL, text=True
        )

    def rows(self, *what: object) -> list[list[Any]]:
        """The rows that it has reported and that say this, such as `"state", LEADER`: [instant in ns, what, …] each."""
        lines = Path(self.output.name).read_text(encoding="utf-8").splitlines(keepends=True)
        rows = [json.loads(line) for line in lines if line.endswith("\n")]
        return [row for row in rows if tuple(row[1 : 1 + len(what)]) == what]

    def ask_for_turns(self, since_ns: int) -> None:
        """Let it report the turns of its poll loop since an instant, and end."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{since_ns}\n")
        self.process.stdin.flush()

    def end(self) -> None:
        """Kill the process, if it still runs."""
        self.process.kill()
        self.process.communicate()
        self.output.close()


def trial(python: str, timeout_s: float, first_port: int, directory: Path) -> Mapping[str, Any] | None:
    """One kill. None if no process led, or more than one had led, when the leader was to be killed."""
    names = [f"127.0.0.1:{first_port + node}" for node in range(NODES)]
    members = [Member(python, timeout_s, names, me, directory) for me in range(NODES)]
    try:
        time.sleep(random.uniform(*SETTLED_S))
        leaders = [member for member in members if member.rows("state", LEADER)]
        if len(leaders) != 1:
            return None
        survivors = [member for member in members if member is not leaders[0]]
        old_term = leaders[0].rows("state", LEADER)[-1][3]
        killed_ns = time.monotonic_ns()
        leaders[0].process.kill()
        while not any(member.rows("state", LEADER) for member in survivors):
            if time.monotonic_ns() > killed_ns + LONGEST_S * 1e9:
                return None
            time.sleep(0.02)
        time.sleep(AFTERWARDS_S)
        for member in survivors:
            member.ask_for_turns(killed_ns - 1_000_000_000)
        time.sleep(AFTERWARDS_S)
        return measured(survivors, leaders[0].name, killed_ns, old_term)
    finally:
        for member in members:
            member.end()


def measured(survivors: Sequence[Member], dead: str, killed_ns: int, old_term: int) -> Mapping[str, Any]:
    """The row of a trial."""

    def since_kill(at_ns: int) -> float:
        return round((at_ns - killed_ns) / 1e6, 3)

    def first(*what: object) -> list[Any]:
        """The first row of each survivor that says this, in order of time."""
        rows = [[row for row in member.rows(*what) if row[0] > killed_ns] for member in survivors]
        return sorted(of_one[0] for of_one in rows if of_one)

    campaigns, (claim, *_) = first("state", CANDIDATE), first("state", LEADER)
    return {
        "noticed": [since_kill(row[0]) for row in first("lost", dead)],
        "campaigns": [since_kill(row[0]) for row in campaigns],
        "detection_ms": since_kill(campaigns[0][0]),
        "failover_ms": since_kill(claim[0]),
        "terms": claim[3] - old_term,
        "turns": [
            [[since_kill(began), took / 1e6, sockets, worked / 1e6] for began, took, sockets, worked in row[2]]
            for member in survivors
            for row in member.rows("turns")
        ],
    }


def report(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print quantiles. A turn is from the begin of one wait to that of the next, if no socket has ended the wait."""
    turns = [np.array(turns) for row in rows for turns in row["turns"]]
    quiet = [np.flatnonzero(of_one[:-1, 2] == 0) for of_one in turns]
    pairs = list(zip(turns, quiet, strict=True))
    print(f"{len(rows)} trials, terms: {[row['terms'] for row in rows]}")
    show("failover", (row["failover_ms"] for row in rows))
    show("detection", (row["detection_ms"] for row in rows))
    show("noticed, first", (min(row["noticed"]) for row in rows))
    show("noticed, all", (instant for row in rows for instant in row["noticed"]))
    show("a turn", (length for of_one, at in pairs for length in np.diff(of_one[:, 0])[at]))
    show("its wait", (length for of_one, at in pairs for length in of_one[at, 1]))
    show("its work", (length for of_one, at in pairs for length in of_one[at + 1, 3]))


def show(title: str, values: Iterable[float]) -> None:
    """Print the mean and the quantiles SHOWN, in ms."""
    sample = np.array(list(values))
    print(f"{title}: n = {sample.size}, mean {sample.mean():.3f}, {np.quantile(sample, SHOWN).round(3).tolist()} ms")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--python", default="python3")
    parser.add_argument("--trials", type=int, default=48)
    parser.add_argument("--timeout", type=float, default=3.5, help="PySyncObj's connectionTimeout in seconds")
    parser.add_argument("--report", action="store_true")
    given = parser.parse_args()
    if given.report:
        report([json.loads(line) for line in given.file.read_text(encoding="utf-8").splitlines()])
        return
    with given.file.open("a", encoding="utf-8") as file:
        for number in range(given.trials):
            with tempfile.TemporaryDirectory() as directory:
                row = trial(given.python, given.timeout, FIRST_PORT + NODES * (number % 100), Path(directory))
            if row is not None:
                file.write(json.dumps(row) + "\n")
                file.flush()


if __name__ == "__main__":
    main()
