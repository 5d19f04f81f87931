"""The distribution of durations that a histogram of measured durations describes.

A histogram says how many durations lie in each bucket, and the sum of all. Within a bucket it says nothing, so every
duration there is equally likely, except in the lowest bucket: that bucket often is much wider than the durations in it
(the lowest bucket of etcd's fsync histogram ends at 1 ms), so its law is the one that gives the histogram its own mean.
That law is an exponential one, cut to the bucket. Of all laws on an interval with a given mean, it has the greatest
entropy (Cover and Thomas 2006, chapter 12), so it states nothing more than the interval and the mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np

from simulator.protocol import Nanoseconds

Halvable = TypeVar("Halvable", int, np.ndarray)

_RAW_BITS = 63
_STEEPEST = 1e9  # The mean then lies a billionth of a bucket's width away from the bucket's end.
# Each step halves the interval that holds the solution. A float has fewer digits than this number of steps.
_STEPS = 200


class Bucket(NamedTuple):
    """The durations above `low`, up to and including `high`, and how many they are."""

    low: Nanoseconds
    high: Nanoseconds
    number: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Measured durations, of which only the number in each bucket and the sum are known.

    The buckets rise, and none is empty. Sometimes no distribution in the lowest bucket gives the histogram its own
    mean, because the durations in the other buckets do not lie near the middle of their buckets. Then all buckets have
    the same exponential rate.
    """

    buckets: tuple[Bucket, ...]
    total_ns: int
    _columns: tuple[np.ndarray, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        counts = np.cumsum([bucket.number for bucket in self.buckets]).tolist()
        ends = [(count << _RAW_BITS) // counts[-1] for count in counts]  # Integers: the same on every machine.
        starts = [0, *ends[:-1]]
        columns = (
            np.array(ends, dtype=np.uint64),
            np.array(starts, dtype=np.uint64),
            np.array([end - start for start, end in zip(starts, ends, strict=True)], dtype=np.float64),
            np.array([bucket.low for bucket in self.buckets], dtype=np.int64),
            np.array([bucket.high - bucket.low for bucket in self.buckets], dtype=np.int64),
            np.array(slopes(self.buckets, self.total_ns), dtype=np.float64),
        )
        for column in columns:
            column.flags.writeable = False
        object.__setattr__(self, "_columns", columns)

    def draw(self, source: np.random.Generator, size: int) -> np.ndarray:
        """`size` durations; shape (size,), int64, each above 0. One raw number gives the bucket and the place in it."""
        ends, starts, spans, lows, widths, slope = self._columns
        raw = source.bit_generator.random_raw(size) >> np.uint64(1)
        chosen = np.searchsorted(ends[:-1], raw, side="right")
        place = (raw - starts[chosen]).astype(np.float64) / spans[chosen]
        leaning = slope[chosen] != 0
        if leaning.any():
            place[leaning] = _inverse(place[leaning], slope[chosen][leaning])
        width = widths[chosen]
        steps = np.clip(np.floor(place * width).astype(np.int64), 0, width - 1)
        drawn: np.ndarray = lows[chosen] + 1 + steps
        return drawn


@dataclass(frozen=True, slots=True)
class Halved:
    """Half of another distribution's durations, rounded up: the one-way part of a round trip."""

    of: Histogram

    def draw(self, source: np.random.Generator, size: int) -> np.ndarray:
        """`size` durations; shape (size,), int64."""
        return half(self.of.draw(source, size))


def half(duration_ns: Halvable) -> Halvable:
    """Half of a duration, or of each in an array, rounded up to a nanosecond."""
    return (duration_ns + 1) // 2


def slopes(buckets: Sequence[Bucket], total_ns: int) -> list[float]:
    """For each bucket, the rate of its exponential law times its width; 0 means that the law is uniform.

    A positive slope makes short durations more likely. `total_ns` is the sum of all durations.
    """
    lowest, *others = buckets
    rest_ns = total_ns - sum(bucket.number * (bucket.low + bucket.high) / 2 for bucket in others)
    if lowest.low < rest_ns / lowest.number < lowest.high:
        share = (rest_ns / lowest.number - lowest.low) / (lowest.high - lowest.low)
        return [_solution(lambda slope: _mean(slope) - share, _STEEPEST), *(0.0 for _ in others)]

    def too_much_ns(rate: float) -> float:
        return math.fsum(
            number * (low + (high - low) * _mean(rate * (high - low))) for low, high, number in buckets
        ) - float(total_ns)

    rate = _solution(too_much_ns, _STEEPEST / min(high - low for low, high, _ in buckets))
    return [rate * (high - low) for low, high, _ in buckets]


def _solution(falling: Callable[[float], float], largest: float) -> float:
    """The argument, between -largest and largest, at which a falling function is 0."""
    low, high = -largest, largest
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2


def _mean(slope: float) -> float:
    """The mean of the exponential law of this rate on [0, 1]."""
    if slope < 0:
        return 1 - _mean(-slope)
    if slope < 1e-4:
        # The next term of the series is slope³ / 720. The difference below would lose more digits than that.
        return 0.5 - slope / 12
    return 1 / slope - math.exp(-slope) / -math.expm1(-slope)


def _inverse(place: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """The inverse of that law's distribution function, at each place in [0, 1). Shapes (n,)."""
    steep = np.abs(slope)
    mirrored = np.where(slope < 0, 1 - place, place)
    inverse = -np.log1p(mirrored * np.expm1(-steep)) / steep
    found: np.ndarray = np.where(slope < 0, 1 - inverse, inverse)
    return found
