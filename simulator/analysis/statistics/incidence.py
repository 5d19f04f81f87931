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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.analysis.statistics.bootstrap import (
    RESAMPLES,
    TAIL,
    FloatArray,
    IntArray,
    default_generator,
    resamples,
    times_drawn,
)
from simulator.analysis.statistics.estimates import (
    NO_DATA,
    Estimate,
    fraction_by_trial,
    order_statistics,
    percentile_interval,
    quantiles,
)
from simulator.analysis.statistics.survival import Ecdf, Sample, ecdf, exact_band, first_at_most

CENSORED, EVENT, COMPETING = 0, 1, 2
_BAND_POINTS = 200


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

    def order(self) -> IntArray:
        """The indices that sort the sample. By convention, a censored duration comes after the durations that end at
        the same instant.
        """
        return np.lexsort((self.ended == CENSORED, self.values))


def incidence(sample: CompetingSample) -> tuple[FloatArray, FloatArray]:
    """The Aalen–Johansen estimate of the event: instants, sorted, and the incidence from each on; shape (n,) each.

    If several durations end at one instant, only the last of their entries is right for that instant.
    """
    order = sample.order()
    every = np.ones((1, order.size), dtype=np.int64)
    return sample.values[order], weighted_incidence(every, sample.ended[order])[0]


def weighted_incidence(weights: IntArray, ended: IntArray) -> FloatArray:
    """The estimate after each of n ordered durations, each counted as often as its weight says.

    `weights` has the shape (rows, n), as has the result; `ended` is (n,). The result is 0 in a row whose weights are
    all 0.
    """
    at_risk = weights[:, ::-1].cumsum(axis=1)[:, ::-1]
    ending = weights / np.maximum(at_risk, 1)
    going_on = np.cumprod(1 - ending * (ended != CENSORED), axis=1)
    before = np.concatenate((np.ones((len(weights), 1)), going_on[:, :-1]), axis=1)
    return np.asarray(np.cumsum(before * ending * (ended == EVENT), axis=1))


def incidence_quantiles(
    sample: CompetingSample, ps: Sequence[float], generator: np.random.Generator | None = None
) -> list[Estimate]:
    """For each p, the first time at which the incidence of the event is at least p. The time is infinite if the
    incidence never reaches p.

    The intervals are those of `statistics.quantiles` if nothing competes. Otherwise they are exact order statistics
    (binomial), in which a duration that has ended in the other way counts as infinite. With censoring, or with several
    durations of one trial, they are a percentile bootstrap over trials.
    """
    if not sample.has_competing or not sample.values.size:
        return quantiles(sample.event, ps, generator)
    times, reached = incidence(sample)
    values = [_first(times, reached, p) for p in ps]
    if sample.event.one_per_trial and not sample.is_censored:
        intervals = [_endless_interval(sample, p) for p in ps]
    elif sample.event.trial_index()[0] == 1:  # Nothing is known of the variation between trials.
        intervals = [(-math.inf, math.inf) for _ in ps]
    else:
        drawn = list(_resampled(sample, generator or default_generator()))
        found = [np.concatenate([first_at_most(times, 1 - curves, 1 - p) for curves in drawn]) for p in ps]
        intervals = [percentile_interval(sample.event, p, np.sort(by_p)) for p, by_p in zip(ps, found, strict=True)]
    return [Estimate(value, low, high) for value, (low, high) in zip(values, intervals, strict=True)]


def incidence_by_end(sample: CompetingSample, generator: np.random.Generator | None = None) -> Estimate:
    """The incidence of the event at the last instant that was followed: the probability that the event has happened by
    then.

    Without censoring, the interval is Wilson's over trials. With censoring, it is a percentile bootstrap over trials.
    The result is nan without data.
    """
    if not sample.values.size:
        return NO_DATA
    if not sample.is_censored:
        return _share(sample)
    value = float(incidence(sample)[1][-1])
    if sample.event.trial_index()[0] == 1:
        return Estimate(value, 0.0, 1.0)
    drawn = _resampled(sample, generator or default_generator())
    ends = np.sort(np.concatenate([curves[:, -1] for curves in drawn]))
    if ends[0] == ends[-1]:  # All durations that ended have ended in one way, so no resample shows the other way.
        share = _share(sample)
        return Estimate(value, min(value, share.low), max(value, share.high))
    low, high = _tails(ends)
    return Estimate(value, float(low), float(high))


def incidence_curve(sample: CompetingSample, generator: np.random.Generator | None = None) -> Ecdf:
    """The incidence of the event as a curve with its pointwise 95 % band, for a sample that is not empty.

    The band is that of `ecdf` if nothing competes. Otherwise it is the band of Clopper and Pearson. With censoring, or
    with several durations of one trial, it is a bootstrap over trials, at 200 instants at most.
    """
    if not sample.has_competing and (sample.ended == EVENT).any():
        return ecdf(sample.event, generator)
    instants, reached = incidence(sample)
    times, last = np.unique(instants[::-1], return_index=True)
    probabilities = reached[::-1][last]
    trials = sample.event.trial_index()[0]
    if trials == 1:
        return Ecdf(times, probabilities, times, np.zeros(times.size), np.ones(times.size))
    if sample.event.one_per_trial and not sample.is_censored:
        low, high = exact_band(1 - probabilities, sample.values.size)
        return Ecdf(times, probabilities, times, 1 - high, 1 - low)
    at = times[np.unique(np.linspace(0, times.size - 1, _BAND_POINTS).astype(int))]
    columns = np.searchsorted(instants, at, side="right") - 1
    drawn = _resampled(sample, generator or default_generator())
    ordered = np.sort(np.concatenate([curves[:, columns] for curves in drawn]), axis=0)
    return Ecdf(times, probabilities, at, *_tails(ordered))


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


def _resampled(sample: CompetingSample, generator: np.random.Generator) -> Iterator[FloatArray]:
    """The estimate after each duration, sorted, in resamples of the trials; shapes (rows, n)."""
    order = sample.order()
    trials, index = sample.event.trial_index()
    ended, index = sample.ended[order], index[order]
    for drawn in resamples(generator, trials, order.size):
        yield weighted_incidence(times_drawn(drawn)[:, index], ended)


def _tails(ordered: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The percentiles of sorted resamples, along the first axis."""
    return ordered[math.ceil(TAIL * RESAMPLES) - 1], ordered[math.ceil((1 - TAIL) * RESAMPLES) - 1]
