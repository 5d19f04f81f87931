"""Samples of durations, and the curves that they make: empirical distributions, Kaplan–Meier where censored."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy  # Imports scipy.stats and scipy.optimize, which are slow to import, when they are first used.

from simulator.analysis.statistics.bootstrap import TAIL, BoolArray, FloatArray, IntArray
from simulator.analysis.statistics.jackknife import CENSORED, EVENT, IncidenceByTrial

_BAND_POINTS = 200
_ROUNDING = 1e-9  # F(x) = k/n must count as p = k/n, in spite of floating point; steps are at least 1/n.


@dataclass(frozen=True, eq=False)
class Sample:
    """Durations in seconds, shape (n,) each. A censored duration is a lower bound: the true duration is longer.
    `trials` says which trial each belongs to.
    """

    values: FloatArray
    censored: BoolArray
    trials: IntArray

    def __post_init__(self) -> None:
        if not self.values.shape == self.censored.shape == self.trials.shape == (self.values.size,):
            raise ValueError("values, censored and trials must have one dimension and the same length")
        if not np.isfinite(self.values).all():
            raise ValueError(
                "a value is not finite: of an unfinished duration, give the time for which it was followed"
            )

    @classmethod
    def of(
        cls, values: npt.ArrayLike, censored: npt.ArrayLike | None = None, trials: npt.ArrayLike | None = None
    ) -> Sample:
        """Makes a sample of arrays, or of what NumPy can make arrays of. By default no value is censored, and each
        value belongs to another trial.
        """
        data = np.asarray(values, dtype=np.float64)
        return cls(
            data,
            np.zeros(data.shape, dtype=np.bool_) if censored is None else np.asarray(censored, dtype=np.bool_),
            np.arange(data.size) if trials is None else np.asarray(trials, dtype=np.int64),
        )

    @classmethod
    def by_trial(cls, seconds: npt.ArrayLike) -> Sample:
        """Makes a sample of one value for each trial, in order. A value is infinite if it never ended, and nan if the
        trial has none.
        """
        data = np.asarray(seconds, dtype=np.float64)
        there = ~np.isnan(data)
        values, endless = data[there], np.isinf(data[there])
        most = values[~endless].max(initial=0.0)  # This time is at least as long as every duration that ended.
        return cls(np.where(endless, most, values), endless, np.flatnonzero(there))

    def by_trial_incidence(self) -> IncidenceByTrial:
        """The distribution of what is not censored, with the trial as the unit; the sample must not be empty."""
        return IncidenceByTrial(self.values, np.where(self.censored, CENSORED, EVENT), self.trials)

    def trial_index(self) -> tuple[int, IntArray]:
        """How many trials there are, and the number, from 0 on, of each value's trial."""
        names, index = np.unique(self.trials, return_inverse=True)
        return names.size, index

    @property
    def one_per_trial(self) -> bool:
        """Whether no two values are of the same trial."""
        return self.trial_index()[0] == self.values.size


class Survival(NamedTuple):
    """The share that lasts longer than each time, with its pointwise 95 % band; all of shape (times,)."""

    times: FloatArray
    proportion: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, eq=False)
class Ecdf:
    """The share of durations that are over by each time, a right-continuous step function.

    `probabilities` (steps,) hold from `times` (steps,) on; the pointwise 95 % band `low`, `high` from `band_times` on.
    """

    times: FloatArray
    probabilities: FloatArray
    band_times: FloatArray
    low: FloatArray
    high: FloatArray


def ecdf(sample: Sample) -> Ecdf:
    """The distribution of a sample that is not empty. Its band, inverted, is the interval of `statistics.quantile`:
    Clopper–Pearson, log-log Kaplan–Meier, or that of `IncidenceByTrial` (at 200 points at most).
    """
    if not sample.one_per_trial:
        return curve_by_trial(sample.by_trial_incidence())
    curve = survival_curve(sample)
    return Ecdf(curve.times, 1 - curve.proportion, curve.times, 1 - curve.high, 1 - curve.low)


