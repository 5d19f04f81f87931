"""Measures contestants in turn, so that a noisy machine disturbs them alike, and compares them round by round."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np

Contestant = Callable[[], int]  # Does some work, and returns how much of it.


def rates(contestants: Mapping[str, Contestant], rounds: int) -> dict[str, np.ndarray]:
    """Work per second of processor time; for each contestant an array of shape (rounds,).

    One unmeasured round warms caches up. The order is reversed from round to round, so that a machine that gets
    slower or faster favours nobody. The garbage collector is off while anybody is timed, and collects between.
    """
    for contestant in contestants.values():
        contestant()
    measured: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        order = list(contestants) if number % 2 == 0 else list(contestants)[::-1]
        for name in order:
            measured[name].append(_rate(contestants[name]))
    return {name: np.array(values) for name, values in measured.items()}


def _rate(contestant: Contestant) -> float:
    gc.collect()
    collecting = gc.isenabled()
    gc.disable()
    try:
        began = time.process_time()
        work = contestant()
        return work / (time.process_time() - began)
    finally:
        if collecting:
            gc.enable()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times as fast ours is as theirs: quantiles over the rounds, and the median rates behind them."""

    median: float
    low: float  # The lower quartile.
    high: float  # The upper quartile.
    least: float
    most: float
    ours_per_s: float
    theirs_per_s: float
    rounds: int

    @classmethod
    def of(cls, ours: np.ndarray, theirs: np.ndarray) -> Ratio:
        """Of two arrays of shape (rounds,), paired: the ratio is taken within each round."""
        least, low, median, high, most = np.quantile(ours / theirs, (0, 0.25, 0.5, 0.75, 1)).tolist()
        return cls(
            median=median,
            low=low,
            high=high,
            least=least,
            most=most,
            ours_per_s=float(np.median(ours)),
            theirs_per_s=float(np.median(theirs)),
            rounds=len(ours),
        )

    def to_dict(self) -> dict[str, float]:
        """All fields by their names."""
        return asdict(self)
