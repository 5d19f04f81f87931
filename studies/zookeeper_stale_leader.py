"""Does a client that is cut off stop in time? `python -m studies.zookeeper_stale_leader --figure docs/images/NAME`,
with NAME zookeeper-stale-leader; some two minutes.

The leading client is cut off from everybody and stays so, under both rules for when it stops. Session timeout, tickTime
and the drift of its clock are varied, one at a time.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from simulator.cluster.cluster import run_trial
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import LEADER, SECOND
from simulator.report.figures.results import save
from simulator.report.figures.style import SERIES, style
from simulator.scenario import loads
from simulator.trace import event_types
from simulator.trace.trace import Trace
from tests.verify.parallel import over_trials

RULES = ("disconnect", "expiry")
SCENARIO = """
version: 1
name: stale-leader
algorithm: {name: zookeeper, tick_time: 500ms, session_timeout: 4s}
cluster: {nodes: 3, start: {spread: 1s}}
network: {latency: {uniform: [1ms, 3ms]}}
faults:
  - {at: 0, skew_clock: [n1, n2, n3], drift_ppm: 0}
  - {at: {uniform: [20s, 24s]}, isolate: leader}
duration: 60s
"""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is varied: the name on the axis, the overrides of each value, and the value itself."""

    axis: str
    values: Mapping[float, tuple[str, ...]]


SWEEPS = (
    Sweep(
        "session timeout (s)",
        {timeout: (f"algorithm.session_timeout={timeout}s",) for timeout in (1, 2, 4, 6, 8, 10)},
    ),
    Sweep("tickTime (ms)", {tick: (f"algorithm.tick_time={tick}ms",) for tick in (200, 500, 1000, 1500, 2000)}),
    Sweep(
        "drift of the clients' clocks (%)",
        {percent: (f"faults.0.drift_ppm={percent * 10_000}",) for percent in (-50, -40, -30, -20, -10, 0, 10)},
    ),
)


def margin(spec: ClusterSpec, trial: int) -> float:
    """From the stop of the leader that is cut off until another leads, in s; negative: so long do both lead."""
    return margin_of(run_trial(spec, seed=1, trial=trial))


def margin_of(trace: Trace) -> float:
    """Read from a trace in which the leader is cut off for good."""
    lost = trace.of_type(event_types.LEADER_LOST)
    old, cut_ns = next((row.node, row.time_ns) for row in lost if row.node in trace.groups[trace.primary_group])
    told = trace.of_group(trace.primary_group).of_type(event_types.TRANSITION)
    rows = [row for row in told if row.time_ns > cut_ns]
    stopped = next(row.time_ns for row in rows if row.node == old)
    claimed = next(row.time_ns for row in rows if row.node != old and row.role is LEADER)
    return (claimed - stopped) / SECOND


Table = Mapping[str, Mapping[float, np.ndarray]]  # By rule and value; shape (trials,), in s.


def measured(sweep: Sweep, trials: int) -> Table:
    """The margins of every trial."""
    found: dict[str, dict[float, np.ndarray]] = {}
    for rule in RULES:
        found[rule] = {}
        for value, overrides in sweep.values.items():
            chosen = (*overrides, f"algorithm.stop_leading={rule}")
            spec = loads(SCENARIO, "the bench's scenario", chosen).cluster_spec()
            found[rule][value] = np.array(list(over_trials(partial(margin, spec), trials)))
    return found


def table(sweep: Sweep, found: Table) -> Iterator[str]:
    """Lines of Markdown: the least and the greatest margin, and how many trials have two leaders."""
    yield f"| {sweep.axis} | {' | '.join(f'{rule}: margin, s | two lead' for rule in found)} |"
    yield f"| --- |{' --- | --- |' * len(found)}"
    for value in sweep.values:
        cells = (_shown(found[rule][value]) for rule in found)
        yield f"| {value:g} | {' | '.join(cells)} |"


def _shown(margins: np.ndarray) -> str:
    return f"{margins.min():.2f} to {margins.max():.2f} | {np.mean(margins < 0):.1%}"


def draw(found: Sequence[Table], path: Path) -> None:
    """A panel for each sweep: the median, and all trials from the least to the greatest."""
    with style():
        figure = Figure(figsize=(8.4, 3.0), layout="constrained")
        panels = figure.subplots(1, len(SWEEPS), sharey=True)
        for axes, sweep, of in zip(panels, SWEEPS, found, strict=True):
            at = list(sweep.values)
            for (rule, margins), colour, marker in zip(of.items(), SERIES, "os", strict=False):
                medians = [np.median(margins[value]) for value in at]
                axes.plot(at, medians, label=rule, color=colour, marker=marker, markersize=4)
                least, greatest = ([pick(margins[value]) for value in at] for pick in (np.min, np.max))
                axes.fill_between(at, least, greatest, color=colour, alpha=0.2, linewidth=0)
            axes.axhline(0, color="black", linewidth=0.8)
            axes.set_xlabel(sweep.axis)
            axes.grid(visible=True)
        panels[0].set_ylabel("from stop to next leader (s)")
        panels[0].legend(title="stop_leading", loc="upper left")
        panels[-1].annotate("two lead", (0.03, 0.02), xycoords="axes fraction", fontsize=8)
    save(figure, path, ["png"])


def main() -> None:
    """Measure, print tables, and draw the figure where one is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--figure", type=Path, help="where to write the figure, without the ending")
    options = parser.parse_args()
    found = []
    for sweep in SWEEPS:
        found.append(measured(sweep, options.trials))
        print("\n".join((*table(sweep, found[-1]), "")))
    if options.figure is not None:
        draw(found, options.figure)


if __name__ == "__main__":
    main()
