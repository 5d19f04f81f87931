"""Estimates with their 95 % intervals, from samples that may be censored and may hold several values of one trial.

Quantiles are inverse ECDF (Hyndman and Fan 1996, type 1), censored or not, so that both agree. Trials are independent
of each other; the values of one trial may depend on each other. So if a trial holds several values, whole trials are
resampled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy  # Imports scipy.stats and scipy.optimize, which are slow to import, when they are first used.

from simulator.analysis.statistics.bootstrap import RESAMPLES, TAIL, Bca, FloatArray, default_generator, resamples
from simulator.analysis.statistics.survival import Sample, first_at_most, resampled_curves, survival_curve

__all__ = ["NO_DATA", "Estimate", "Sample", "fraction", "fraction_by_trial", "mean", "quantile", "quantiles"]
__all__ += ["Proportion", "proportion_by_trial", "rate", "ratio"]

_Z = float(scipy.special.ndtri(1 - TAIL))


class Estimate(NamedTuple):
    """A value and its 95 % interval.

    An open end is infinite: the sample cannot bound the value on that side. An infinite value is a quantile that
    censoring hides. Everything is nan if there are no data, or if the data cannot give the value.
    """

    value: float
    low: float
    high: float


NO_DATA = Estimate(math.nan, math.nan, math.nan)


# --- Quantiles


def quantile(sample: Sample, p: float, generator: np.random.Generator | None = None) -> Estimate:
    """The least value x with F(x) >= p. The value is infinite if censoring hides it.

    The interval is made of order statistics (exact, binomial). With censoring it is the inverted log-log band of the
    Kaplan–Meier curve (Brookmeyer and Crowley 1982). With several values of one trial it is a percentile bootstrap over
    trials.
    """
    return quantiles(sample, (p,), generator)[0]


def quantiles(sample: Sample, ps: Sequence[float], generator: np.random.Generator | None = None) -> list[Estimate]:
    """Computes `quantile` for several p at once. With a bootstrap, this costs little more than one p."""
    if not all(0 < p < 1 for p in ps):
        raise ValueError(f"not all of {ps} are between 0 and 1")
    if sample.values.size == 0:
        return [NO_DATA for _ in ps]
    curve = scipy.stats.ecdf(scipy.stats.CensoredData.right_censored(sample.values, sample.censored)).sf
    values = [_first_at_most(curve.quantiles, curve.probabilities, 1 - p) for p in ps]
    if not sample.one_per_trial:
        intervals = _bootstrap_intervals(sample, ps, generator or default_generator())
    elif sample.censored.any():
        intervals = _kaplan_meier_intervals(sample, ps)
    else:
        intervals = [order_statistics(sample.values, p) for p in ps]
    return [Estimate(value, low, high) for value, (low, high) in zip(values, intervals, strict=True)]


def _first_at_most(times: FloatArray, proportion: FloatArray, bound: float) -> float:
    return float(first_at_most(times, proportion[None, :], bound)[0])


def _ranks(n: int, p: float) -> tuple[int, int]:
    """Ranks of the order statistics that enclose the p-quantile, each missing it with a chance of 2.5 % at most; 0 and
    n + 1 are open ends."""
    return int(scipy.stats.binom.ppf(TAIL, n, p)), int(scipy.stats.binom.ppf(1 - TAIL, n, p)) + 1


def order_statistics(values: FloatArray, p: float) -> tuple[float, float]:
    """The exact interval of the p-quantile of independent values. Values may be infinite. An end that the values do not
    bound is infinite.
    """
    ordered = np.concatenate(([-math.inf], np.sort(values), [math.inf]))
    lower, upper = _ranks(values.size, p)
    return float(ordered[lower]), float(ordered[upper])


def _kaplan_meier_intervals(sample: Sample, ps: Sequence[float]) -> list[tuple[float, float]]:
    curve = survival_curve(sample)
    return [
        (
            _low_end(sample, p, _first_at_most(curve.times, curve.low, 1 - p)),
            _first_at_most(curve.times, curve.high, 1 - p),
        )
        for p in ps
    ]


def _low_end(sample: Sample, p: float, low: float) -> float:
    """The low end of an interval. It is open if so few values would not bound it even without censoring. It is never
    later than the last instant at which a duration was followed.
    """
    lower, _ = _ranks(sample.values.size, p)
    return min(low, float(sample.values.max())) if lower > 0 else -math.inf


def _bootstrap_intervals(
    sample: Sample, ps: Sequence[float], generator: np.random.Generator
) -> list[tuple[float, float]]:
    if sample.trial_index()[0] == 1:  # One trial says nothing about the variation between trials.
        return [(-math.inf, math.inf) for _ in ps]
    found: list[list[FloatArray]] = [[] for _ in ps]
    for times, proportion in resampled_curves(sample, generator):
        for p, batch in zip(ps, found, strict=True):
            batch.append(first_at_most(times, proportion, 1 - p))
    return [percentile_interval(sample, p, np.sort(np.concatenate(batch))) for p, batch in zip(ps, found, strict=True)]


def percentile_interval(sample: Sample, p: float, resampled: FloatArray) -> tuple[float, float]:
    """The interval of the p-quantile of a sample from sorted quantiles of its resamples, shape (RESAMPLES,).

    An end is open if independent values would not bound it either; no resample shows this, since none leaves the range
    of the sample.
    """
    low = float(resampled[math.ceil(TAIL * RESAMPLES) - 1])
    high = float(resampled[math.ceil((1 - TAIL) * RESAMPLES) - 1])
    _, upper = _ranks(sample.values.size, p)
    return _low_end(sample, p, low), high if upper <= sample.values.size else math.inf


# --- Means


def mean(sample: Sample, generator: np.random.Generator | None = None) -> Estimate:
    """The mean, with its BCa bootstrap interval (Efron 1987) over trials.

    The result is nan if any value is censored, because the mean depends on the tail that was not observed.
    """
    if sample.values.size == 0 or sample.censored.any():
        return NO_DATA
    _, index = sample.trial_index()
    return ratio(np.bincount(index, weights=sample.values), np.bincount(index), generator)


def ratio(amounts: npt.ArrayLike, exposures: npt.ArrayLike, generator: np.random.Generator | None = None) -> Estimate:
    """The sum of amounts over the sum of exposures, shape (trials,) each, with its BCa interval over trials.

    A trial without exposure (0 or nan) does not count. The interval of a single trial is open.
    """
    parts = np.asarray(exposures, dtype=np.float64)
    sums, parts = np.asarray(amounts, dtype=np.float64)[parts > 0], parts[parts > 0]
    trials = parts.size
    if trials == 0:
        return NO_DATA
    value = float(sums.sum() / parts.sum())
    if trials == 1:
        return Estimate(value, -math.inf, math.inf)
    # The jackknife in closed form: scipy.stats.bootstrap makes n samples of n - 1, seconds for 10 000 trials.
    left_out = (sums.sum() - sums) / (parts.sum() - parts)
    if np.ptp(left_out) <= 1e-12 * abs(value):  # Constant, but for rounding.
        return Estimate(value, value, value)
    batches = resamples(generator or default_generator(), trials, trials)
    resampled = np.concatenate([sums[drawn].sum(axis=1) / parts[drawn].sum(axis=1) for drawn in batches])
    return Estimate(value, *Bca.of(value, resampled, left_out.mean() - left_out).interval())


# --- Fractions and rates


def fraction(successes: int, total: int) -> Estimate:
    """The proportion of independent attempts that succeed, with Wilson's interval (1927); nan without attempts."""
    return Proportion(successes / total, total).estimate() if total else NO_DATA


