"""Two shares of tries compared, with intervals that have width even where nothing hit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import scipy  # Imports scipy.stats and scipy.optimize, which are slow to import, when they are first used.

from simulator.analysis.statistics.bootstrap import FloatArray
from simulator.analysis.statistics.comparison import LEVELS, NOTHING_TO_COMPARE, Comparison, Tally, cleaned
from simulator.analysis.statistics.estimates import Estimate, Share, share_by_trial

_FURTHEST = 38.0  # Standard errors: beyond, the chance of an error is no floating-point number.


def compare_fraction(before: Tally, after: Tally, *, paired: bool) -> Comparison:
    """Two shares of tries that hit, with hits and tries for each trial; pairs are the same places of both.

    Intervals: those of each share (`statistics.fraction_by_trial`), put together by the method of variance estimates
    recovery: Newcombe's hybrid score interval (1998) for the difference, with the correlation of pairs, and Donner and
    Zou's (2012) for the ratio. Unlike a bootstrap's they have width where nothing hit. Raises ValueError where pairs
    are of different number.
    """
    olds, news = cleaned(before, after, paired)
    old, new = share_by_trial(*olds), share_by_trial(*news)
    if old is None or new is None:
        return NOTHING_TO_COMPARE
    both = _Shares(old, new, _correlation(olds, news) if paired else 0.0)
    n = int(((olds[1] > 0) | (news[1] > 0)).sum() if paired else min((olds[1] > 0).sum(), (news[1] > 0).sum()))
    ratio = math.nan if old.value == new.value == 0 else math.inf if old.value == 0 else new.value / old.value
    wide, narrow = (float(scipy.special.ndtri((1 + level) / 2)) for level in LEVELS)
    return Comparison(
        difference=Estimate(new.value - old.value, *both.difference(wide)),
        ratio=Estimate(ratio, *both.ratio(wide)),
        ratio_90=Estimate(ratio, *both.ratio(narrow)),
        p=both.p_value(),
        n=n,
    )


def _correlation(old: FloatArray, new: FloatArray) -> float:
    """That of the errors of two shares over pairs of trials: phi where each has one try; 0 where one does not vary."""
    left, right = (hits - hits.sum() / tries.sum() * tries for hits, tries in (old, new))
    scale = math.sqrt(float((left**2).sum() * (right**2).sum()))
    return float((left * right).sum()) / scale if scale > 0 else 0.0


@dataclass(frozen=True, slots=True)
class _Shares:
    old: Share
    new: Share
    correlation: float

    def difference(self, z: float) -> tuple[float, float]:
        """Newcombe 1998: each end is as far as the two nearer ends, in quadrature."""
        value = self.new.value - self.old.value
        down, up = self._reaches(z)
        return value - _together(*down, self.correlation), value + _together(*up, self.correlation)

    def ratio(self, z: float) -> tuple[float, float]:
        """The ratios r at which the interval of new - r old just reaches 0."""
        down, up = self._reaches(z)
        return self._root(*down, -1), self._root(*up, 1)

    def p_value(self) -> float:
        """By the z at which the interval of the difference reaches 0."""
        if self.new.value == self.old.value:
            return 1.0

        def nearer_end(z: float) -> float:
            low, high = self.difference(z)
            return low if self.new.value > self.old.value else -high

        if nearer_end(_FURTHEST) > 0:
            return float(2 * scipy.special.ndtr(-_FURTHEST))
        return float(2 * scipy.special.ndtr(-scipy.optimize.brentq(nearer_end, 1e-9, _FURTHEST)))

    def _reaches(self, z: float) -> tuple[tuple[float, float], tuple[float, float]]:
        """How far new reaches down while old reaches up, and the other way about."""
        (old_low, old_high), (new_low, new_high) = self.old.interval(z), self.new.interval(z)
        old, new = self.old.value, self.new.value
        return (new - new_low, old_high - old), (new_high - new, old - old_low)

    def _root(self, new_reach: float, old_reach: float, sign: int) -> float:
        """r² (old² - b²) - 2 r (old new - c a b) + new² - a² = 0, with the reaches a and b and the correlation c."""
        old, new = self.old.value, self.new.value
        square = old**2 - old_reach**2
        half = old * new - self.correlation * new_reach * old_reach
        rest = new**2 - new_reach**2
        root = math.sqrt(max(0.0, half**2 - square * rest))
        if sign > 0:
            return (half + root) / square if square > 0 else math.inf
        return max(0.0, rest / (half + root)) if half + root > 0 else 0.0


def _together(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one**2 - 2 * correlation * one * other + other**2))
