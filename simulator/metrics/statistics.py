"""Estimates with their 95 % intervals, from samples that may be censored and may hold several values of one trial.

Quantiles are inverse ECDF (Hyndman and Fan 1996, type 1), censored or not, so that both agree. Trials are independent,
values of one trial need not be: where a trial holds several, the trial is the unit of chance.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special, stats

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

CONFIDENCE = 0.95
_TAIL = (1 - CONFIDENCE) / 2
_Z = float(special.ndtri(1 - _TAIL))
_RESAMPLES = 2000
_BATCH_CELLS = 1 << 20  # Bounds the memory of a bootstrap, whatever the size of the sample.
_ROUNDING = 1e-9  # F(x) = k/n must count as p = k/n, in spite of floating point; steps are at least 1/n.
_BAND_POINTS = 200
_SEED = 20_070_101  # An interval is a function of its sample: the same data always give the same one.


class Estimate(NamedTuple):
    """A value and its 95 % interval.

    An open end is infinite: the sample cannot bound the value on that side. An infinite value is a quantile that
    censoring hides. Everything is nan where there are no data, or none that could give the value.
    """

    value: float
    low: float
    high: float


NO_DATA = Estimate(math.nan, math.nan, math.nan)


@dataclass(frozen=True, eq=False)
class Sample:
    """Durations in seconds, shape (n,) each. A censored one is a lower bound: it had lasted that long when the trial
    ended. `trials` says which trial each belongs to.
    """

    values: FloatArray
    censored: BoolArray
    trials: IntArray

    def __post_init__(self) -> None:
        if not self.values.shape == self.censored.shape == self.trials.shape == (self.values.size,):
            raise ValueError("values, censored and trials must have one dimension and the same length")
        if np.isnan(self.values).any():
            raise ValueError("a value is nan: of an unfinished duration, give the time for which it was followed")

    @classmethod
    def of(
        cls, values: npt.ArrayLike, censored: npt.ArrayLike | None = None, trials: npt.ArrayLike | None = None
    ) -> Sample:
        """From anything like arrays; by default nothing is censored, and every value is a trial of its own."""
        data = np.asarray(values, dtype=np.float64)
        return cls(
            data,
            np.zeros(data.shape, dtype=np.bool_) if censored is None else np.asarray(censored, dtype=np.bool_),
            np.arange(data.size) if trials is None else np.asarray(trials, dtype=np.int64),
        )

    def clusters(self) -> tuple[int, IntArray]:
        """How many trials there are, and the number, from 0 on, of each value's trial."""
        names, index = np.unique(self.trials, return_inverse=True)
        return names.size, index


@dataclass(frozen=True, eq=False)
class Ecdf:
    """The share of durations that are over by each time: Kaplan–Meier where censored; a right-continuous step function.

    `probabilities` (steps,) hold from `times` (steps,) on; `low` and `high`, the pointwise 95 % band, from `band_times`.
    """

    times: FloatArray
    probabilities: FloatArray
    band_times: FloatArray
    low: FloatArray
    high: FloatArray


# --- Quantiles


def quantile(sample: Sample, p: float, generator: np.random.Generator | None = None) -> Estimate:
    """The least value x with F(x) >= p. Infinite where censoring hides it.

    The interval: order statistics (exact, binomial); with censoring, the inverted log-log band of the Kaplan–Meier
    curve (Brookmeyer and Crowley 1982); with several values of one trial, a percentile bootstrap over trials.
    """
    if not 0 < p < 1:
        raise ValueError(f"p = {p} is not between 0 and 1")
    if sample.values.size == 0:
        return NO_DATA
    curve = _kaplan_meier(sample)
    value = _first_at_most(curve.quantiles, curve.probabilities, 1 - p)
    trials, _ = sample.clusters()
    if trials < sample.values.size:
        return Estimate(value, *_bootstrap_interval(sample, p, generator or _generator()))
    if sample.censored.any():
        low, high = _kaplan_meier_band(curve)
        times = curve.quantiles
        return Estimate(value, _first_at_most(times, low, 1 - p), _first_at_most(times, high, 1 - p))
    return Estimate(value, *_order_statistics(sample.values, p))


def _kaplan_meier(sample: Sample) -> stats._result_classes.EmpiricalDistributionFunction:
    values, censored = sample.values, sample.censored
    return stats.ecdf(stats.CensoredData(uncensored=values[~censored], right=values[censored])).sf


