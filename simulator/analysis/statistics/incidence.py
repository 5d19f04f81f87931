"""The probability that durations have ended in one way by each time, if another way competes with it and some durations
are censored.

The estimate of Aalen and Johansen (1978) is a sum over all times. Each term is the probability that a duration has not
ended before that time, multiplied by the proportion of the remaining durations that end in this way at that time. The
estimate counts all durations: a duration that has ended in the other way counts as one that never ends in this way.
Without a competing way, the estimate is 1 minus the Kaplan–Meier estimate. Without censoring, it is the empirical
proportion.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.analysis.statistics.bootstrap import FloatArray, IntArray
from simulator.analysis.statistics.estimates import (
    NO_DATA,
    Estimate,
    Proportion,
    fraction_by_trial,
    order_statistics,
    quantiles,
)
from simulator.analysis.statistics.jackknife import CENSORED, COMPETING, EVENT, IncidenceByTrial
from simulator.analysis.statistics.survival import Ecdf, Sample, curve_by_trial, ecdf, exact_band, first_at_most

__all__ = ["CENSORED", "COMPETING", "EVENT", "CompetingSample", "incidence", "incidence_by_end", "incidence_curve"]
__all__ += ["incidence_quantiles"]


@dataclass(frozen=True, eq=False)
class CompetingSample:
    """Durations in seconds, and how each ended: by the EVENT, by what is COMPETING, or CENSORED; shape (n,) each.

    `trials` says which trial each belongs to.
    """

    values: FloatArray
    ended: IntArray
    trials: IntArray

    @property
    def event(self) -> Sample:
        """The same durations as if everything but the event were censored."""
        return Sample(self.values, self.ended != EVENT, self.trials)

    @property
    def is_censored(self) -> bool:
        """Whether any duration is censored."""
        return bool((self.ended == CENSORED).any())

    @property
    def has_competing(self) -> bool:
        """Whether any duration has ended in the other way."""
        return bool((self.ended == COMPETING).any())

    def swapped(self) -> CompetingSample:
        """The sample in which the competing way is the event."""
        swapped = np.where(self.ended == CENSORED, CENSORED, EVENT + COMPETING - self.ended)
        return CompetingSample(self.values, swapped, self.trials)

    def by_trial(self) -> IncidenceByTrial:
        """The incidence of the event, with the trial as the unit; the sample must not be empty."""
        return IncidenceByTrial(self.values, self.ended, self.trials)


def incidence(sample: CompetingSample) -> tuple[FloatArray, FloatArray]:
    """The Aalen–Johansen estimate of the event: instants, sorted, and the incidence from each on; shape (instants,)
    each."""
    found = sample.by_trial()
    return found.instants, found.shares


def incidence_quantiles(sample: CompetingSample, ps: Sequence[float]) -> list[Estimate]:
    """The first time at which the incidence of the event is at least p, for each p: infinite where it never is.

    The intervals are those of `statistics.quantiles` if nothing competes. Otherwise they are exact order statistics
    (binomial), what has ended in the other way counting as infinite; with censoring or several durations of one trial,
    the inverted band of `IncidenceByTrial`.
    """
    if not sample.has_competing or not sample.values.size:
        return quantiles(sample.event, ps)
    by_trial = sample.by_trial()
    values = [_first(by_trial.instants, by_trial.shares, p) for p in ps]
    if sample.event.one_per_trial and not sample.is_censored:
        intervals = [_endless_interval(sample, p) for p in ps]
    else:
        intervals = [by_trial.quantile_interval(p) for p in ps]
    return [Estimate(value, low, high) for value, (low, high) in zip(values, intervals, strict=True)]


def incidence_by_end(sample: CompetingSample) -> Estimate:
    """The incidence of the event at the last instant: how likely it is to happen at all, as far as was followed.

    Wilson's interval, with censoring at the effective number of attempts of `IncidenceByTrial`; nan without data.
    """
    if not sample.values.size:
        return NO_DATA
    if not sample.is_censored:
        return _share(sample)
    by_trial = sample.by_trial()
    value = float(by_trial.shares[-1])
    if by_trial.trials == 1:
        return Estimate(value, 0.0, 1.0)
    if not sample.has_competing or not (sample.ended == EVENT).any():  # The data do not show the other way of ending.
        share = _share(sample)
        return Estimate(value, min(value, share.low), max(value, share.high))
    return Proportion(*by_trial.at(by_trial.instants.size - 1)).estimate()


def incidence_curve(sample: CompetingSample) -> Ecdf:
    """The incidence of the event as a curve with its pointwise 95 % band, for a sample that is not empty.

    The band is that of `ecdf` if nothing competes. Otherwise it is that of Clopper and Pearson, with censoring or
    several durations of one trial that of `IncidenceByTrial`, at 200 instants at most.
    """
    if not sample.has_competing and (sample.ended == EVENT).any():
        return ecdf(sample.event)
    by_trial = sample.by_trial()
    if by_trial.trials > 1 and sample.event.one_per_trial and not sample.is_censored:
        low, high = exact_band(1 - by_trial.shares, sample.values.size)
        return Ecdf(by_trial.instants, by_trial.shares, by_trial.instants, 1 - high, 1 - low)
    return curve_by_trial(by_trial)


def _first(times: FloatArray, reached: FloatArray, p: float) -> float:
    return float(first_at_most(times, 1 - reached[None, :], 1 - p)[0])


def _endless_interval(sample: CompetingSample, p: float) -> tuple[float, float]:
    """The interval made of order statistics. Its low end is never later than the last instant that was followed."""
    low, high = order_statistics(np.where(sample.ended == EVENT, sample.values, math.inf), p)
    return min(low, float(sample.values.max())), high


def _share(sample: CompetingSample) -> Estimate:
    """The proportion of the durations that ended in the event among all durations that ended. Censored durations do not
    count.
    """
    over = sample.ended != CENSORED
    count, index = sample.event.trial_index()
    events = np.bincount(index, weights=sample.ended == EVENT, minlength=count)
    return fraction_by_trial(events, np.bincount(index, weights=over, minlength=count))
