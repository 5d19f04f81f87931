"""The herd and its cure: `python -m studies.zookeeper_recipe --figure docs/images/zookeeper-recipe`, some two minutes.

The leading client of many dies. What has to be sent, from the end of its session until all is quiet, and how long does
the next in line take to lead? With the recipe, with the variant that the recipe warns of, in which all watch the
parent, and with the recipe whose leaders announce themselves. All on one network, with the same luck.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from simulator.analysis.statistics.estimates import Estimate, Sample, mean
from simulator.cluster.cluster import run_trial
from simulator.cluster.spec import ClusterSpec
from simulator.metrics.traffic import Sent, Traffic
from simulator.protocol import ELECTORATE, LEADER, MILLISECOND
from simulator.report.figures.results import save
from simulator.report.figures.style import SERIES, style
from simulator.scenario import loads
from simulator.trace.trace import Trace
from tests.verify.parallel import over_trials

SIZES = (3, 10, 30, 100, 300, 500)
VARIANTS: Mapping[str, tuple[str, ...]] = {
    "predecessor": ("algorithm.announce=false",),
    "parent (herd)": ("algorithm.announce=false", "algorithm.watch=parent"),
    "predecessor, announced": (),
}
HEARTBEATS = ("SessionPing", "SessionPong", "Ping", "PingReply")
SHOWN = {"messages": "messages", "kilobytes": "kB sent", "election_ms": "ms to the claim"}  # Of a `Cost`, by its field.
SCENARIO = """
version: 1
name: herd
algorithm: {name: zookeeper, tick_time: 500ms, session_timeout: 2s}
cluster: {nodes: 3, service: 50us}  # Of each message, at servers and clients alike.
network: {latency: 500us, bandwidth: 1Gbit/s}
faults: [{at: {uniform: [20s, 21s]}, crash: leader}]
duration: 26s
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one election: what was sent, but for heartbeats, and the time from the session's end to the next claim."""

    messages: int
    kilobytes: float
    election_ms: float


Table = Mapping[str, Mapping[int, Sequence[Cost]]]  # By variant and number of clients.


def spec_of(variant: str, clients: int) -> ClusterSpec:
    """The cluster of a variant."""
    overrides = (*VARIANTS[variant], f"cluster.nodes={clients}")
    return loads(SCENARIO, "the bench's scenario", overrides).cluster_spec()


def cost(spec: ClusterSpec, trial: int) -> Cost:
    """That of the trial's one election after a loss."""
    return cost_of(run_trial(spec, seed=1, trial=trial))


def cost_of(trace: Trace) -> Cost:
    """Read from a trace, in which one session ends."""
    (ended,) = trace.of_type("session-expired")
    claims = (row.time_ns for row in trace.rows if row.role is LEADER and row.group == ELECTORATE)
    claimed_ns = next(time_ns for time_ns in claims if time_ns > ended.time_ns)
    sent = Traffic.between(trace, Sent.by(ended), Sent.in_all(trace))
    counted = [index for index, name in enumerate(trace.message_types) if name not in HEARTBEATS]
    return Cost(
        messages=sum(sent.messages[index] for index in counted),
        kilobytes=sum(sent.bytes[index] for index in counted) / 1000,
        election_ms=(claimed_ns - ended.time_ns) / MILLISECOND,
    )


def measured(variant: str, trials: int) -> Mapping[int, Sequence[Cost]]:
    """The costs of every trial, by the number of clients."""
    return {clients: list(over_trials(partial(cost, spec_of(variant, clients)), trials)) for clients in SIZES}


def estimate(found: Sequence[Cost], what: str) -> Estimate:
    """The mean of one field."""
    return mean(Sample.of([float(getattr(one, what)) for one in found]))


def table(found: Table) -> Iterator[str]:
    """Lines of Markdown."""
    yield f"| clients | {' | '.join(f'{name}: {what}' for name in found for what in SHOWN.values())} |"
    yield f"| --- |{' --- |' * len(SHOWN) * len(found)}"
    for clients in SIZES:
        cells = (_shown(estimate(of[clients], what)) for of in found.values() for what in SHOWN)
        yield f"| {clients} | {' | '.join(cells)} |"


def _shown(estimate: Estimate) -> str:
    value, low, high = (f"{number:,.0f}" if number >= 100 else f"{number:.1f}" for number in estimate)
    return value if value == low == high else f"{value} ({low}–{high})"


def draw(found: Table, path: Path) -> None:
    """A panel for each quantity, against the number of clients."""
    with style():
        figure = Figure(figsize=(8.4, 3.0), layout="constrained")
        panels = figure.subplots(1, len(SHOWN))
        for axes, (what, title) in zip(panels, SHOWN.items(), strict=True):
            for (name, curve), colour, marker in zip(found.items(), SERIES, "osD", strict=False):
                estimates = [estimate(curve[clients], what) for clients in SIZES]
                values = [estimate.value for estimate in estimates]
                spread = [[e.value - e.low for e in estimates], [e.high - e.value for e in estimates]]
                axes.errorbar(SIZES, values, spread, label=name, color=colour, marker=marker, markersize=4, capsize=2)
            axes.set(xscale="log", xlabel="clients", title=title)
            if what == "election_ms":
                axes.set_ylim(0)
            else:
                axes.set_yscale("log")
            axes.set_xticks(SIZES, ["" if size == 300 else str(size) for size in SIZES])  # There is no room for it.
            axes.minorticks_off()
            axes.grid(visible=True)
        panels[0].legend()
    save(figure, path, ["png"])


def main() -> None:
    """Measure, print a table, and draw the figure where one is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--figure", type=Path, help="where to write the figure, without the ending")
    options = parser.parse_args()
    found = {variant: measured(variant, options.trials) for variant in VARIANTS}
    print("\n".join(table(found)))
    if options.figure is not None:
        draw(found, options.figure)


if __name__ == "__main__":
    main()
