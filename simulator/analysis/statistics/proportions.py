"""Two proportions compared, with intervals that have width even if there was no success."""

from __future__ import annotations

import math
from dataclasses import dataclass

import scipy  # Imports scipy.stats and scipy.optimize, which are slow to import, when they are first used.

from simulator.analysis.statistics.bootstrap import FloatArray
from simulator.analysis.statistics.comparison import LEVELS, NOTHING_TO_COMPARE, Comparison, Tally, cleaned
from simulator.analysis.statistics.estimates import Estimate, Proportion, proportion_by_trial

_FURTHEST = 38.0  # In standard errors. Beyond this distance, the probability is too small for a floating-point number.


def compare_fraction(before: Tally, after: Tally, *, paired: bool) -> Comparison:
    """Two proportions, with successes and attempts for each trial; trials at the same place are pairs.

    The intervals combine the intervals of both proportions (`statistics.fraction_by_trial`) by the method of variance
    estimates recovery. For the difference, this is Newcombe's hybrid score interval (1998), with the correlation of
    pairs. For the ratio, it is the interval of Donner and Zou (2012). These intervals have a width even if there was no
    success; the intervals of a bootstrap have none then. Raises ValueError if the numbers of trials differ although
    they are pairs.
    """
    olds, news = cleaned(before, after, paired)
    old, new = proportion_by_trial(*olds), proportion_by_trial(*news)
    if old is None or new is None:
        return NOTHING_TO_COMPARE
    both = _Proportions(old, new, _correlation(olds, news) if paired else 0.0)
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
    """The correlation of the errors of two proportions over pairs of trials; 0 if one of them does not vary.

    `old` and `new` have the shape (2, trials): successes and attempts. Each trial is weighted by its attempts, since
    its error is the number of its successes minus the number expected of so many attempts. If each trial has one
    attempt, the result is the phi coefficient.
    """
    left, right = (successes - successes.sum() / attempts.sum() * attempts for successes, attempts in (old, new))
    scale = math.sqrt(float((left**2).sum() * (right**2).sum()))
    return float((left * right).sum()) / scale if scale > 0 else 0.0


@dataclass(frozen=True, slots=True)
class _Proportions:
    old: Proportion
    new: Proportion
    correlation: float

    def difference(self, z: float) -> tuple[float, float]:
        """The interval of the difference (Newcombe 1998). The distance of each end is the root of the sum of two
        squares: those of the distances to the ends of the two proportions.
        """
        value = self.new.value - self.old.value
        down, up = self._reaches(z)
        return value - _together(*down, self.correlation), value + _together(*up, self.correlation)

    def ratio(self, z: float) -> tuple[float, float]:
        """The ratios r at which the interval of new - r old just reaches 0."""
        down, up = self._reaches(z)
        return self._root(*down, -1), self._root(*up, 1)

    def p_value(self) -> float:
        """The p value of no difference, from the z at which the interval of the difference reaches 0."""
        if self.new.value == self.old.value:
            return 1.0

        def nearer_end(z: float) -> float:
            low, high = self.difference(z)
            return low if self.new.value > self.old.value else -high

        if nearer_end(_FURTHEST) > 0:
            return float(2 * scipy.special.ndtr(-_FURTHEST))
        return float(2 * scipy.special.ndtr(-scipy.optimize.brentq(nearer_end, 1e-9, _FURTHEST)))

    def _reaches(self, z: float) -> tuple[tuple[float, float], tuple[float, float]]:
        """Two pairs of distances: from the new value down and from the old value up; and from the new value up and from
        the old value down.
        """
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


def _together(new_reach: float, old_reach: float, correlation: float) -> float:
    """Combines two reaches: the root of the sum of their squares, made smaller by the correlation of pairs."""
    return math.sqrt(max(0.0, new_reach**2 - 2 * correlation * new_reach * old_reach + old_reach**2))
