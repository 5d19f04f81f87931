"""Independent random streams, each found by its name from one seed.

A stream belongs to a trial and a purpose (`node 3: latency`), never to a call site or an order of creation, so a
draw added in one place never shifts another, and two variants of an experiment share their luck.
"""

from __future__ import annotations

import random
from functools import lru_cache
from hashlib import sha256

import numpy as np

_HALF, _MASK = np.uint64(32), np.uint64(0xFFFF_FFFF)


@lru_cache(maxsize=65_536)
def _words(name: str) -> np.ndarray:
    return np.frombuffer(sha256(name.encode()).digest()[:16], dtype="<u4").astype(np.uint32)


def _digits(number: int, at_least: int) -> list[int]:
    """The number's digits to the base 2**32, the lowest first, filled up with zeros."""
    count = max(at_least, -(-number.bit_length() // 32))
    return [number >> 32 * place & 0xFFFF_FFFF for place in range(count)]


class Streams:
    """All the random streams of one trial."""

    def __init__(self, seed: int, trial: int) -> None:
        self.seed = seed
        self.trial = trial
        self._head = np.array([*_digits(seed, 4), *_digits(trial, 1)], dtype=np.uint32)

    def _sequence(self, name: str) -> np.random.SeedSequence:
        """Equal to `SeedSequence(seed, spawn_key=(trial, *words))`, which takes four times as long to put together."""
        return np.random.SeedSequence(np.concatenate((self._head, _words(name))))

    def numpy(self, name: str) -> np.random.Generator:
        """A NumPy generator, for draws in blocks."""
        return np.random.Generator(np.random.PCG64(self._sequence(name)))

    def python(self, name: str) -> random.Random:
        """A generator of the standard library, for single draws."""
        return random.Random(int.from_bytes(self._sequence(name).generate_state(4, np.uint32).tobytes(), "little"))


def integers_below(source: np.random.Generator, bound: int, size: int) -> np.ndarray:
    """Integers uniform in [0, bound), for bounds up to 2**63, shape (size,), int64.

    The high word of a 64-bit product of raw bits: integer arithmetic only, so every machine draws the same.
    """
    raw = source.bit_generator.random_raw(size)
    low, high = np.uint64(bound & 0xFFFF_FFFF), np.uint64(bound >> 32)
    raw_low, raw_high = raw & _MASK, raw >> _HALF
    product = raw_high * low + (raw_low * low >> _HALF)  # At most (2**32 - 1)**2 + 2**32 - 1: it never overflows.
    below: np.ndarray = product >> _HALF
    if high:  # Bounds above 4.29 s are rare, and cost as much again.
        below = below + raw_high * high + (raw_low * high + (product & _MASK) >> _HALF)
    return below.astype(np.int64)
