"""Randomised trials under the safety checks; `python -m tests.checks.replay raft 1 17` repeats one."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from simulator.algorithms.raft import Raft
from simulator.algorithms.registration import Registration
from simulator.algorithms.registry import REGISTRY
from simulator.checks.safety import violations
from simulator.checks.violation import Violation
from simulator.cluster.cluster import run_trial
from simulator.protocol import Guarantee
from simulator.trace.trace import Trace
from tests.checks.mutants import MUTANTS
from tests.verify.randomised import random_spec

ALGORITHMS: Mapping[str, Registration] = {
    "raft": REGISTRY["raft"],
    **{name: mutant.registration for name, mutant in MUTANTS.items()},
}


class Finding(NamedTuple):
    trial: int
    violation: Violation
    report: str


def replay(name: str, seed: int, trial: int) -> Trace:
    return run_trial(random_spec(ALGORITHMS[name], seed, trial), seed, trial)


def judge(trace: Trace) -> list[Violation]:
    """Raft promises all that there is to promise, and so does every mutant."""
    return violations(trace, Raft.guarantees)


def report(name: str, seed: int, trial: int, broken: Sequence[Violation]) -> str:
    """What a failing check says: each violated guarantee, and how to see it again."""
    lines = (f"{violation.time_ns / 1e9:.9f} s  {violation.guarantee}: {violation.text}" for violation in broken)
    return "\n".join((*lines, f"replay: python -m tests.checks.replay {name} {seed} {trial}"))


def hunt(name: str, guarantee: Guarantee, seed: int, limit: int) -> Finding:
    """The first trial that breaks a guarantee. Raises LookupError where `limit` trials do not."""
    for trial in range(limit):
        broken = [violation for violation in judge(replay(name, seed, trial)) if violation.guarantee is guarantee]
        if broken:
            return Finding(trial, broken[0], report(name, seed, trial, broken))
    raise LookupError(f"{name}: {limit} trials of seed {seed} do not break {guarantee}")


def main(name: str, seed: str, trial: str) -> int:
    """Print a trial's rows and its broken promises; 1 if there are any."""
    trace = replay(name, int(seed), int(trial))
    for row in trace.rows:
        facts = {field: value for field, value in row._asdict().items() if value not in (None, ()) and field != "sent"}
        print(" ".join(f"{field}={value}" for field, value in facts.items()))
    broken = judge(trace)
    print(report(name, int(seed), int(trial), broken))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
