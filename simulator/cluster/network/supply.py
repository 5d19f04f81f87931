"""A random stream that can be moved forward: what skipped messages would have drawn is drawn and forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice, repeat
from operator import length_hint
from typing import Any

import numpy as np

from simulator.cluster.distributions import STRIDE, AtLeast, Constant, Distribution, Empirical, Uniform, block_sizes
from simulator.cluster.histogram import Halved, Histogram
from simulator.protocol import Nanoseconds
from simulator.randomness import Streams

_AT_ONCE = 512 * STRIDE  # Draws that are looked at or forgotten in one array.


@dataclass(frozen=True, slots=True)
class CoinFlips:
    """True with that probability: equal to `coin_flips`, draw by draw."""

    probability: float

    def draw(self, source: np.random.Generator, size: int) -> np.ndarray:
        """`size` flips; shape (size,), bool."""
        threshold = np.uint64(round(self.probability * (1 << 63)))
        drawn: np.ndarray = source.bit_generator.random_raw(size) >> np.uint64(1) < threshold
        return drawn


class TooLongError(Exception):
    """A skipped message would have travelled for longer than the bound that was taken for granted."""


class Supply:
    """Endless draws from the stream of that name: `values` is their iterator.

    The stream is made when the first value is asked for.
    """

    __slots__ = ("_block", "_clear", "_distribution", "_drawn", "_list", "_name", "_source", "_streams", "values")

    def __init__(self, distribution: Distribution, streams: Streams, name: str) -> None:
        self._distribution = distribution
        self._streams = streams
        self._name = name
        self._source: Any = None
        self._list: list[Any] = []  # The values that were drawn last, and an iterator of those that are left.
        self._block: Iterator[Any] = iter(self._list)
        self._drawn = 0
        self._clear = 0  # Values before this one are known to be false.
        self.values: Iterator[Any] = (
            repeat(distribution.value) if isinstance(distribution, Constant) else chain.from_iterable(self._blocks())
        )

    def skip(self, count: int, longest: Nanoseconds | None = None) -> None:
        """Leave out the next `count` values: the value after them comes next.

        Raises TooLongError if `longest` is given, and one of them is above it.
        """
        if isinstance(self._distribution, Constant):
            return
        left = min(count, length_hint(self._block))
        _forget(self._block, left, longest)
        count -= left
        if whole := count // STRIDE * STRIDE:  # All draws so far are whole strides, too.
            self._forget_draws(whole, longest)
        _forget(self.values, count - whole, longest)

    def clear(self, count: int) -> int:
        """How many of the next `count` values are false before the first that is true. Nothing is drawn by this."""
        begin = self._drawn - length_hint(self._block)
        if self._clear < begin + count:
            self._clear = self._find_true(max(begin, self._clear), begin + count)
        return min(count, self._clear - begin)

    def _find_true(self, begin: int, end: int) -> int:
        """The position of the first true value from `begin` on, or `end`."""
        if begin < self._drawn:
            offset = len(self._list) - self._drawn
            for position in range(begin, min(end, self._drawn)):
                if self._list[position + offset]:
                    return position
            begin = self._drawn
        if begin >= end:
            return end
        source = self._made()
        state = source.bit_generator.state
        source.bit_generator.advance(begin - self._drawn)
        try:
            for start in range(begin, end, _AT_ONCE):
                found = self._distribution.draw(source, min(_AT_ONCE, end - start))
                if found.any():
                    return start + int(found.argmax())
        finally:
            source.bit_generator.state = state
        return end

    def _blocks(self) -> Iterator[Iterator[Any]]:
        source = self._made()
        for size in block_sizes():
            self._list = self._distribution.draw(source, size).tolist()
            self._block = iter(self._list)
            self._drawn += size
            yield self._block

    def _made(self) -> Any:
        if self._source is None:
            self._source = self._streams.numpy(self._name)
        return self._source

    def _forget_draws(self, count: int, longest: Nanoseconds | None) -> None:
        source = self._made()
        self._drawn += count
        if longest is None and _takes_one_number(self._distribution):
            source.bit_generator.advance(count)
            return
        for begin in range(0, count, _AT_ONCE):
            drawn = self._distribution.draw(source, min(_AT_ONCE, count - begin))
            if longest is not None and drawn.max() > longest:
                raise TooLongError


def _takes_one_number(distribution: Distribution) -> bool:
    """Whether each value takes exactly one 64-bit number from its stream."""
    inner = distribution.of if isinstance(distribution, AtLeast) else distribution
    return isinstance(inner, Uniform | Empirical | Histogram | Halved | CoinFlips)


def _forget(values: Iterator[Any], count: int, longest: Nanoseconds | None) -> None:
    if not count:
        return
    if longest is None:
        next(islice(values, count - 1, count), None)
    elif max(islice(values, count)) > longest:
        raise TooLongError
