"""What failure detectors are worth: `python -m studies.detectors --figure docs/images/failure-detectors.png`.

Runs scenarios/failure-detectors.yaml with each detector. First each is tuned, by bisection over its one free
parameter, to the same mean detection time; then their mistakes are compared, with other seeds. The figure shows what
becomes of both when the parameter is varied.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.analysis.statistics.estimates import NO_DATA, Estimate
from simulator.experiment.runner import run
from simulator.report.figures.detectors import Tuned, trade_off_figure
from simulator.report.figures.results import save
from simulator.scenario import load

SCENARIO = Path(__file__).parents[1] / "scenarios" / "failure-detectors.yaml"
STEPS = 8  # Of a bisection: the range shrinks to a 256th.
TUNING_SEED, MEASURING_SEED = 1, 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A detector, its fixed options, and the one that is varied: between these values, in ms unless it is a number."""

    fixed: str
    free: str
    low: float
    high: float
    unit: str = "ms"
    grid: tuple[float, ...]

    def override(self, name: str, value: float) -> str:
        """The detector with that value, as `--set` takes it. Durations are written in whole microseconds."""
        written = f"{round(1000 * value)}us" if self.unit == "ms" else repr(value)
        return f"algorithm.detector={{{name}: {{{self.fixed}, {self.free}: {written}}}}}"


CONTENDERS: Mapping[str, Contender] = {
    "heartbeat": Contender(
        fixed="interval: 100ms", free="timeout", low=150, high=900, grid=(220, 260, 310, 360, 420, 480, 560)
    ),
    "ping": Contender(
        fixed="interval: 100ms, retries: 1", free="timeout", low=60, high=500, grid=(90, 115, 140, 170, 200, 235, 275)
    ),
    "chen": Contender(
        fixed="interval: 100ms, window: 100", free="alpha", low=20, high=800, grid=(130, 170, 220, 270, 330, 390, 460)
    ),
    "phi": Contender(
        fixed="interval: 100ms, window: 100",
        free="threshold",
        low=0.3,
        high=30,
        unit="",
        grid=(0.8, 1.5, 2.5, 4.0, 6.0, 9.0, 13.0),
    ),
    "external": Contender(
        fixed="interval: 100ms, retries: 1", free="timeout", low=40, high=500, grid=(75, 95, 120, 150, 180, 215, 250)
    ),
}


def measured(name: str, value: float, trials: int, seed: int) -> Mapping[str, Any]:
    """The summary of the scenario's detectors with that value of the free parameter."""
    scenario = load(SCENARIO, (CONTENDERS[name].override(name, value),))
    found: Mapping[str, Any] = run(scenario, trials=trials, seed=seed, workers=0).summary["metrics"]["detector"]
    return found


def tune(name: str, target: float, trials: int) -> float:
    """The value at which the mean detection time, in seconds, is the target; it grows with the parameter."""
    low, high = CONTENDERS[name].low, CONTENDERS[name].high
    for _ in range(STEPS):
        middle = (low + high) / 2
        found = measured(name, middle, trials, TUNING_SEED)["detection"]["mean"]["value"]
        if found is None or found > target:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def estimate(statistic: Mapping[str, float | None]) -> Estimate:
    """A statistic of a summary as the figure takes it."""
    value, low, high = (statistic[end] for end in ("value", "low", "high"))
    return NO_DATA if value is None or low is None or high is None else Estimate(value, low, high)


def row(name: str, value: float, found: Mapping[str, Any]) -> str:
    """A line of Markdown."""
    detection, mistakes = estimate(found["detection"]["mean"]), estimate(found["mistakes"]["per_second"])
    duration, accuracy = estimate(found["mistake_duration"]["mean"]), estimate(found["query_accuracy"])
    contender = CONTENDERS[name]
    cells = (
        name,
        f"{contender.free} {value:.1f}{' ms' if contender.unit else ''}",
        _shown(detection, 1e3, 0) + " ms",
        _shown(mistakes, 3600, 1),
        _shown(duration, 1e3, 0) + " ms",
        _shown(accuracy, 100, 4) + " %",
        f"{found['detection']['undetected']:,}",
    )
    return f"| {' | '.join(cells)} |"


def _shown(found: Estimate, factor: float, digits: int) -> str:
    value, low, high = (f"{factor * end:,.{digits}f}" for end in found)
    return f"{value} [{low} – {high}]"


def main() -> None:
    """Print the table; draw the figure where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, default=200, help="of each measurement")
    parser.add_argument("--tuning-trials", type=int, default=60, help="of each step of a bisection")
    parser.add_argument("--target", type=float, default=400, help="the mean detection time for all, in ms")
    parser.add_argument("--figure", type=Path, help="where to draw the trade-off")
    given = parser.parse_args()
    print("| detector | tuned | mean detection | mistakes per hour | mean mistake | query accuracy | undetected |")
    print("| --- |" + " --- |" * 6)
    for name in CONTENDERS:
        value = tune(name, given.target / 1e3, given.tuning_trials)
        print(row(name, value, measured(name, value, given.trials, MEASURING_SEED)), flush=True)
    if given.figure is not None:
        curves: dict[str, list[Tuned]] = {}
        for name, contender in CONTENDERS.items():
            for value in contender.grid:
                found = measured(name, value, given.tuning_trials, MEASURING_SEED)
                point = Tuned(estimate(found["detection"]["mean"]), estimate(found["mistakes"]["per_second"]))
                curves.setdefault(name, []).append(point)
                print(f"{name} {value}: {point}", flush=True)
        save(trade_off_figure(curves, "Five nodes, delays of 10 ms + Exp(40 ms), 2 % loss"), given.figure, ("png",))


if __name__ == "__main__":
    main()
