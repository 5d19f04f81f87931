"""Distributions of durations, as values: latencies, disk writes, start and fault times.

Each draws integer nanoseconds in blocks, since a scalar NumPy draw per message is too slow.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Protocol

import numpy as np

from simulator.protocol import Nanoseconds
from simulator.randomness import Streams, integers_below

_FIRST_BLOCK, _LARGEST_BLOCK = 128, 1024


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
        drawn = np.rint(source.normal(self.mean, self.sd, size)).astype(np.int64)
        while (bad := drawn <= 0).any():
            drawn[bad] = np.rint(source.normal(self.mean, self.sd, int(bad.sum()))).astype(np.int64)
        return drawn


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


def durations(distribution: Distribution, streams: Streams, name: str) -> Iterator[int]:
    """An endless supply of durations from the stream of that name, which is made when the first is asked for."""
    if isinstance(distribution, Constant):
        return repeat(distribution.value)  # Without blocks: a thousand nodes' blocks are many megabytes.

    def blocks() -> Iterator[list[int]]:
        source = streams.numpy(name)
        size = _FIRST_BLOCK
        while True:
            yield distribution.draw(source, size).tolist()
            size = min(2 * size, _LARGEST_BLOCK)

    return chain.from_iterable(blocks())


def coin_flips(probability: float, streams: Streams, name: str) -> Iterator[bool]:
    """An endless supply of events of that probability, drawn by comparing raw bits with an integer threshold."""
    threshold = round(probability * (1 << 63))

    def blocks() -> Iterator[list[bool]]:
        source = streams.numpy(name)
        size = _FIRST_BLOCK
        while True:
            raw = source.bit_generator.random_raw(size) >> np.uint64(1)
            yield (raw < np.uint64(threshold)).tolist()
            size = min(2 * size, _LARGEST_BLOCK)

    return chain.from_iterable(blocks())