def _kaplan_meier_band(curve: stats._result_classes.EmpiricalDistributionFunction) -> tuple[FloatArray, FloatArray]:
    """The band of the survival function, with the ends that the formula leaves undefined filled in."""
    survival = curve.probabilities
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        band = curve.confidence_interval(CONFIDENCE, method="log-log")
    low, high = band.low.probabilities.copy(), band.high.probabilities.copy()
    if survival[-1] == 0:  # Everybody's duration is over: the last bounds before say all that can be said.
        low[-1], high[-1] = 0, high[-2] if len(high) > 1 else 1
    low[survival == 1] = high[survival == 1] = 1  # Censored only, so far.
    return low, high


def _first_at_most(times: FloatArray, survival: FloatArray, bound: float) -> float:
    reached = np.flatnonzero(survival <= bound + _ROUNDING)
    return float(times[reached[0]]) if reached.size else math.inf


def _ranks(n: int, p: float) -> tuple[int, int]:
    """Ranks of the order statistics that enclose the p-quantile, each missing it by chance 2.5 % at most; 0 and n + 1
    stand for an open end."""
    return int(stats.binom.ppf(_TAIL, n, p)), int(stats.binom.ppf(1 - _TAIL, n, p)) + 1


def _order_statistics(values: FloatArray, p: float) -> tuple[float, float]:
    ordered = np.concatenate(([-math.inf], np.sort(values), [math.inf]))
    lower, upper = _ranks(values.size, p)
    return float(ordered[lower]), float(ordered[upper])


# --- The bootstrap over trials


def _generator() -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(_SEED))


