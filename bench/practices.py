"""What three practices buy, in figures and numbers: `python -m bench.practices --figures DIRECTORY`, some four minutes.

Each practice is a shipped scenario with one thing varied, all with the same luck.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from simulator.cluster.cluster import run_trial
from simulator.experiment.runner import Result, run
from simulator.experiment.samples import sample, transfers
from simulator.metrics.statistics import Estimate, fraction, quantiles
from simulator.report.figures import ecdf_figure, save, timeline_figure
from simulator.report.sweeps import Curve, Quantity, map_figure, sweep_figure
from simulator.scenario import load
from tests.verify.closed_forms import split_probability

WIDTHS_MS = (10, 20, 40, 80, 160, 320)  # Of the range of election timeouts.
LATENCIES_MS = (1, 2, 5, 10, 20, 40)
NODES = 5
Draw = Callable[[int, Path], None]


def shown(estimate: Estimate, factor: float) -> str:
    """`43.2 [42.4 – 44.1]`: the value with its 95 % interval, in another unit."""
    value, low, high = (f"{factor * part:.3g}" for part in estimate)
    return f"{value} [{low} – {high}]"


def measured(name: str, trials: int, *overrides: str) -> Result:
    """A shipped scenario with some fields replaced."""
    return run(load(name, overrides), trials=trials, workers=0)


def first_round_splits(width_ms: int, latency_ms: float, trials: int) -> Estimate:
    """How often the first round of a cold start fails: timers start together, and nothing but latency takes time."""
    result = measured(
        "raft-leader-crash",
        trials,
        f"algorithm.election_timeout=[150ms, {150 + width_ms}ms]",
        f"network.latency={latency_ms}ms",
        "network.loss=0",
        "cluster.disk={}",
        "faults=[]",
        "stop_when=leader-claimed",
    )
    return fraction(int((result.elections["failed_rounds"] > 0).sum()), trials)


def randomised_timeouts(trials: int, figures: Path) -> None:
    """Split votes against the width of the range, beside the closed form; and over width and latency.

    All cells share their luck, and those of one ratio are the same trials on another scale: their numbers repeat.
    """
    latency = 10
    found = [first_round_splits(width, latency, trials) for width in WIDTHS_MS]
    exact = [split_probability(NODES, NODES, min(1.0, latency / width)) for width in WIDTHS_MS]
    for width, estimate, expected in zip(WIDTHS_MS, found, exact, strict=True):
        print(f"width {width} ms: {shown(estimate, 100)} %, exactly {100 * expected:.3g} %")
    figure = sweep_figure(
        {"five servers, 10 ms one way": Curve(at=WIDTHS_MS, estimates=found, exact=exact)},
        Quantity(name="width of the range of election timeouts (ms)", log=True),
        Quantity(name="first rounds that fail", share=True),
        title="How wide must the range be?",
    )
    save(figure, figures / "practice-randomised-timeouts.png", ["png"])
    over = np.array([[first_round_splits(width, ms, trials).value for ms in LATENCIES_MS] for width in WIDTHS_MS])
    figure = map_figure(
        over,
        ("one-way latency (ms)", [str(ms) for ms in LATENCIES_MS]),
        ("width of the range (ms)", [str(width) for width in WIDTHS_MS]),
        Quantity(name="first rounds that fail", share=True),
        title="It is the ratio of width to latency that counts",
    )
    save(figure, figures / "practice-randomised-timeouts-map.png", ["png"])


def graceful_transfer(trials: int, figures: Path) -> None:
    """For how long nobody serves: a planned transfer, and a crash."""
    result = measured("raft-transfer", trials)
    planned, crash = transfers(result.elections), sample(result.elections, "failover")
    for name, found in (("transfer", planned), ("crash", crash)):
        median, p99 = quantiles(found, [0.5, 0.99])
        print(f"{name}: median {shown(median, 1e3)} ms, p99 {shown(p99, 1e3)} ms")
    figure = ecdf_figure(
        {"planned transfer": planned, "crash": crash}, title="Without a leader that serves", quantity="time"
    )
    save(figure, figures / "practice-transfer.png", ["png"])


def partitions(trials: int, figures: Path) -> None:
    """For how long a leader in the minority goes on, with and without CheckQuorum; and one trial of it."""
    for check in ("false", "true"):
        result = measured("raft-partition", trials, f"algorithm.check_quorum={check}")
        incidents = result.summary["metrics"]["leaders_overlap"]
        count, longest = incidents["stale_leader"]["count"], incidents["max"]["value"]
        total_s = incidents["total_s"] / trials
        print(f"check_quorum {check}: {count} incidents, {total_s:.3f} s a trial, at most {longest:.3f} s")
    scenario = load("raft-partition")
    trace = run_trial(scenario.cluster_spec(), scenario.seed, 0, journal=True)
    save(
        timeline_figure(trace, title="raft-partition, trial 0", arrows=False),
        figures / "practice-partition.png",
        ["png"],
    )


PRACTICES: Sequence[tuple[str, Draw, int]] = (
    ("randomised timeouts", randomised_timeouts, 2000),
    ("graceful transfer", graceful_transfer, 1000),
    ("partitions and quorum", partitions, 500),
)


def main() -> None:
    """Print the numbers, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", type=Path, required=True)
    parser.add_argument("--only", help="A practice, by the beginning of its name.", default="")
    asked = parser.parse_args()
    for name, draw, trials in PRACTICES:
        if name.startswith(asked.only):
            print(f"\n{name}")
            asked.figures.mkdir(parents=True, exist_ok=True)
            draw(trials, asked.figures)


if __name__ == "__main__":
    main()
