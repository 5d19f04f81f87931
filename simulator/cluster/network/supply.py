"""A stream of latencies that can be moved forward: what skipped messages would have drawn is drawn and forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice, repeat
from operator import length_hint

import numpy as np

from simulator.cluster.distributions import (
    STRIDE,
    AtLeast,
    Constant,
    Distribution,
    Empirical,
    Mixture,
    Uniform,
    block_sizes,
)
from simulator.protocol import Nanoseconds
from simulator.randomness import Streams

_FORGOTTEN_AT_ONCE = 512 * STRIDE


class Supply:
    """Endless durations from the stream with this name: `values` is an iterator of nanoseconds.

    The stream is made when the first value is asked for.
    """

    __slots__ = ("_block", "_distribution", "_name", "_source", "_streams", "values")

    def __init__(self, distribution: Distribution, streams: Streams, name: str) -> None:
        self._distribution = distribution
        self._streams = streams
        self._name = name
        self._source: np.random.Generator | None = None
        self._block: Iterator[int] = iter(())  # The values that are drawn already.
        self.values: Iterator[int] = (
            repeat(distribution.value) if isinstance(distribution, Constant) else chain.from_iterable(self._blocks())
        )

    def skip(self, count: int) -> None:
        """Leave out the next `count` values: the value after them comes next."""
        if isinstance(self._distribution, Constant):
            return
        drawn = min(count, length_hint(self._block))
        _forget(self._block, drawn)
        count -= drawn
        if whole := count // STRIDE * STRIDE:  # All draws so far are whole strides, too.
            self._forget_draws(whole)
        _forget(self.values, count - whole)

    def _blocks(self) -> Iterator[Iterator[int]]:
        source = self._made()
        for size in block_sizes():
            self._block = iter(self._distribution.draw(source, size).tolist())
            yield self._block

    def _made(self) -> np.random.Generator:
        if self._source is None:
            self._source = self._streams.numpy(self._name)
        return self._source

    def _forget_draws(self, count: int) -> None:
        source = self._made()
        if _takes_one_number(self._distribution):
            source.bit_generator.advance(count)  # type: ignore[attr-defined] # PCG64 has it.
            return
        for begin in range(0, count, _FORGOTTEN_AT_ONCE):
            self._distribution.draw(source, min(_FORGOTTEN_AT_ONCE, count - begin))


def longest(distribution: Distribution) -> Nanoseconds | None:
    """The longest duration that can be drawn; None if there is none."""
    match distribution:
        case Constant():
            return distribution.value
        case Uniform():
            return distribution.high
        case Empirical():
            return max(distribution.samples)
        case AtLeast():
            bound = longest(distribution.of)
            return None if bound is None else max(distribution.bound, bound)
        case Mixture():
            bounds = [longest(part) for _, part in distribution.parts]
            return None if None in bounds else max(bound for bound in bounds if bound is not None)
    return None


def _takes_one_number(distribution: Distribution) -> bool:
    """Whether each duration takes exactly one 64-bit number from its stream."""
    return isinstance(distribution.of if isinstance(distribution, AtLeast) else distribution, Uniform | Empirical)


def _forget(values: Iterator[int], count: int) -> None:
    if count:
        next(islice(values, count - 1, count), None)
