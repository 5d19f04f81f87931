"""Independent streams of random numbers. A seed, a trial and a name determine each stream.

The name says what the stream is for (`node 3: latency`). It does not depend on where or in which order streams are
created. So a new draw in one place changes no other stream, and two variants of an experiment use common random
numbers.
"""

from __future__ import annotations

import random
from functools import lru_cache
from hashlib import sha256

import numpy as np

_HALF, _MASK = np.uint64(32), np.uint64(0xFFFF_FFFF)


@lru_cache(maxsize=65_536)
def _words(name: str) -> np.ndarray:
    """Four 32-bit words from the SHA-256 digest of a name, shape (4,), uint32."""
    return np.frombuffer(sha256(name.encode()).digest()[:16], dtype="<u4").astype(np.uint32)


def _digits(number: int, at_least: int) -> list[int]:
    """The digits of the number in base 2**32, the lowest first, padded with zeros to `at_least` digits."""
    count = max(at_least, -(-number.bit_length() // 32))
    return [number >> 32 * place & 0xFFFF_FFFF for place in range(count)]


class Streams:
    """All the random streams of one trial."""

    def __init__(self, seed: int, trial: int) -> None:
        self.seed = seed
        self.trial = trial
        self._head = np.array([*_digits(seed, 4), *_digits(trial, 1)], dtype=np.uint32)

    def _sequence(self, name: str) -> np.random.SeedSequence:
        """Equal to `SeedSequence(seed, spawn_key=(trial, *words))`, and built in a quarter of the time."""
        return np.random.SeedSequence(np.concatenate((self._head, _words(name))))

    def of(self, part: str) -> Streams:
        """The streams of a part of the trial: each name stands for another stream than in the whole."""
        return _PartStreams(self, part)

    def numpy(self, name: str) -> np.random.Generator:
        """The stream with this name as a NumPy generator, for draws in blocks."""
        return np.random.Generator(np.random.PCG64(self._sequence(name)))

    def python(self, name: str) -> random.Random:
        """The stream with this name as a generator of the standard library, for single draws."""
        return random.Random(int.from_bytes(self._sequence(name).generate_state(4, np.uint32).tobytes(), "little"))


class _PartStreams(Streams):
    """Streams whose names begin with that of a part."""

    def __init__(self, whole: Streams, part: str) -> None:
        super().__init__(whole.seed, whole.trial)
        self._part = part

    def _sequence(self, name: str) -> np.random.SeedSequence:
        return super()._sequence(f"{self._part}: {name}")


def integers_below(source: np.random.Generator, bound: int, size: int) -> np.ndarray:
    """Uniform integers in [0, bound), shape (size,), int64. The bound is at most 2**63.

    Each is the high word of the 128-bit product of the bound and 64 raw bits. Integer arithmetic gives the same numbers
    on every machine.
    """
    raw = source.bit_generator.random_raw(size)
    low, high = np.uint64(bound & 0xFFFF_FFFF), np.uint64(bound >> 32)
    raw_low, raw_high = raw & _MASK, raw >> _HALF
    product = raw_high * low + (raw_low * low >> _HALF)  # At most (2**32 - 1)**2 + 2**32 - 1: it never overflows.
    below: np.ndarray = product >> _HALF
    if high:  # Bounds above 2**32 ns (4.29 s) are rare, and take twice as long.
        below = below + raw_high * high + (raw_low * high + (product & _MASK) >> _HALF)
    return below.astype(np.int64)
