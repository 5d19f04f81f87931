"""Distributions of durations, as values: latencies, disk writes, start and fault times.

Each draws integer nanoseconds in blocks, since a scalar NumPy draw per message is too slow. What is drawn does not
depend on the sizes of the blocks, of mixtures as long as these are multiples of `STRIDE`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Protocol

import numpy as np

from simulator.protocol import Nanoseconds
from simulator.randomness import Streams, integers_below

STRIDE = 128
_FIRST_BLOCK, _LARGEST_BLOCK = STRIDE, 1024
_LONGEST_DRAW = 1 << 60  # 36 years.
_ROUNDS_TO_ZERO = 0.5  # A draw of the normal distribution above this bound is still positive after rounding.


class Distribution(Protocol):
    """A distribution of durations in nanoseconds."""

    def draw(self, source: np.random.Generator, size: int) -> np.ndarray:
        """`size` durations; shape (size,), int64, none negative."""
        ...


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same."""

    value: Nanoseconds

    def draw(self, source: np.random.Generator, size: int) -> np.ndarray:
        return np.full(size, self.value, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Uniform:
    """Both ends included."""

    low: Nanoseconds
    high: Nanoseconds

    def draw(self, source: np.random.Generator, size: int) -> np.ndarray:
        return self.low + integers_below(source, self.high - self.low + 1, size)


@dataclass(frozen=True, slots=True)
class Normal:
    """Redrawn until positive, as Raft Refloated does (Howard et al. 2015, section 4)."""

    mean: Nanoseconds
    sd: Nanoseconds

    def draw(self, source: np.random.Generator, size: int) -> np.ndarray:
        drawn = source.normal(self.mean, self.sd, size)
        if (bad := drawn <= _ROUNDS_TO_ZERO).any():
            drawn[bad] = self._redrawn(drawn[bad])
        return np.maximum(np.rint(drawn).astype(np.int64), 1)

    def _redrawn(self, rejected: np.ndarray) -> np.ndarray:
        """The redrawn values of the rejected draws, without another number from the stream.

        The rank of a rejected draw among them is uniform in [0, 1), and independent of all other draws. So the rank is
        the random number of the redraw, and the stream does not depend on the size of the blocks.
        """
        from scipy.special import log_ndtr, ndtr, ndtri  # Slow to import, and rarely needed.

        least = (_ROUNDS_TO_ZERO - self.mean) / self.sd
        rank = np.exp(log_ndtr((rejected - self.mean) / self.sd) - log_ndtr(least))
        above = np.maximum(1 - rank, 2.0**-53) * ndtr(-least)  # The share of the whole that lies above the redraw.
        redrawn: np.ndarray = self.mean - self.sd * ndtri(above)
        return redrawn


@dataclass(frozen=True, slots=True)
class LogNormal:
    """`sigma` is the standard deviation of the logarithm."""

    median: Nanoseconds
    sigma: float

    def draw(self, source: np.random.Generator, size: int) -> np.ndarray:
        return np.rint(source.lognormal(math.log(self.median), self.sigma, size)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Exponential:
    """A floor that nothing undercuts, and an exponential part of the given mean above it."""

    mean: Nanoseconds
    floor: Nanoseconds = 0

    def draw(self, source: np.random.Generator, size: int) -> np.ndarray:
        return self.floor + np.rint(source.exponential(self.mean, size)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Gamma:
    """A floor that nothing undercuts, and a gamma part of the given shape and mean above it (scale: mean / shape)."""

    shape: float
    mean: Nanoseconds
    floor: Nanoseconds = 0

    def draw(self, source: np.random.Generator, size: int) -> np.ndarray:
        return self.floor + np.rint(source.gamma(self.shape, self.mean / self.shape, size)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Weibull:
    """P(longer than t) = exp(-(t / scale) ** shape)."""

    shape: float
    scale: Nanoseconds

    def draw(self, source: np.random.Generator, size: int) -> np.ndarray:
        return np.rint(self.scale * source.weibull(self.shape, size)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Pareto:
    """P(longer than t) = (scale / t) ** shape from `scale`, the minimum, on. A duration of more than 36 years is cut to
    36 years.
    """

    scale: Nanoseconds
    shape: float

    def draw(self, source: np.random.Generator, size: int) -> np.ndarray:
        drawn = self.scale * (1 + source.pareto(self.shape, size))  # NumPy's begins at 0.
        return np.rint(np.minimum(drawn, _LONGEST_DRAW)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Empirical:
    """One of the samples, each with the same probability. Their order does not matter."""

    samples: tuple[Nanoseconds, ...]
    _rising: np.ndarray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rising = np.sort(np.array(self.samples, dtype=np.int64))  # Equal random numbers then mean equal ranks.
        rising.flags.writeable = False
        object.__setattr__(self, "_rising", rising)

    def draw(self, source: np.random.Generator, size: int) -> np.ndarray:
        drawn: np.ndarray = self._rising[integers_below(source, len(self._rising), size)]
        return drawn


@dataclass(frozen=True, slots=True)
class Mixture:
    """One of several distributions, each with its weight, chosen anew for every draw. The weights sum to 1."""

    parts: tuple[tuple[float, Distribution], ...]

    def draw(self, source: np.random.Generator, size: int) -> np.ndarray:
        drawn = np.empty(size, dtype=np.int64)
        bounds = self._bounds()
        # The draws are made in strides, so that one choice shifts only the draws of its own stride.
        for begin in range(0, size, STRIDE):
            stride = drawn[begin : begin + STRIDE]
            raw = source.bit_generator.random_raw(len(stride)) >> np.uint64(1)
            chosen = np.searchsorted(bounds, raw, side="right")
            for number, (_, part) in enumerate(self.parts):
                mine = chosen == number
                stride[mine] = part.draw(source, int(mine.sum()))
        return drawn

    def _bounds(self) -> np.ndarray:
        """The upper bounds of the parts but the last, in units of 2^-63 of the total weight."""
        shares = np.cumsum([weight for weight, _ in self.parts])[:-1]
        return np.array([min(round(float(share) * (1 << 63)), (1 << 63)) for share in shares], dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Another distribution, whose durations below a bound are raised to the bound."""

    bound: Nanoseconds
    of: Distribution

    def draw(self, source: np.random.Generator, size: int) -> np.ndarray:
        drawn: np.ndarray = np.maximum(self.of.draw(source, size), self.bound)
        return drawn


def durations(distribution: Distribution, streams: Streams, name: str) -> Iterator[int]:
    """An endless supply of durations from the stream with this name, which is made when the first is asked for."""
    if isinstance(distribution, Constant):
        # Nothing is drawn in blocks here, because the blocks of a thousand nodes would take many megabytes.
        return repeat(distribution.value)

    def blocks() -> Iterator[list[int]]:
        source = streams.numpy(name)
        for size in block_sizes():
            yield distribution.draw(source, size).tolist()

    return chain.from_iterable(blocks())


def coin_flips(probability: float, streams: Streams, name: str) -> Iterator[bool]:
    """An endless supply of events of that probability, drawn by comparing raw bits with an integer threshold."""
    if probability == 0:
        return repeat(False)
    threshold = np.uint64(round(probability * (1 << 63)))
    return chain.from_iterable((raw >> np.uint64(1) < threshold).tolist() for raw in raw_blocks(streams, name))


def raw_blocks(streams: Streams, name: str) -> Iterator[np.ndarray]:
    """Raw 64-bit numbers of a stream in blocks; the stream is made when the first block is asked for."""
    source = streams.numpy(name)
    for size in block_sizes():
        yield source.bit_generator.random_raw(size)


def block_sizes() -> Iterator[int]:
    """The sizes of the blocks in which a stream is drawn: multiples of `STRIDE`, small at first and larger later."""
    size = _FIRST_BLOCK
    while True:
        yield size
        size = min(2 * size, _LARGEST_BLOCK)
