"""The random streams of one fault, each made when it is first needed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cached_property

from simulator.cluster.distributions import Distribution, coin_flips, durations
from simulator.randomness import Streams


class RandomStreams:
    """Named streams. Each name begins with that of the fault, so that a draw of one fault never shifts another's."""

    def __init__(self, streams: Streams, name: str) -> None:
        self._streams = streams
        self._name = name

    @cached_property
    def random(self) -> random.Random:
        """The stream for single draws, which choose targets."""
        return self._streams.python(f"{self._name} targets")

    def of(self, part: object) -> RandomStreams:
        """The streams of one part of it, such as one fault of a nemesis. The draws of one part do not shift the draws
        of another.
        """
        return RandomStreams(self._streams, f"{self._name} {part}")

    def durations(self, distribution: Distribution, purpose: str) -> Iterator[int]:
        """Draws from the distribution, in nanoseconds, without end."""
        return durations(distribution, self._streams, f"{self._name} {purpose}")

    def flips(self, probability: float, purpose: str) -> Iterator[bool]:
        """An endless iterator of booleans that are true with this probability."""
        return coin_flips(probability, self._streams, f"{self._name} {purpose}")
