"""What PreVote and CheckQuorum buy: `python -m studies.raft_options --figures docs/images` draws for docs/raft.md.

Every shipped scenario of Raft under each of the four choices, all with the same luck; and two figures of what becomes
of the lead when nodes are half connected, and when one that was cut off comes back.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from simulator.analysis.statistics.estimates import Estimate, Sample, mean, ratio
from simulator.cluster.cluster import run_trial
from simulator.experiment.runner import Result, run
from simulator.protocol import SECOND
from simulator.report.figures.results import save
from simulator.report.figures.style import SERIES, style
from simulator.scenario import load
from simulator.scenario.schema import Scenario
from simulator.trace import event_types
from simulator.trace.replay import intervals
from simulator.trace.trace import Trace

SCENARIOS = Path(__file__).parents[1] / "scenarios"
CHOICES: Mapping[str, tuple[bool, bool]] = {
    "neither": (False, False),
    "PreVote": (True, False),
    "CheckQuorum": (False, True),
    "both": (True, True),
}
# The figures' scenarios, and what they show.
FIGURES: Mapping[str, str] = {
    "raft-partial-connectivity": "From 1 s on, n1, n2 and n3 reach each other, n4 only n2, and n5 only n3",
    "raft-disruptive-server": "A follower is cut off at 1 s, and comes back at 4 s",
}
STEP = 0.05  # Seconds between the points of a curve.


def variant(name: str, choice: str) -> Scenario:
    """A shipped scenario with PreVote and CheckQuorum as chosen."""
    pre_vote, check_quorum = (str(value).lower() for value in CHOICES[choice])
    overrides = f"algorithm.pre_vote={pre_vote}", f"algorithm.check_quorum={check_quorum}"
    return load(SCENARIOS / f"{name}.yaml", overrides)


# --- The matrix


def availability(result: Result) -> Estimate:
    """The share of the time from the first claim on in which a leader had a two-way path to a majority."""
    lost = ratio(result.trials["quorum_leaderless_s"].to_numpy(), result.trials["observed_s"].to_numpy())
    return Estimate(1 - lost.value, 1 - lost.high, 1 - lost.low)


def leaders_lost(result: Result) -> Estimate:
    """How often in a trial a leader was lost: crashed, paused, cut off, or made to step down though it was fine."""
    lost = result.elections[result.elections["loss_cause"].notna()].groupby("trial").size()
    return mean(Sample.of(lost.reindex(result.trials["trial"], fill_value=0)))


def matrix(names: Sequence[str], trials: int) -> Iterator[str]:
    """Lines of Markdown: for each scenario and choice, availability in percent and leaders lost in a trial."""
    yield f"| scenario | {' | '.join(CHOICES)} |"
    yield "| --- |" + " --- |" * len(CHOICES)
    for name in names:
        cells = []
        for choice in CHOICES:
            scenario = variant(name, choice)
            result = run(scenario, trials=min(trials, scenario.trials), workers=0)
            available, lost = availability(result), leaders_lost(result)
            cells.append(f"{_percent(available)}; {_shown(lost, 1, 2)}")
        yield f"| {name} | {' | '.join(cells)} |"


def _percent(estimate: Estimate) -> str:
    """A dash where a scenario ends with the first claim: there is no time of which it would be a share."""
    return "–" if np.isnan(estimate.value) else f"{_shown(estimate, 100, 2)} %"


def _shown(estimate: Estimate, factor: float, digits: int) -> str:
    value, low, high = (f"{number * factor:.{digits}f}" for number in (estimate.value, estimate.low, estimate.high))
    return value if value == low == high else f"{value} ({low}–{high})"


# --- The figures


def led(trace: Trace, instants: np.ndarray) -> np.ndarray:
    """Whether a leader with a path to a majority led at each instant; shape as `instants`, in seconds."""
    found = np.zeros(instants.shape, dtype=bool)
    for state, start_ns, end_ns in intervals(trace, trace.primary_group):
        if state.quorum:
            found |= (instants >= start_ns / SECOND) & (instants < end_ns / SECOND)
    return found


def highest_term(trace: Trace, instants: np.ndarray) -> np.ndarray:
    """The highest term that any node was in by each instant; shape as `instants`, in seconds."""
    rows = trace.of_type(event_types.TRANSITION)
    terms = np.maximum.accumulate([row.term or 0 for row in rows])
    return terms[np.searchsorted([row.time_ns / SECOND for row in rows], instants, side="right") - 1]


def figure(name: str, trials: int) -> Figure:
    """Over the time of a scenario: the share of trials that are led, and the highest term (median, 5 to 95 %)."""
    with style():
        drawn = Figure(figsize=(8.0, 4.8), layout="constrained")
        top, bottom = drawn.subplots(2, sharex=True)
        for (choice, colour), line in zip(zip(CHOICES, SERIES, strict=False), ("-", "--", "-.", ":"), strict=True):
            spec, seed = variant(name, choice).cluster_spec(), variant(name, choice).seed
            instants = np.arange(0.5, spec.duration / SECOND, STEP)
            traces = map(partial(run_trial, spec, seed), range(trials))
            curves = [(led(trace, instants), highest_term(trace, instants)) for trace in traces]
            shares, terms = np.mean([share for share, _ in curves], axis=0), np.array([term for _, term in curves])
            low, median, high = np.quantile(terms, (0.05, 0.5, 0.95), axis=0)
            top.plot(instants, 100 * shares, line, color=colour, label=choice)
            bottom.plot(instants, median, line, color=colour)
            bottom.fill_between(instants, low, high, color=colour, alpha=0.15, linewidth=0)
        top.set(ylabel="led by a majority's leader, %", ylim=(0, 102))
        bottom.set(ylabel="highest term", xlabel="seconds")
        bottom.set_ylim(bottom=0)
        bottom.yaxis.set_major_locator(MaxNLocator(integer=True))
        for axes in (top, bottom):
            axes.grid(visible=True)
        drawn.legend(loc="outside right upper")
        drawn.suptitle(f"{FIGURES[name]}\n{name}, {trials} trials of each", x=0.01, ha="left", fontsize=10)
    return drawn


def main() -> None:
    """Print the matrix; write the figures where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, default=200, help="of each scenario and choice")
    parser.add_argument("--figures", type=Path, help="directory for the two figures")
    given = parser.parse_args()
    if given.figures is not None:
        for name in FIGURES:
            save(figure(name, given.trials), given.figures / f"{name}.png", formats=("png",))
    for line in matrix(sorted(path.stem for path in SCENARIOS.glob("raft-*.yaml")), given.trials):
        print(line, flush=True)


if __name__ == "__main__":
    main()
