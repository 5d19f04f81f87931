"""Which alert rules page somebody without need, and how late they do when it matters: `python -m studies.alerts`.

For docs/practices/monitoring-elections.md. Five servers of etcd run for an hour of simulated time, with what is named
below. A rule is evaluated on what a monitoring system would have scraped (`simulator.report.monitoring`).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulator.cluster.cluster import run_trial
from simulator.metrics.elections import elections
from simulator.protocol import SECOND
from simulator.report.monitoring.rules import RULES, Alert, Rule, alerts
from simulator.report.monitoring.scrapes import scrapes
from simulator.scenario import Scenario, loads
from simulator.trace import event_types
from simulator.trace.trace import Trace

SCRAPE_S = 15
CLUSTER = """
version: 1
name: alerts
algorithm: {name: raft, dialect: etcd, pre_vote: true}
cluster:
  nodes: 5
  start: {spread: 1s}
  disk: {write: {lognormal: {median: 1ms, p99: 10ms}}}
network: {latency: {lognormal: {median: 500us, p99: 2ms}}}
duration: 1h
trials: 20
seed: 15
"""


@dataclass(frozen=True, slots=True)
class Situation:
    """What happens in the hour, and whether somebody should be paged for it."""

    name: str
    page: bool
    faults: str = "[]"
    overrides: tuple[str, ...] = ()

    def scenario(self) -> Scenario:
        """The cluster in this situation."""
        return loads(CLUSTER, overrides=[f"faults={self.faults}", *self.overrides])


def _repeated(fault: str, each_s: int, times: int) -> str:
    """One fault, again and again, from a random instant of the eleventh minute on."""
    entries = [
        f"{{at: {{uniform: [{600 + each_s * number}s, {645 + each_s * number}s]}}, {fault}}}" for number in range(times)
    ]
    return f"[{', '.join(entries)}]"


SITUATIONS = (
    Situation("nothing", page=False),
    Situation(
        "2 % of packets are lost, five in a row",
        page=False,
        overrides=("network.loss={bursts: {rate: 0.02, mean_length: 5}}",),
    ),
    Situation(
        "the leader is killed, and back after 20 s", page=False, faults=_repeated("bounce: leader, lasts: 20s", 1, 1)
    ),
    Situation(
        "all five are restarted, one each two minutes",
        page=False,
        faults="["
        + ", ".join(
            f"{{at: {{uniform: [{600 + 120 * node}s, {645 + 120 * node}s]}}, bounce: n{node + 1}, lasts: 20s}}"
            for node in range(5)
        )
        + "]",
    ),
    Situation("one node stays down", page=True, faults=_repeated("crash: leader", 1, 1)),
    Situation(
        "three nodes stay down",
        page=True,
        faults="[{at: {uniform: [600s, 645s]}, crash: [n1, n2, n3]}]",
    ),
    Situation("the leader is killed each minute", page=True, faults=_repeated("bounce: leader, lasts: 10s", 60, 30)),
    Situation(
        "the leader's disk stalls for 5 s, each two minutes; ten writes a second",
        page=True,
        faults=_repeated("stall_disk: leader, lasts: 5s", 120, 15),
        overrides=("workload={rate_per_s: 10}", "algorithm.replication=true"),
    ),
    Situation(
        "the leader is paused for 3 s, each two minutes",
        page=True,
        faults=_repeated("pause: leader, lasts: 3s", 120, 15),
    ),
)


@dataclass(frozen=True, slots=True)
class Found:
    """How one rule did in all trials of one situation."""

    paged: int  # Trials with at least one alert.
    pages: int  # All alerts.
    late_s: tuple[float, ...]  # From the first fault to the first alert, of the trials with one.


@dataclass(frozen=True, slots=True)
class Hours:
    """All trials of one situation."""

    new_leaders: float  # Of the cluster, but for the first: per trial.
    rules: dict[str, Found]


def evaluated(situation: Situation, trials: int) -> Hours:
    """What each rule did."""
    scenario = situation.scenario()
    first: dict[str, list[float]] = {rule.name: [] for rule in RULES}
    pages = dict.fromkeys(first, 0)
    new_leaders = 0
    for trial in range(trials):
        trace = run_trial(scenario.cluster_spec(), scenario.seed, trial)
        began_s = _first_fault_s(trace)
        new_leaders += sum(election.winner is not None for election in elections(trace)) - 1
        for rule, fired in _fired(trace):
            pages[rule.name] += len(fired)
            if fired:
                first[rule.name].append(fired[0].from_s - began_s)
    rules = {name: Found(len(late), pages[name], tuple(late)) for name, late in first.items()}
    return Hours(new_leaders / trials, rules)


def _fired(trace: Trace) -> Iterator[tuple[Rule, list[Alert]]]:
    found = scrapes(trace, SCRAPE_S * SECOND)
    return ((rule, alerts(rule, found)) for rule in RULES)


def _first_fault_s(trace: Trace) -> float:
    faults = trace.seconds(event_types.FAULT)
    return float(faults[0]) if len(faults) else math.nan


def _cell(situation: Situation, found: Found, trials: int) -> str:
    """Without need: alerts an hour. When it matters: the median time to the first one, and in how many hours of all."""
    if not found.paged:
        return "–"
    if not situation.page:
        return f"{found.pages / trials:.1f}"
    late = f"{float(np.median(found.late_s)) / 60:.1f} min"
    return late if found.paged == trials else f"{late} in {found.paged} of {trials}"


def main() -> None:
    """Print a table for each half of the situations: a line for each situation, a column for each rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    trials = parser.parse_args().trials
    for page, title in (
        (False, "nobody needs to come: alerts an hour"),
        (True, "somebody must come: first alert after"),
    ):
        print(f"| {title} | new leaders an hour | {' | '.join(rule.name for rule in RULES)} |")
        print(f"|---{'|---' * (1 + len(RULES))}|")
        for situation in SITUATIONS:
            if situation.page == page:
                found = evaluated(situation, trials)
                cells = [_cell(situation, found.rules[rule.name], trials) for rule in RULES]
                print(f"| {situation.name} | {found.new_leaders:.1f} | {' | '.join(cells)} |", flush=True)
        print()


if __name__ == "__main__":
    main()
