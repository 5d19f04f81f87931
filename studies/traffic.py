"""What a leader costs, by the size of its cluster: `python -m studies.traffic --figures docs/images` (docs/metrics.md).

The messages of an election after a crash, and those of a second of steady state, beside what theory says of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.analysis.statistics.estimates import Estimate, Sample, mean, ratio
from simulator.experiment.runner import Result, run
from simulator.report.figures.results import save
from simulator.report.figures.sweeps import Curve, Quantity, sweep_figure
from simulator.scenario import load

SIZES = (3, 5, 9, 15, 25, 50)
PER_SECOND = 20  # Heartbeats, one every 50 ms.
CRASH = "faults=[{at: {uniform: [1s, 1050ms]}, crash: leader}]"
SETTING = ("network.loss=0", "cluster.disk={}", "duration=3s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An algorithm: the messages of its elections and of its peace, and how many theory says there are with n nodes."""

    scenario: str
    election: Sequence[str]
    expected: Callable[[int], float]
    peace: Sequence[str]
    expected_per_s: Callable[[int], float]


SUBJECTS: Mapping[str, Subject] = {
    # One candidate asks the n - 1 others, of whom n - 2 are there to answer, and tells all n - 1 that it leads.
    # In peace, the leader's heartbeats to all others, and their answers.
    "Raft": Subject(
        scenario="raft-leader-crash",
        election=("RequestVote", "RequestVoteReply", "AppendEntries"),
        expected=lambda n: 3 * n - 4,
        peace=("AppendEntries", "AppendEntriesReply"),
        expected_per_s=lambda n: 2 * (n - 1) * PER_SECOND,
    ),
    # All notice at once: ELECTION n(n - 1)/2, OK (n - 1)(n - 2)/2, COORDINATOR n - 2
    # (tests/algorithms/test_bully_counts.py).
    # In peace, the leader's heartbeats, by which all others watch it.
    "Bully": Subject(
        scenario="bully-leader-crash",
        election=("Election", "Answer", "Coordinator"),
        expected=lambda n: n**2 - n - 1,
        peace=("Heartbeat",),
        expected_per_s=lambda n: (n - 1) * PER_SECOND,
    ),
}


def per_election(subject: Subject, nodes: int, trials: int) -> Estimate:
    """Messages from the loss of a leader to its successor's announcement to a majority."""
    rows = _run(subject, nodes, trials, CRASH).elections.query("cause == 'loss' and outcome == 'elected'")
    sent = rows[[f"sent_{kind}" for kind in subject.election]].sum(axis=1)
    return mean(Sample.of(sent, trials=rows["trial"]))


def per_second(subject: Subject, nodes: int, trials: int) -> Estimate:
    """Messages in a second of steady state, in which nobody is down."""
    rows = _run(subject, nodes, trials, "faults=[]").trials
    return ratio(rows[[f"steady_sent_{kind}" for kind in subject.peace]].sum(axis=1), rows["steady_s"])


def _run(subject: Subject, nodes: int, trials: int, *overrides: str) -> Result:
    return run(load(subject.scenario, [f"cluster.nodes={nodes}", *SETTING, *overrides]), trials=trials)


def curves(
    count: Callable[[Subject, int, int], Estimate], expected: Callable[[Subject, int], float], trials: int
) -> Mapping[str, Curve]:
    """For each subject what was counted at each size, beside theory; and the same in print, as rows of a table."""
    found = {}
    for name, subject in SUBJECTS.items():
        estimates = [count(subject, nodes, trials) for nodes in SIZES]
        exact = [expected(subject, nodes) for nodes in SIZES]
        for nodes, (value, low, high), theory in zip(SIZES, estimates, exact, strict=True):
            print(f"| {name} | {nodes} | {value:,.1f} [{low:,.1f} – {high:,.1f}] | {theory:,.0f} |")
        found[name] = Curve(at=SIZES, estimates=estimates, exact=exact)
    return found


def main() -> None:
    """Print the counts, and write the figures."""
    parser = argparse.ArgumentParser(prog="python -m studies.traffic", description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--figures", type=Path)
    asked = parser.parse_args()
    size = Quantity(name="nodes", log=True)
    for name, what, found in (
        (
            "messages-per-election",
            "messages of an election",
            curves(per_election, lambda s, n: s.expected(n), asked.trials),
        ),
        (
            "messages-in-peace",
            "messages per second of steady state",
            curves(per_second, lambda s, n: s.expected_per_s(n), 5),
        ),
    ):
        if asked.figures is not None:
            figure = sweep_figure(found, size, Quantity(name=what, log=True))
            save(figure, asked.figures / f"{name}.png", ["png"])


if __name__ == "__main__":
    main()
