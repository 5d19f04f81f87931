"""What practices buy, in figures and numbers: `python -m studies.practices --figures docs/images`, for docs/practices/.

Each practice is a shipped scenario with one thing varied, all with the same luck.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from simulator.analysis.records.durations import transfers
from simulator.analysis.records.registry import sample
from simulator.analysis.statistics.estimates import Estimate, Sample, fraction, mean, quantiles, rate
from simulator.cluster.cluster import run_trial
from simulator.experiment.runner import Result, run
from simulator.report.figures.detectors import Tuned, trade_off_figure
from simulator.report.figures.overlaps import TrialOverlaps, overlaps_figure
from simulator.report.figures.results import ecdf_figure, save
from simulator.report.figures.sweeps import Curve, Quantity, map_figure, sweep_figure
from simulator.scenario import load
from studies import detectors
from tests.verify.closed_forms import split_probability

WIDTHS_MS = (10, 20, 40, 80, 160, 320)  # Of the range of election timeouts.
LATENCIES_MS = (1, 2, 5, 10, 20, 40)
LOSSES_PERCENT = (0.5, 1, 2, 5, 10)
TIMEOUTS_MS = (75, 100, 150, 225, 300, 450)
SHOWN = 20  # Trials in a figure of overlaps.
NODES = 5
Draw = Callable[[int, Path], None]


def shown(estimate: Estimate, factor: float) -> str:
    """`43.2 [42.4 – 44.1]`: the value with its 95 % interval, in another unit."""
    value, low, high = (_digits(factor * part) for part in estimate)
    return f"{value} [{low} – {high}]"


def _digits(number: float) -> str:
    if number == float("inf"):
        return "∞"
    return f"{number:,.0f}" if number >= 1000 else f"{number:.3g}"


def seconds(estimate: Estimate) -> str:
    """With three decimals, and its interval."""
    value, low, high = (f"{part:.3f}" for part in estimate)
    return f"{value} [{low} – {high}]"


def measured(name: str, trials: int, *overrides: str) -> Result:
    """A shipped scenario with some fields replaced."""
    return run(load(name, overrides), trials=trials)  # In this process: to start others would take longer.


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
    """For how long a leader in the minority goes on, with and without CheckQuorum."""
    shown: dict[str, list[TrialOverlaps]] = {}
    for check in ("false", "true"):
        result = measured("raft-partition", trials, f"algorithm.check_quorum={check}")
        incidents = result.summary["metrics"]["leaders_overlap"]
        count, longest = incidents["stale_leader"]["count"], incidents["max"]["value"]
        per_trial = mean(Sample.of(result.trials["overlap_s"]))
        print(f"check_quorum {check}: {count} incidents, {seconds(per_trial)} s a trial, at most {longest:.3f} s")
        spec = result.scenario.cluster_spec()
        traces = (run_trial(spec, result.seed, trial) for trial in range(min(trials, SHOWN)))
        shown[f"check_quorum: {check}"] = [TrialOverlaps.of(trace) for trace in traces]
    save(overlaps_figure(shown), figures / "practice-partitions.png", ["png"])


def failure_detection(trials: int, figures: Path) -> None:
    """What a longer timeout costs and buys, for a fixed one and for one that learns."""
    curves: dict[str, list[Tuned]] = {}
    for name, values in (("heartbeat", (220, 310, 420, 560)), ("phi", (0.8, 2.5, 6.0, 13.0))):
        for value in values:
            found = detectors.measured(name, value, trials, detectors.MEASURING_SEED)
            point = Tuned(*map(detectors.estimate, (found["detection"]["mean"], found["mistakes"]["per_second"])))
            curves.setdefault(name, []).append(point)
            free = detectors.CONTENDERS[name].free
            found_in, wrong = shown(point.detection, 1e3), shown(point.mistakes, 3600)
            print(f"{name}, {free} {value}: detected in {found_in} ms, {wrong} mistakes an hour")
    figure = trade_off_figure(curves, "Five nodes, delays of 10 ms + Exp(40 ms), 2 % loss")
    save(figure, figures / "practice-failure-detection.png", ["png"])


def spurious_per_second(result: Result) -> Estimate:
    """Searches for another leader while the leader was fine, per second from the first leader on."""
    return rate(int((result.elections["cause"] == "spurious").sum()), float(result.trials["observed_s"].sum()))


def monitoring(trials: int, figures: Path) -> None:
    """What shows a network that gets worse: leaders that change for nothing, long before anybody misses one."""
    curves = {}
    for name, pre_vote in (("Raft", "false"), ("Raft with PreVote", "true")):
        found = []
        for percent in LOSSES_PERCENT:
            result = measured(
                "raft-bursty-loss-05",
                trials,
                f"network.loss={{bursts: {{rate: {percent / 100}, mean_length: 5}}}}",
                f"algorithm.pre_vote={pre_vote}",
                "faults=[]",
            )
            found.append(Estimate(*(3600 * end for end in spurious_per_second(result))))
            available = result.summary["metrics"]["quorum_leaderless"]["availability"]
            ends = ", ".join(
                f"{100 * available[end]:.3f} %" for end in ("value", "low", "high") if available[end] is not None
            )
            began, changed = shown(found[-1], 1), shown(changes_per_hour(result), 1)
            print(f"{name}, {percent} % lost: {began} searches and {changed} new leaders an hour; led {ends}")
        curves[name] = Curve(at=LOSSES_PERCENT, estimates=found)
    figure = sweep_figure(
        curves,
        Quantity(name="packets lost, in bursts of five (%)", log=True),
        Quantity(name="searches for nothing, per hour", log=True),
        title="Nobody has crashed",
    )
    save(figure, figures / "practice-monitoring.png", ["png"])


def changes_per_hour(result: Result) -> Estimate:
    """New leaders while the old one was fine."""
    spurious = result.elections[result.elections["cause"] == "spurious"]
    deposed = rate(int((spurious["outcome"] == "elected").sum()), float(result.trials["observed_s"].sum()))
    return Estimate(*(3600 * end for end in deposed))


def quick_recovery(trials: int, figures: Path) -> None:
    """How soon a crash is over, against how often a leader that is fine is given up, for timeouts from T to 2 T."""
    curves: dict[str, list[Tuned]] = {}
    for interval in (50, 25):
        for timeout in TIMEOUTS_MS:
            result = measured(
                "raft-bursty-loss-05",
                trials,
                f"algorithm.election_timeout=[{timeout}ms, {2 * timeout}ms]",
                f"algorithm.heartbeat_interval={interval}ms",
            )
            (median,) = quantiles(sample(result.elections, "failover"), [0.5])
            wrong = spurious_per_second(result)
            curves.setdefault(f"a heartbeat every {interval} ms", []).append(Tuned(median, wrong))
            again, given_up = shown(median, 1e3), shown(wrong, 3600)
            print(f"every {interval} ms, T = {timeout} ms: failover {again} ms, {given_up} searches an hour")
    figure = trade_off_figure(
        curves,
        "Five servers, 5 % of packets lost in bursts of five, timeouts from T to 2 T",
        time="median failover",
        mistakes="searches while the leader is fine",
    )
    save(figure, figures / "practice-quick-recovery.png", ["png"])


PRACTICES: Sequence[tuple[str, Draw, int]] = (
    ("randomised timeouts", randomised_timeouts, 1000),
    ("failure detection", failure_detection, 60),
    ("partitions and quorum", partitions, 200),
    ("monitoring elections", monitoring, 200),
    ("quick recovery", quick_recovery, 200),
    ("graceful transfer", graceful_transfer, 500),
)


def main() -> None:
    """Print the numbers, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", type=Path, required=True)
    parser.add_argument("--only", help="A practice, by the beginning of its name.", default="")
    parser.add_argument("--trials", type=int, help="Of each measurement, in place of the practice's own number.")
    asked = parser.parse_args()
    for name, draw, trials in PRACTICES:
        if name.startswith(asked.only):
            print(f"\n{name}")
            asked.figures.mkdir(parents=True, exist_ok=True)
            draw(asked.trials or trials, asked.figures)


if __name__ == "__main__":
    main()
