"""Models of packet loss: independent losses, and losses in bursts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from math import inf

import numpy as np

from simulator.cluster.distributions import coin_flips, raw_blocks
from simulator.protocol import NodeId
from simulator.randomness import Streams

Loses = Callable[[NodeId], bool]  # Whether the next packet to that node is lost.


@dataclass(frozen=True, slots=True)
class Bernoulli:
    """Each packet is lost with the same probability, independently of all others."""

    probability: float

    @property
    def rate(self) -> float:
        """The proportion of packets that are lost."""
        return self.probability

    @property
    def mean_burst(self) -> float:
        """The mean number of packets lost in a row; infinite if no packet arrives."""
        return inf if self.probability == 1 else 1 / (1 - self.probability)

    def of(self, streams: Streams, name: str) -> Loses:
        """Whether each next packet is lost, each with the same probability. Each packet takes one draw."""
        flips = coin_flips(self.probability, streams, name)
        return lambda _: next(flips)


@dataclass(frozen=True, slots=True)
class GilbertElliott:
    """Bursts of loss: a link is good or bad, may change at each packet, and loses packets at its state's rate.

    Gilbert 1960, Elliott 1963. A link's state before its first packet is drawn from the stationary distribution, in
    which it is bad with probability enter / (enter + leave). With `loss_bad` 1 and `loss_good` 0, that is the
    proportion of packets lost, and a burst has 1 / leave packets on average.
    """

    enter: float  # The probability of turning bad, per packet.
    leave: float  # The probability of turning good again, per packet.
    loss_bad: float = 1.0
    loss_good: float = 0.0

    @property
    def rate(self) -> float:
        """The proportion of packets that are lost, in the long run."""
        return self._bad * self.loss_bad + (1 - self._bad) * self.loss_good

    @property
    def mean_burst(self) -> float:
        """The mean number of packets lost in a row: lost packets divided by those that are the last of their burst.

        Infinite if no packet arrives after a loss, or if no packet is lost.
        """
        after_bad = self.leave * (1 - self.loss_good) + (1 - self.leave) * (1 - self.loss_bad)
        after_good = self.enter * (1 - self.loss_bad) + (1 - self.enter) * (1 - self.loss_good)
        last = self._bad * self.loss_bad * after_bad + (1 - self._bad) * self.loss_good * after_good
        return self.rate / last if last else inf

    @property
    def _bad(self) -> float:
        """The proportion of packets that find the link bad."""
        return self.enter / (self.enter + self.leave)

    def of(self, streams: Streams, name: str) -> Loses:
        """Whether each next packet is lost. State is kept per receiver. Each packet takes two draws."""
        uniform = _uniform_numbers(streams, name)
        bad: dict[NodeId, bool] = {}
        enter, stay = _threshold(self.enter), _threshold(1 - self.leave)
        stationary = _threshold(self._bad)
        lose_bad, lose_good = _threshold(self.loss_bad), _threshold(self.loss_good)

        def loses(to: NodeId) -> bool:
            was_bad = bad.get(to)
            chance = stationary if was_bad is None else stay if was_bad else enter
            is_bad = bad[to] = next(uniform) < chance
            return next(uniform) < (lose_bad if is_bad else lose_good)

        return loses


LossModel = Bernoulli | GilbertElliott


def _threshold(probability: float) -> int:
    return round(probability * (1 << 63))


def _uniform_numbers(streams: Streams, name: str) -> Iterator[int]:
    """Integers uniform in [0, 2**63)."""
    return chain.from_iterable((raw >> np.uint64(1)).tolist() for raw in raw_blocks(streams, name))