def curve_by_trial(found: IncidenceByTrial) -> Ecdf:
    """The incidence as a curve. Its band is open if all durations are of one trial."""
    instants = found.instants
    at = np.unique(np.linspace(0, instants.size - 1, _BAND_POINTS).astype(int))
    low, high = np.array([found.at(number).interval() for number in at]).T
    return Ecdf(instants, found.shares, instants[at], low, high)


def survival_curve(sample: Sample, tail: float = TAIL) -> Survival:
    """The curve of a sample with one value per trial. If values are censored, it is the Kaplan–Meier curve with its
    log-log band (exponential Greenwood). Otherwise it is the empirical one with the exact band of Clopper and Pearson
    (1934). Each end of the band misses with the probability `tail`.
    """
    curve = scipy.stats.ecdf(_censored_data(sample)).sf
    band = (
        _log_log_band(sample, tail)
        if sample.censored.any()
        else exact_band(curve.probabilities, sample.values.size, tail)
    )
    return Survival(curve.quantiles, curve.probabilities, *band)


def _censored_data(sample: Sample) -> scipy.stats.CensoredData:
    return scipy.stats.CensoredData(uncensored=sample.values[~sample.censored], right=sample.values[sample.censored])


def exact_band(proportion: FloatArray, n: int, tail: float = TAIL) -> tuple[FloatArray, FloatArray]:
    """The band of Clopper and Pearson (1934) around proportions of n; shape (times,) each."""
    lasting = np.rint(n * proportion)
    low, high = np.zeros(lasting.size), np.asarray(scipy.stats.beta.ppf(1 - tail, lasting + 1, n - lasting))
    some = lasting > 0
    low[some] = scipy.stats.beta.ppf(tail, lasting[some], n - lasting[some] + 1)
    return low, high


def _log_log_band(sample: Sample, tail: float) -> tuple[FloatArray, FloatArray]:
    """The log-log band. The formula leaves the band undefined at both ends; these values are filled in."""
    curve = scipy.stats.ecdf(_censored_data(sample)).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        # scipy's type stubs have wrong types for it.
        band: Any = curve.confidence_interval(1 - 2 * tail, method="log-log")
    low, high = band.low.probabilities.copy(), band.high.probabilities.copy()
    # Before the first event the interval is exact, because all durations last longer.
    nothing_over = curve.probabilities == 1
    at_risk = sample.values.size - np.searchsorted(np.sort(sample.values), curve.quantiles[nothing_over])
    low[nothing_over], high[nothing_over] = tail ** (1 / at_risk), 1
    # The curve ends at 0, where the upper limit is not known. The last known limit is used there.
    if curve.probabilities[-1] == 0:
        low[-1], high[-1] = 0, high[-2]
    return low, high


# --- Weighted curves, for resamples


def in_order(sample: Sample) -> IntArray:
    """The indices that sort a sample. By convention, a censored value comes after the other values of the same
    instant.
    """
    return np.lexsort((sample.censored, sample.values))


def weighted_proportions(weights: IntArray, over: BoolArray) -> FloatArray:
    """The Kaplan–Meier proportion that lasts longer than each of n ordered values, each counted as often as its weight
    says.

    `weights` has the shape (rows, n), as has the result; `over` has the shape (n,); an entry is false if the value is
    censored. The result is nan in a row whose weights are all 0.
    """
    at_risk = weights[:, ::-1].cumsum(axis=1)[:, ::-1]
    all_there = np.where(at_risk[:, :1] > 0, at_risk[:, :1], np.nan)
    if over.all():
        return np.asarray((at_risk - weights) / all_there)
    return np.asarray(np.cumprod(1 - weights * over / np.maximum(at_risk, 1), axis=1) + 0 * all_there)


def first_at_most(times: FloatArray, shares: FloatArray, bound: float) -> FloatArray:
    """For each row of proportions, shape (rows, n), the first of the times, shape (n,), at which the proportion is at
    most the bound. The time is infinite if no proportion is, and nan if the row is nan. Shape (rows,).
    """
    reached = shares <= bound + _ROUNDING
    found = np.where(reached.any(axis=1), times[reached.argmax(axis=1)], math.inf)
    return np.where(np.isnan(shares[:, 0]), math.nan, found)
