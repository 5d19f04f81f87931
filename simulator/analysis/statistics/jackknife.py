"""How likely an event is by a time, with an interval, if durations of one trial depend on each other or are censored.

The estimate is that of Aalen and Johansen (1978): Kaplan and Meier's, if nothing competes with the event, and the
empirical share without censoring. Its variance between trials is that of the infinitesimal jackknife (Jaeckel 1972,
Efron 1982): the derivative of the estimate by the weight of each duration, summed over each trial. The effective number
of attempts is that of independent attempts with the same variance. With it, the interval of the incidence is that of
Clopper and Pearson, with the allowance of Korn and Graubard (1998) for few trials. The interval of a quantile is where
that band holds p (Woodruff 1952).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np
import scipy  # Imports scipy.special, which is slow to import, when it is first used.

from simulator.analysis.statistics.bootstrap import TAIL, TAILS, FloatArray, IntArray, Tails, Z

CENSORED, EVENT, COMPETING = 0, 1, 2
_ROUNDING = 1e-9  # F(x) = k/n must count as p = k/n, in spite of floating point; steps are at least 1/n.


class Reached(NamedTuple):
    """An incidence, and the number of independent attempts that would say as much about it."""

    share: float
    effective_attempts: float

    def interval(self, tails: Tails = TAILS) -> tuple[float, float]:
        """The interval of Clopper and Pearson (1934), for numbers that need not be whole."""
        events, others = self.effective_attempts * self.share, self.effective_attempts * (1 - self.share)
        low = float(scipy.special.betaincinv(events, others + 1, tails.low)) if events > 0 else 0.0
        return low, float(scipy.special.betaincinv(events + 1, others, 1 - tails.high)) if others > 0 else 1.0


class IncidenceByTrial:
    """The incidence of an event among durations, shape (n,) each: how long, how each ended, and of which trial it is.

    There must be at least one duration.
    """

    def __init__(self, values: FloatArray, ended: IntArray, trials: IntArray) -> None:
        # By convention, a censored duration outlasts those of its instant.
        order = np.lexsort((ended == CENSORED, values))
        names, index = np.unique(trials, return_inverse=True)
        self.trials = int(names.size)
        self._values, self._index = values[order], index[order]
        ended = ended[order]
        self._event, over = (ended == EVENT).astype(np.float64), (ended != CENSORED).astype(np.float64)
        self._at_risk = np.arange(values.size, 0, -1, dtype=np.float64)
        self._hazard, self._over = over / self._at_risk, over
        self._before = np.concatenate(([1.0], np.cumprod(1 - self._hazard)[:-1]))  # What still goes on just before.
        self._reached = np.cumsum(self._before * self._event / self._at_risk)

    @cached_property
    def instants(self) -> FloatArray:
        """The instants at which the estimate may change, in order."""
        return np.unique(self._values)

    @cached_property
    def _last(self) -> IntArray:
        """The place of the last duration of each instant."""
        return np.searchsorted(self._values, self.instants, side="right") - 1

    @cached_property
    def shares(self) -> FloatArray:
        """The incidence from each of the instants on."""
        return np.asarray(self._reached[self._last])

    @cached_property
    def _attempts_of_nothing(self) -> float:
        """If all agree, the data do not show how those of one trial correlate: each trial then counts as one attempt,
        weighted by its size (Kish 1965)."""
        sizes = np.bincount(self._index)
        return float(sizes.sum() ** 2 / (sizes.astype(np.float64) ** 2).sum())

    def nothing_reached(self) -> Reached:
        """The incidence before the first instant."""
        return Reached(0.0, self._attempts_of_nothing if self.trials > 1 else 0.0)

    def at(self, number: int) -> Reached:
        """The incidence from one of the instants on, by its number from 0."""
        if self.trials == 1:  # One trial says nothing about the variation between trials.
            return Reached(float(self.shares[number]), 0.0)
        place = int(self._last[number])
        share = min(1.0, float(self._reached[place]))
        variance = self._variance(place)
        if not _ROUNDING < share < 1 - _ROUNDING:
            return Reached(round(share), self._attempts_of_nothing)
        most = float(self._values.size)
        few_trials = (float(scipy.special.stdtrit(self.trials - 1, 1 - TAIL)) / Z) ** 2
        attempts = share * (1 - share) / variance if variance > share * (1 - share) / most else most
        return Reached(share, attempts / few_trials)

    def _variance(self, place: int) -> float:
        """The infinitesimal jackknife's variance over trials of the estimate from this place on."""
        until = slice(0, place + 1)
        hazard, at_risk = self._hazard[until], self._at_risk[until]
        left = np.where(hazard < 1, self._reached[place] - self._reached[until], 0.0) / np.where(
            hazard < 1, 1 - hazard, 1
        )
        slopes = self._before[until] * self._event[until] - left * self._over[until]
        waiting = np.cumsum(slopes / at_risk**2)
        influences = np.full(self._values.size, -waiting[-1])
        influences[until] = slopes / at_risk - waiting
        by_trial = np.bincount(self._index, weights=influences)
        return float((by_trial**2).sum()) * self.trials / (self.trials - 1)

    def quantile_interval(self, p: float, tails: Tails = TAILS) -> tuple[float, float]:
        """The interval of the first time at which the incidence is at least p: where the band holds p.

        The low end is open if so few data would not bound it, and never beyond the last instant.
        """
        band = Tails(low=tails.high, high=tails.low)  # Where the band is low, the quantile is high.
        low = self._first(lambda reached: reached.interval(band)[1] >= p)
        high = self._first(lambda reached: reached.interval(band)[0] >= p)
        instants = self.instants
        bounded = self.nothing_reached().interval(band)[1] < p
        low_end = float(instants[min(low, instants.size - 1)]) if bounded else -math.inf
        return low_end, float(instants[high]) if high < instants.size else math.inf

    def _first(self, holds: Callable[[Reached], bool]) -> int:
        """The number of the first instant for which it holds; one more than the last if it never does.

        Both ends of the band grow with time, but for small steps back, which bisection may pass over.
        """
        least, most = 0, self.instants.size
        while least < most:
            middle = (least + most) // 2
            least, most = (least, middle) if holds(self.at(middle)) else (middle + 1, most)
        return least
