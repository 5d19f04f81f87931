"""Hayashibara, Défago, Yared and Katayama (2004): the suspicion level φ grows with silence; a threshold decides.

The φ accrual failure detector, SRDS 2004. The last times between arrivals give the mean μ and the
standard deviation σ of a normal distribution. At a time t after the last arrival,

    P_later(t) = 1 - F((t - μ) / σ),    φ(t) = -log10 P_later(t),

where F is the standard normal distribution function. If suspicion begins at φ = 8, the probability of a mistake is
10^-8, as far as arrivals are normally distributed. φ rises with t and reaches the threshold Φ at

    t = μ + σ z,    where F(z) = 1 - 10^-Φ,

so φ need not be watched: t is a deadline. σ has a lower bound, since after a long time of regular arrivals the
slightest jitter would otherwise be a mistake. At first the window holds two times, a quarter below and a quarter above
the interval, as in Akka's detector. As in the paper every arrival counts, so a long silence makes later deadlines long,
until it has left the window.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import isqrt
from statistics import NormalDist

from simulator.algorithms.detectors.heartbeat import DeadlineRule, HeartbeatBasedDetector
from simulator.protocol import MILLISECOND, Duration, Nanoseconds, option

_HIGHEST_THRESHOLD = 300  # Beyond it, 10^-Φ is not a floating-point number above 0.


@dataclass(frozen=True, slots=True, kw_only=True)
class PhiOptions:
    """Heartbeats, and suspicion when a silence has become too unlikely (φ accrual, Hayashibara et al. 2004)."""

    interval: Duration = option(50 * MILLISECOND, "How often a node sends a heartbeat.")
    threshold: float = option(8.0, "The φ at which a node is suspected. The probability of a mistake is 10^-φ.")
    window: int = option(1000, "How many of the last times between heartbeats are used. 1000 in the paper.")
    least_deviation: Duration = option(10 * MILLISECOND, "The lower bound on the standard deviation of those times.")

    def __post_init__(self) -> None:
        if self.interval < 1:
            raise ValueError("interval: must be above 0")
        if not 0 < self.threshold <= _HIGHEST_THRESHOLD:
            raise ValueError(f"threshold: must be above 0, and {_HIGHEST_THRESHOLD} at most")
        if self.window < 2:
            raise ValueError("window: must be at least 2")
        if self.least_deviation < 1:
            raise ValueError("least_deviation: must be above 0")

    def delay_bound(self) -> Nanoseconds:
        """One and a half delays must be shorter than the least time that is always added to the mean.

        The next heartbeat comes at most an interval and a delay after the last. The mean of the n times, at least two,
        is at most a delay divided by n below the interval.
        """
        return round(deviations(self.threshold) * self.least_deviation) * 2 // 3 - 1

    def detection_bound(self, delay: Nanoseconds) -> Nanoseconds:
        """The mean differs from the interval by at most `apart`, and the deviation is at most half the range.

        `apart` bounds the difference between the interval and each time in the window, those of the start included. A
        node that was unreachable or paused before is suspected later.
        """
        apart = max(delay, self.interval // 4)
        half_range = (self.interval + apart - max(0, self.interval - apart)) // 2
        deviation = max(half_range, self.least_deviation)
        return delay + self.interval + apart + max(0, round(deviations(self.threshold) * deviation))


def deviations(threshold: float) -> float:
    """The number of standard deviations above the mean at which φ reaches a threshold."""
    # This uses the symmetry of the distribution, because 1 - 10^-Φ would lose the significant digits.
    return -NormalDist().inv_cdf(10**-threshold)


class Accrual(DeadlineRule):
    """The deadline is the instant at which φ reaches the threshold."""

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

    def first_deadline(self, now: Nanoseconds) -> Nanoseconds:
        return now + self._timeout()

    def on_heartbeat(self, number: int, now: Nanoseconds) -> Nanoseconds:
        if self._last is not None:
            self._add(now - self._last)
        self._last = now
        return now + self._timeout()

    def _add(self, time: Nanoseconds) -> None:
        if len(self._times) == self._options.window:
            self._sum -= self._times[0]
            self._squares -= self._times[0] ** 2
        self._times.append(time)
        self._sum += time
        self._squares += time**2

    def _timeout(self) -> Nanoseconds:
        """How long to wait for the next heartbeat. In integers as far as possible, so that all machines agree."""
        count = len(self._times)
        deviation = isqrt(count * self._squares - self._sum**2) // count
        return self._sum // count + round(self._deviations * max(deviation, self._options.least_deviation))


class PhiDetector(HeartbeatBasedDetector):
    """Suspects a node when φ reaches the threshold."""

    rule = Accrual