def fraction_by_trial(successes: npt.ArrayLike, totals: npt.ArrayLike) -> Estimate:
    """The proportion of all attempts that succeed, if attempts of one trial may be correlated.

    Both arguments have the shape (trials,). The interval is Wilson's at the effective number of attempts; nan without
    attempts.
    """
    found = proportion_by_trial(successes, totals)
    return found.estimate() if found else NO_DATA


@dataclass(frozen=True, slots=True)
class Proportion:
    """A proportion, and the number of independent attempts that would say as much about it."""

    value: float
    effective_attempts: float

    def estimate(self) -> Estimate:
        """The proportion with its 95 % interval (Wilson's)."""
        return Estimate(self.value, *self.interval())

    def interval(self, z: float = _Z) -> tuple[float, float]:
        """Wilson's interval, z standard errors wide. `scipy.stats.binomtest` computes this interval, too, but for whole
        numbers only.
        """
        proportion, n = self.value, self.effective_attempts
        centre = (proportion + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * math.sqrt(proportion * (1 - proportion) / n + z**2 / (4 * n**2))
        return 0.0 if proportion == 0 else max(0.0, centre - half), 1.0 if proportion == 1 else min(1.0, centre + half)


def proportion_by_trial(successes: npt.ArrayLike, totals: npt.ArrayLike) -> Proportion | None:
    """The proportion of all attempts that succeed, with its effective number of attempts; None without attempts.

    Both arguments have the shape (trials,). The number of attempts is divided by the design effect (never below 1), and
    reduced by what few trials leave uncertain about that effect (Korn and Graubard 1998). If all attempts agree, the
    data do not show how attempts of one trial correlate: then each trial counts as one attempt, weighted by its size
    (Kish 1965).
    """
    sizes = np.asarray(totals, dtype=np.float64)
    scores, sizes = np.asarray(successes, dtype=np.float64)[sizes > 0], sizes[sizes > 0]
    total, trials = float(sizes.sum()), sizes.size
    if trials == 0:
        return None
    proportion = float(scores.sum()) / total
    if sizes.max() <= 1:
        return Proportion(proportion, total)
    if proportion in (0, 1) or trials == 1:
        return Proportion(proportion, total**2 / float((sizes**2).sum()))
    variance = trials / (trials - 1) * float(((scores - proportion * sizes) ** 2).sum()) / total**2
    design_effect = max(1.0, variance / (proportion * (1 - proportion) / total))
    few_trials = (float(scipy.stats.t.ppf(1 - TAIL, trials - 1)) / _Z) ** 2
    return Proportion(proportion, total / design_effect / few_trials)


def rate(count: int, exposure: float) -> Estimate:
    """Incidents per unit of exposure, with the exact Poisson interval (Garwood 1936). The result is nan without
    exposure.
    """
    if exposure <= 0:
        return NO_DATA
    low = float(scipy.stats.chi2.ppf(TAIL, 2 * count)) / 2 if count else 0.0
    high = float(scipy.stats.chi2.ppf(1 - TAIL, 2 * count + 2)) / 2
    return Estimate(count / exposure, low / exposure, high / exposure)
