"""Independent random streams, each found by its name from one seed.

A stream belongs to a trial and a purpose (`node 3: latency`), never to a call site or an order of creation, so a
draw added in one place never shifts another, and two variants of an experiment share their luck.
"""

from __future__ import annotations

import random
from functools import lru_cache
from hashlib import sha256

import numpy as np


@lru_cache(maxsize=65_536)
def _words(name: str) -> tuple[int, ...]:
    digest = sha256(name.encode()).digest()
    return tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4))


class Streams:
    """All the random streams of one trial."""

    def __init__(self, seed: int, trial: int) -> None:
        self.seed = seed
        self.trial = trial

    def _sequence(self, name: str) -> np.random.SeedSequence:
        return np.random.SeedSequence(self.seed, spawn_key=(self.trial, *_words(name)))

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
    half, mask = np.uint64(32), np.uint64(0xFFFF_FFFF)
    raw_low, raw_high = raw & mask, raw >> half
    carry = ((raw_low * low) >> half) + ((raw_low * high) & mask) + ((raw_high * low) & mask)
    product = raw_high * high + ((raw_low * high) >> half) + ((raw_high * low) >> half) + (carry >> half)
    return product.astype(np.int64)
