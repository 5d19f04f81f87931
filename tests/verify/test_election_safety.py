"""Raft's promises over 100 000 randomised trials (issue 2, outside truths)."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from tests.checks.replay import judge, replay, report
from tests.verify.parallel import over_trials
from tests.verify.record import Comparison, Record
from tests.verify.stress import MEASURES, stress

SEED = 2
TRIALS = 100_000

pytestmark = pytest.mark.verify


def examine(seed: int, trial: int) -> tuple[str, Counter[str]]:
    """What is wrong with one trial, empty if nothing is, and how hard it was."""
    trace = replay("raft", seed, trial)
    broken = judge(trace)
    return (report("raft", seed, trial, broken) if broken else ""), stress(trace)


def test_raft_keeps_all_its_promises(record: Record) -> None:
    """ "At most one leader can be elected in a given term" (figure 3), and the promises that it rests on."""
    measured: Counter[str] = Counter()
    failures = []
    for done, (failure, hardness) in enumerate(over_trials(partial(examine, SEED), TRIALS), start=1):
        measured += hardness
        failures += [failure] if failure else []
        if done % (TRIALS // 10) == 0:
            print(f"randomised trials: {done} of {TRIALS}, {len(failures)} break a promise", flush=True)
    record.found.append(
        Comparison(
            f"trials of {TRIALS} randomised ones that break a promise",
            "Ongaro and Ousterhout 2014, figure 3",
            "0",
            f"{len(failures)}",
            f"{len(failures)}",
            "0",
            not failures,
        )
    )
    counts = ", ".join(f"{measured[measure]} {measure}" for measure in MEASURES)
    record.notes.append(f"The randomised trials saw {counts}.")
    assert not failures, "\n\n".join(failures[:3])
    assert all(measured[measure] >= TRIALS // 10 for measure in MEASURES), measured
