"""Hayashibara, Défago, Yared and Katayama (2004): suspicion grows with silence, φ, and a threshold on it decides.

The φ accrual failure detector, SRDS 2004. From a window of the last times between arrivals come a mean μ and a
deviation σ of a normal distribution; at a time t after the last arrival,

    P_later(t) = 1 - F((t - μ) / σ),    φ(t) = -log10 P_later(t),

F being that of the standard normal distribution: if suspicion begins at φ = 8, a mistake has a chance of 10^-8 as far
as arrivals are normal. Nobody needs to look at φ all the time: it rises with t and reaches the threshold Φ at

    t = μ + σ z,    where F(z) = 1 - 10^-Φ,

which is a deadline like any other. σ is not let below a least deviation: arrivals that have been regular for long would
otherwise make of the slightest jitter a mistake. Until a window fills, it holds what Akka's detector begins with, two
times a quarter below and above the interval. As in the paper every arrival counts, so a node that was cut off for long
widens its window for long, too.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import isqrt
from statistics import NormalDist

from simulator.algorithms.detectors.heartbeat import Rule, RuledDetector
from simulator.protocol import MILLISECOND, Duration, Nanoseconds, option

_HIGHEST_THRESHOLD = 300  # Beyond, 10^-Φ is no number any more.


@dataclass(frozen=True, slots=True, kw_only=True)
class PhiOptions:
    """Heartbeats, and suspicion by how unlikely their silence has become (φ accrual, Hayashibara et al. 2004)."""

    interval: Duration = option(50 * MILLISECOND, "How often a node says that it is up.")
    threshold: float = option(8.0, "The φ at which a node is taken to be down: the chance of a mistake is 10^-φ.")
    window: int = option(1000, "How many of the last times between heartbeats are looked at; 1000 in the paper.")
    least_deviation: Duration = option(10 * MILLISECOND, "The standard deviation that those times have at least.")

    def __post_init__(self) -> None:
        if self.interval < 1:
            raise ValueError("interval: must be above 0")
        if not 0 < self.threshold <= _HIGHEST_THRESHOLD:
            raise ValueError(f"threshold: must be above 0, and {_HIGHEST_THRESHOLD} at most")
        if self.window < 2:
            raise ValueError("window: must hold two times")
        if self.least_deviation < 1:
            raise ValueError("least_deviation: must be above 0")

    def tolerates(self) -> Nanoseconds:
        """The next heartbeat is an interval and a delay away, at most; the mean is a delay's nth below the interval.

        The times that it is taken of are n, two at least. So one and a half delays must keep below the deviations that
        are always waited for.
        """
        return round(deviations(self.threshold) * self.least_deviation) * 2 // 3 - 1

    def detects_within(self, delay: Nanoseconds) -> Nanoseconds:
        """No time between two heartbeats, nor of those that a window begins with, is further from the interval.

        So neither is their mean; nor is their deviation larger than half their range. Who was cut off, or has paused,
        is waited for longer.
        """
        apart = max(delay, self.interval // 4)
        half_range = (self.interval + apart - max(0, self.interval - apart)) // 2
        deviation = max(half_range, self.least_deviation)
        return delay + self.interval + apart + max(0, round(deviations(self.threshold) * deviation))


def deviations(threshold: float) -> float:
    """How many standard deviations above the mean φ reaches a threshold."""
    return -NormalDist().inv_cdf(10**-threshold)  # By symmetry, since 1 - 10^-Φ would lose the digits that matter.


class Accrual(Rule):
    """The instant at which φ reaches the threshold."""

    def __init__(self, options: PhiOptions) -> None:
        self._options = options
        self._deviations = deviations(options.threshold)
        self._times: deque[Nanoseconds] = deque(maxlen=options.window)  # Between arrivals.
        self._sum = 0
        self._squares = 0
        self._last: Nanoseconds | None = None
        quarter = options.interval // 4
        for time in (options.interval - quarter, options.interval + quarter):
            self._add(time)

    def begun(self, now: Nanoseconds) -> Nanoseconds:
        return now + self._patience()

    def heard(self, number: int, now: Nanoseconds) -> Nanoseconds:
        if self._last is not None:
            self._add(now - self._last)
        self._last = now
        return now + self._patience()

    def _add(self, time: Nanoseconds) -> None:
        if len(self._times) == self._options.window:
            self._sum -= self._times[0]
            self._squares -= self._times[0] ** 2
        self._times.append(time)
        self._sum += time
        self._squares += time**2

    def _patience(self) -> Nanoseconds:
        """In integers as far as possible: no rounding to differ between machines."""
        count = len(self._times)
        deviation = isqrt(count * self._squares - self._sum**2) // count
        return self._sum // count + round(self._deviations * max(deviation, self._options.least_deviation))


class PhiDetector(RuledDetector):
    """Heartbeats, and a deadline by φ."""

    rule = Accrual
