"""The safety checks under randomised trials see every deliberate fault, and none in Raft (issue 2, outside truths)."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from simulator.algorithms.raft import Raft
from simulator.protocol import Guarantee
from tests.checks.mutants import MUTANTS
from tests.checks.replay import hunt, judge, replay, report
from tests.verify.stress import MEASURES, stress

SEED = 1
TRIALS = 300
REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "guarantee"),
    [(name, guarantee) for name, mutant in MUTANTS.items() for guarantee in mutant.breaks],
)
def test_a_deliberate_fault_is_seen(name: str, guarantee: Guarantee) -> None:
    """Each mutant's docstring cites the sentence that it breaks. A check that sees no fault proves nothing of Raft."""
    finding = hunt(name, guarantee, SEED, limit=1000)
    print(f"{name}: {guarantee} is broken in trial {finding.trial}, the first of {finding.trial + 1}")
    assert finding.report.endswith(f"replay: python -m tests.checks.replay {name} {SEED} {finding.trial}")


def test_the_command_in_the_report_replays_the_violation() -> None:
    """ "A failure prints the command that replays it" (design.md, rule 5)."""
    finding = hunt("CountsDuplicates", Guarantee.ELECTION_SAFETY, SEED, limit=1000)
    violation, command = finding.report.splitlines()[-2:]
    replayed = subprocess.run(
        [sys.executable, *command.split()[2:]], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert replayed.returncode == 1
    assert violation in replayed.stdout
    assert finding.violation.text in violation


def test_raft_keeps_all_its_promises_under_stress() -> None:
    """ "At most one leader can be elected in a given term" (figure 3). `make verify` runs 100 000 of these trials."""
    measured: Counter[str] = Counter()
    for trial in range(TRIALS):
        trace = replay("raft", SEED, trial)
        broken = judge(trace)
        assert not broken, report("raft", SEED, trial, broken)
        measured += stress(trace)
    assert all(measured[measure] >= TRIALS // 10 for measure in MEASURES), measured


def test_mutants_promise_what_raft_promises() -> None:
    """A mutant that promised less would be excused by the host that checks only what is promised."""
    assert all(mutant.registration.algorithm.guarantees == Raft.guarantees for mutant in MUTANTS.values())
