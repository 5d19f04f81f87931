"""The luck of one fault: random streams of its own, each made when it is first needed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cached_property

from simulator.cluster.distributions import Distribution, coin_flips, durations
from simulator.randomness import Streams


class RandomStreams:
    """Streams whose names begin with the fault's: adding a draw to one fault never shifts another."""

    def __init__(self, streams: Streams, name: str) -> None:
        self._streams = streams
        self._name = name

    @cached_property
    def random(self) -> random.Random:
        """For single draws: whom the fault strikes."""
        return self._streams.python(f"{self._name} targets")

    def of(self, part: object) -> RandomStreams:
        """The luck of one part of it, such as each strike of a nemesis: what one draws shifts no other."""
        return RandomStreams(self._streams, f"{self._name} {part}")

    def durations(self, distribution: Distribution, purpose: str) -> Iterator[int]:
        return durations(distribution, self._streams, f"{self._name} {purpose}")

    def flips(self, probability: float, purpose: str) -> Iterator[bool]:
        return coin_flips(probability, self._streams, f"{self._name} {purpose}")
