"""The figures and numbers of docs/practices: `python -m bench.practices --figures docs/images`, five minutes or so.

Each practice is a shipped scenario with one thing varied, all with the same luck.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from math import comb
from pathlib import Path

import numpy as np

from simulator.cluster.cluster import run_trial
from simulator.experiment.runner import Result, run
from simulator.experiment.summary import sample, transfers
from simulator.metrics.statistics import Estimate, fraction, quantiles, rate
from simulator.report.figures import ecdf_figure, save, timeline_figure
from simulator.report.sweeps import Curve, Quantity, map_figure, sweep_figure
from simulator.scenario import load

WIDTHS_MS = (10, 20, 40, 80, 160, 320)  # Of the range of election timeouts.
LATENCIES_MS = (1, 2, 5, 10, 20, 40)
LEAST_MS = (100, 150, 200, 300, 400, 600, 1000)
LOSSES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
NODES = 5
Draw = Callable[[int, Path], None]


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
    """Split votes against the width of the range, beside the closed form; and over width and latency."""
    latency = 10
    found = [first_round_splits(width, latency, trials) for width in WIDTHS_MS]
    exact = [split_probability(min(1.0, latency / width)) for width in WIDTHS_MS]
    for width, estimate, expected in zip(WIDTHS_MS, found, exact, strict=True):
        print(
            f"width {width} ms: {estimate.value:.4f} [{estimate.low:.4f} – {estimate.high:.4f}], exactly {expected:.4f}"
        )
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


def split_probability(latency: float) -> float:
    """The closed form of the dissertation, section 9.2, for five servers that are all up: a round splits where four or
    more of them time out within one latency (a fraction of the range), so that too few are left to make a majority.
    """
    return sum(comb(NODES, k) * latency**k * (1 - latency) ** (NODES - k) for k in range(3, NODES + 1))


def quick_recovery(trials: int, figures: Path) -> None:
    """Failover, and leaders deposed in error, against the least election timeout, on a jittery network."""
    jitter = ("network.latency={exponential: 15ms}", "network.loss=0.01")
    curves: dict[str, list[Estimate]] = {"median": [], "p95": []}
    alarms = []
    for least in LEAST_MS:
        timing = (
            f"algorithm.election_timeout=[{least}ms, {2 * least}ms]",
            f"algorithm.heartbeat_interval={least // 3}ms",
        )
        crash = measured("raft-leader-crash", trials, *jitter, *timing, "duration=20s", "stop_when=leader-announced",
                         "faults=[{after: {occasion: leader-announced, delay: {uniform: [3s, 4s]}}, crash: leader}]")  # fmt: skip  # noqa: E501
        median, p95 = quantiles(sample(crash.elections, "failover"), [0.5, 0.95])
        quiet = measured("raft-leader-crash", max(20, trials // 10), *jitter, *timing, "duration=120s", "faults=[]")
        hours = float(quiet.trials["observed_s"].sum()) / 3600
        deposed = rate(int((quiet.elections["cause"] == "spurious").sum()), hours)
        curves["median"].append(median)
        curves["p95"].append(p95)
        alarms.append(deposed)
        print(f"least timeout {least} ms: median {median.value:.3f} s, p95 {p95.value:.3f} s, deposed {deposed.value:.3g} an hour [{deposed.low:.3g} – {deposed.high:.3g}] in {hours:.1f} h")  # fmt: skip  # noqa: E501
    least_timeout = Quantity(name="least election timeout (ms); the greatest is twice as much", log=True)
    figure = sweep_figure(
        {name: Curve(at=LEAST_MS, estimates=found) for name, found in curves.items()},
        least_timeout, Quantity(name="failover (s)"), title="Recovery",
    )  # fmt: skip
    save(figure, figures / "practice-quick-recovery.png", ["png"])
    figure = sweep_figure(
        {"deposed": Curve(at=LEAST_MS, estimates=alarms)},
        least_timeout, Quantity(name="leaders deposed in error, an hour"), title="False alarms",
    )  # fmt: skip
    save(figure, figures / "practice-false-alarms.png", ["png"])


def graceful_transfer(trials: int, figures: Path) -> None:
    """For how long nobody serves: a planned transfer, and a crash."""
    result = measured("raft-transfer", trials)
    planned, crash = transfers(result.elections), sample(result.elections, "failover")
    for name, found in (("transfer", planned), ("crash", crash)):
        median, p99 = quantiles(found, [0.5, 0.99])
        print(f"{name}: median {median.value * 1e3:.1f} ms [{median.low * 1e3:.1f} – {median.high * 1e3:.1f}], p99 {p99.value * 1e3:.1f} ms")  # fmt: skip  # noqa: E501
    figure = ecdf_figure(
        {"planned transfer": planned, "crash": crash}, title="Without a leader that serves", quantity="time"
    )
    save(figure, figures / "practice-transfer.png", ["png"])


def partitions(trials: int, figures: Path) -> None:
    """For how long a leader in the minority goes on, with and without CheckQuorum; and one trial of it."""
    for check in ("false", "true"):
        result = measured("raft-partition", trials, f"algorithm.check_quorum={check}")
        incidents = result.summary["metrics"]["leaders_overlap"]
        print(f"check_quorum {check}: {incidents['stale_leader']['count']} incidents, {incidents['total_s'] / trials:.3f} s a trial, at most {incidents['max']['value']:.3f} s")  # fmt: skip  # noqa: E501
    scenario = load("raft-partition")
    trace = run_trial(scenario.cluster_spec(), scenario.seed, 0, journal=True)
    save(
        timeline_figure(trace, title="raft-partition, trial 0", arrows=False),
        figures / "practice-partition.png",
        ["png"],
    )


def monitoring(trials: int, figures: Path) -> None:
    """How often leaders change where nothing is wrong but the network: the level above which an alarm is worth it."""
    found = []
    for loss in LOSSES:
        quiet = measured("raft-leader-crash", trials, f"network.loss={loss}", "duration=120s", "faults=[]")
        hours = float(quiet.trials["observed_s"].sum()) / 3600
        changes = int(((quiet.elections["cause"] != "boot") & (quiet.elections["outcome"] == "elected")).sum())
        found.append(rate(changes, hours))
        print(
            f"loss {loss:.0%}: {found[-1].value:.3g} changes an hour [{found[-1].low:.3g} – {found[-1].high:.3g}] in {hours:.1f} h"  # noqa: E501
        )
    figure = sweep_figure(
        {"changes": Curve(at=[100 * loss for loss in LOSSES], estimates=found)},
        Quantity(name="packets lost (%)"), Quantity(name="changes of leader, an hour"), title="Nothing is wrong but the network",  # noqa: E501
    )  # fmt: skip
    save(figure, figures / "practice-monitoring.png", ["png"])


PRACTICES: Sequence[tuple[str, Draw, int]] = (
    ("randomised timeouts", randomised_timeouts, 2000),
    ("quick recovery against false alarms", quick_recovery, 400),
    ("graceful transfer", graceful_transfer, 1000),
    ("partitions and quorum", partitions, 500),
    ("monitoring elections", monitoring, 40),
)


def main() -> None:
    """Print the numbers, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", type=Path, default=Path("docs/images"))
    parser.add_argument("--only", help="A practice, by the beginning of its name.", default="")
    asked = parser.parse_args()
    for name, draw, trials in PRACTICES:
        if name.startswith(asked.only):
            print(f"\n{name}")
            draw(trials, asked.figures)


if __name__ == "__main__":
    main()