def _batches(generator: np.random.Generator, trials: int, width: int) -> Iterator[IntArray]:
    """Resamples of the trials, (rows, trials) at a time, where a row will be blown up to `width` cells."""
    rows = max(1, _BATCH_CELLS // max(trials, width))
    for first in range(0, _RESAMPLES, rows):
        yield generator.integers(0, trials, size=(min(rows, _RESAMPLES - first), trials))


def _resampled_curves(sample: Sample, generator: np.random.Generator) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Ordered times (n,), and the survival function at each in some resamples (rows, n)."""
    trials, index = sample.clusters()
    order = np.lexsort((sample.censored, sample.values))  # By convention, censored ones survive those of their instant.
    times, over, index = sample.values[order], ~sample.censored[order], index[order]
    for drawn in _batches(generator, trials, times.size):
        rows = len(drawn)
        cells = (drawn + trials * np.arange(rows)[:, None]).ravel()
        weights = np.bincount(cells, minlength=rows * trials).reshape(rows, trials)[:, index]
        at_risk = weights[:, ::-1].cumsum(axis=1)[:, ::-1]
        if over.all():
            yield times, (at_risk - weights) / at_risk[:, :1]
        else:
            yield times, np.cumprod(1 - weights * over / np.maximum(at_risk, 1), axis=1)


def _bootstrap_interval(sample: Sample, p: float, generator: np.random.Generator) -> tuple[float, float]:
    trials, _ = sample.clusters()
    if trials == 1:  # Of the chance between trials, nothing is known.
        return -math.inf, math.inf
    found = []
    for times, survival in _resampled_curves(sample, generator):
        reached = survival <= 1 - p + _ROUNDING
        found.append(np.where(reached.any(axis=1), times[reached.argmax(axis=1)], math.inf))
    ordered = np.sort(np.concatenate(found))
    low, high = ordered[math.ceil(_TAIL * _RESAMPLES) - 1], ordered[math.ceil((1 - _TAIL) * _RESAMPLES) - 1]
    # No resample leaves the range of the sample: an end that not even independent values would bound is open.
    lower, upper = _ranks(sample.values.size, p)
    return float(low) if lower > 0 else -math.inf, float(high) if upper <= sample.values.size else math.inf


# --- Curves


def ecdf(sample: Sample, generator: np.random.Generator | None = None) -> Ecdf:
    """The distribution of a sample that is not empty. Its band, inverted, is the interval of `quantile`:
    Clopper–Pearson, log-log Kaplan–Meier, or the bootstrap over trials (at 200 points at most).
    """
    curve = _kaplan_meier(sample)
    times, probabilities = curve.quantiles, 1 - curve.probabilities
    trials, _ = sample.clusters()
    if trials < sample.values.size:
        return Ecdf(times, probabilities, *_bootstrap_band(sample, times, generator or _generator()))
    if sample.censored.any():
        low, high = _kaplan_meier_band(curve)
        return Ecdf(times, probabilities, times, 1 - high, 1 - low)
    n = sample.values.size
    over = np.rint(n * probabilities)
    low, high = stats.beta.ppf(_TAIL, over, n - over + 1), np.ones(over.size)
    some_left = over < n
    high[some_left] = stats.beta.ppf(1 - _TAIL, over[some_left] + 1, n - over[some_left])
    return Ecdf(times, probabilities, times, low, high)


def _bootstrap_band(
    sample: Sample, steps: FloatArray, generator: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    at = steps[np.unique(np.linspace(0, steps.size - 1, _BAND_POINTS).astype(int))]
    trials, _ = sample.clusters()
    if trials == 1:
        return at, np.zeros(at.size), np.ones(at.size)
    columns = np.searchsorted(np.sort(sample.values), at, side="right") - 1
    over = np.concatenate([1 - survival[:, columns] for _, survival in _resampled_curves(sample, generator)])
    low, high = np.quantile(over, [_TAIL, 1 - _TAIL], axis=0)
    return at, low, high


# --- Means


def mean(sample: Sample, generator: np.random.Generator | None = None) -> Estimate:
    """The mean, with its BCa bootstrap interval (Efron 1987) over trials: the ratio of their sums to their counts.

    nan where anything is censored: the mean depends on the tail that nobody saw.
    """
    if sample.values.size == 0 or sample.censored.any():
        return NO_DATA
    trials, index = sample.clusters()
    sums, counts = np.bincount(index, weights=sample.values), np.bincount(index)
    value = float(sample.values.mean())
    if trials == 1:
        return Estimate(value, -math.inf, math.inf)
    # The jackknife in closed form: scipy.stats.bootstrap builds all n samples of n - 1, and takes seconds.
    left_out = (sums.sum() - sums) / (counts.sum() - counts)
    influence = (trials - 1) * (left_out.mean() - left_out)
    if np.ptp(left_out) <= 1e-12 * abs(value):  # Constant, but for rounding.
        return Estimate(value, value, value)
    resampled = np.concatenate(
        [
            sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
            for drawn in _batches(generator or _generator(), trials, 1)
        ]
    )
    return Estimate(value, *_bias_corrected_interval(value, resampled, influence))


def _bias_corrected_interval(value: float, resampled: FloatArray, influence: FloatArray) -> tuple[float, float]:
    below = (np.mean(resampled < value) + np.mean(resampled <= value)) / 2
    bias = special.ndtri(np.clip(below, 0.5 / _RESAMPLES, 1 - 0.5 / _RESAMPLES))
    scaled = influence / np.abs(influence).max()  # Cubes of tiny durations must not underflow.
    acceleration = (scaled**3).sum() / (6 * (scaled**2).sum() ** 1.5)
    shifted = bias + np.array([-_Z, _Z])
    low, high = np.quantile(resampled, special.ndtr(bias + shifted / (1 - acceleration * shifted)))
    return float(low), float(high)


# --- Fractions and rates


def fraction(hits: int, total: int) -> Estimate:
    """The share of independent tries that hit, with Wilson's interval (1927). nan of no tries."""
    return _wilson(hits / total, total) if total else NO_DATA


def fraction_by_trial(hits: npt.ArrayLike, totals: npt.ArrayLike) -> Estimate:
    """The share of all tries that hit, shape (trials,) each, where tries of one trial may hang together.

    Wilson's interval at the effective number of tries: the number divided by the design effect (never below 1),
    less what the few trials leave uncertain about that (Korn and Graubard 1998). Where all tries agree, the data say
    nothing of how they hang together: each trial then counts for one try, weighted by its size (Kish 1965).
    """
    sizes = np.asarray(totals, dtype=np.float64)
    scores = np.asarray(hits, dtype=np.float64)[sizes > 0]
    sizes = sizes[sizes > 0]
    total, trials = float(sizes.sum()), sizes.size
    if trials == 0:
        return NO_DATA
    share = float(scores.sum()) / total
    if sizes.max() <= 1:
        return _wilson(share, total)
    if share in (0, 1) or trials == 1:
        return _wilson(share, total**2 / float((sizes**2).sum()))
    variance = trials / (trials - 1) * float(((scores - share * sizes) ** 2).sum()) / total**2
    design_effect = max(1.0, variance / (share * (1 - share) / total))
    few_trials = (float(stats.t.ppf(1 - _TAIL, trials - 1)) / _Z) ** 2
    return _wilson(share, total / design_effect / few_trials)


def _wilson(share: float, n: float) -> Estimate:
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    low = 0.0 if share == 0 else max(0.0, centre - half)
    high = 1.0 if share == 1 else min(1.0, centre + half)
    return Estimate(share, low, high)


def rate(count: int, exposure: float) -> Estimate:
    """Incidents per unit of exposure, with the exact Poisson interval (Garwood 1936). nan of no exposure."""
    if exposure <= 0:
        return NO_DATA
    low = float(stats.chi2.ppf(_TAIL, 2 * count)) / 2 if count else 0.0
    high = float(stats.chi2.ppf(1 - _TAIL, 2 * count + 2)) / 2
    return Estimate(count / exposure, low / exposure, high / exposure)
