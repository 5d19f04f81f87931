"""Is this tree slower than another? `python -m bench.against ../other`: both by turns, each turn in a fresh process.

A tree of an earlier commit: `git worktree add ../other COMMIT`. Prints the rate of this tree over that of the other:
median and range over the turns, of processor time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).parents[1]

# Runs in either tree, so it uses only what both have.
MEASURE = """
import gc, json, sys, time
from dataclasses import replace
sys.path.insert(0, sys.argv[1])
from bench import messages, trials
from simulator.cluster.distributions import Uniform
from simulator.cluster.network.network import NetworkSpec
lossy = replace(trials.LEADER_CRASH, network=NetworkSpec(latency=Uniform(5_000_000, 15_000_000), loss=0.001))
loads = {
    "leader-crash trials": lambda: trials.leader_crash_trials(60),
    "leader-crash trials, 0.1 % loss": lambda: trials.leader_crash_trials(60, lossy),
    "messages, flood": lambda: messages.flood(150_000),
}
gc.disable()
trials.leader_crash_trials(5)
found = {}
for name, load in loads.items():
    start = time.process_time()
    load()
    found[name] = time.process_time() - start
print(json.dumps(found))
"""


def turn(tree: Path) -> Mapping[str, float]:
    """Seconds of processor time that each load takes in a tree."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tree)], cwd=tree, check=True, capture_output=True, text=True
    )
    found: Mapping[str, float] = json.loads(done.stdout)
    return found


def ratios(other: Path, turns: int) -> Mapping[str, Sequence[float]]:
    """The rate of this tree over that of the other, for each load and turn; they change places every turn."""
    found: dict[str, list[float]] = {}
    for number in range(turns):
        if number % 2:
            ours, theirs = turn(HERE), turn(other)
        else:
            theirs, ours = turn(other), turn(HERE)
        for name, seconds in ours.items():
            found.setdefault(name, []).append(theirs[name] / seconds)
    return found


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.against", description=__doc__)
    parser.add_argument("other", type=Path, help="the root of the other tree")
    parser.add_argument("--turns", type=int, default=11)
    arguments = parser.parse_args()
    for name, found in ratios(arguments.other.resolve(), arguments.turns).items():
        print(f"{name}: {statistics.median(found):.3f} ({min(found):.3f} … {max(found):.3f})")


if __name__ == "__main__":
    main()
