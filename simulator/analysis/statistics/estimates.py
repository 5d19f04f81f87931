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

from simulator.analysis.statistics.approximate import Abc
from simulator.analysis.statistics.bootstrap import TAIL, TAILS, FloatArray, Tails, Z
from simulator.analysis.statistics.survival import Sample, first_at_most, survival_curve

__all__ = ["NO_DATA", "Estimate", "Sample", "fraction", "fraction_by_trial", "mean", "quantile", "quantiles"]
__all__ += ["Proportion", "proportion_by_trial", "quotient", "rate", "ratio"]


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


def quantile(sample: Sample, p: float, tails: Tails = TAILS) -> Estimate:
    """The least value x with F(x) >= p. Infinite where censoring hides it.

    The interval: order statistics (exact, binomial); with censoring, the inverted log-log band of the Kaplan–Meier
    curve (Brookmeyer and Crowley 1982); with several values of one trial, the inverted band of `IncidenceByTrial`.
    `tails` says how often each end may miss.
    """
    return quantiles(sample, (p,), tails)[0]


def quantiles(sample: Sample, ps: Sequence[float], tails: Tails = TAILS) -> list[Estimate]:
    """`quantile` for several p at once."""
    if not all(0 < p < 1 for p in ps):
        raise ValueError(f"not all of {ps} are between 0 and 1")
    if sample.values.size == 0:
        return [NO_DATA for _ in ps]
    curve = scipy.stats.ecdf(scipy.stats.CensoredData.right_censored(sample.values, sample.censored)).sf
    values = [_first_at_most(curve.quantiles, curve.probabilities, 1 - p) for p in ps]
    if not sample.one_per_trial:
        by_trial = sample.by_trial_incidence()
        intervals = [by_trial.quantile_interval(p, tails) for p in ps]
    elif sample.censored.any():
        intervals = _kaplan_meier_intervals(sample, ps, tails)
    else:
        intervals = [order_statistics(sample.values, p, tails) for p in ps]
    return [Estimate(value, low, high) for value, (low, high) in zip(values, intervals, strict=True)]


def _first_at_most(times: FloatArray, proportion: FloatArray, bound: float) -> float:
    return float(first_at_most(times, proportion[None, :], bound)[0])


def _ranks(n: int, p: float, tails: Tails) -> tuple[int, int]:
    """Ranks of the order statistics that enclose the p-quantile, each missing it with the chance of its tail at most; 0
    and n + 1 are open ends."""
    return int(scipy.stats.binom.ppf(tails.low, n, p)), int(scipy.stats.binom.ppf(1 - tails.high, n, p)) + 1


def order_statistics(values: FloatArray, p: float, tails: Tails = TAILS) -> tuple[float, float]:
    """The exact interval of the p-quantile of independent values. Values may be infinite. An end that the values do not
    bound is infinite.
    """
    ordered = np.concatenate(([-math.inf], np.sort(values), [math.inf]))
    lower, upper = _ranks(values.size, p, tails)
    return float(ordered[lower]), float(ordered[upper])


def _kaplan_meier_intervals(sample: Sample, ps: Sequence[float], tails: Tails) -> list[tuple[float, float]]:
    for_low, for_high = (survival_curve(sample, tail) for tail in tails)
    return [
        (
            _low_end(sample, p, _first_at_most(for_low.times, for_low.low, 1 - p), tails),
            _first_at_most(for_high.times, for_high.high, 1 - p),
        )
        for p in ps
    ]


def _low_end(sample: Sample, p: float, low: float, tails: Tails) -> float:
    """The low end of an interval. It is open if so few values would not bound it even without censoring. It is never
    later than the last instant at which a duration was followed.
    """
    lower, _ = _ranks(sample.values.size, p, tails)
    return min(low, float(sample.values.max())) if lower > 0 else -math.inf


# --- Means


def mean(sample: Sample) -> Estimate:
    """The mean, with its ABC interval (DiCiccio and Efron 1992) over trials.

    The result is nan if any value is censored, because the mean depends on the tail that was not observed.
    """
    if sample.values.size == 0 or sample.censored.any():
        return NO_DATA
    _, index = sample.trial_index()
    return ratio(np.bincount(index, weights=sample.values), np.bincount(index))


def ratio(amounts: npt.ArrayLike, exposures: npt.ArrayLike) -> Estimate:
    """The sum of amounts over the sum of exposures, shape (trials,) each, with its ABC interval over trials.

    A trial without exposure (0 or nan) does not count. The interval of a single trial is open.
    """
    parts = np.asarray(exposures, dtype=np.float64)
    sums, parts = np.asarray(amounts, dtype=np.float64)[parts > 0], parts[parts > 0]
    if parts.size == 0:
        return NO_DATA
    value = float(sums.sum() / parts.sum())
    if parts.size == 1:
        return Estimate(value, -math.inf, math.inf)
    found = Abc.of(quotient, np.stack([sums, parts]))
    if found is None:
        return Estimate(value, value, value)
    low, high = found.interval()
    by_trial = sums / parts  # No weights of the trials give less than the least, or more than the greatest of these.
    return Estimate(value, max(low, float(by_trial.min())), min(high, float(by_trial.max())))


def quotient(means: FloatArray) -> float:
    """The first of two means over the second; nan if the second is not positive."""
    return float(means[0] / means[1]) if means[1] > 0 else math.nan


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

    def interval(self, z: float = Z) -> tuple[float, float]:
        """Wilson's interval, z standard errors wide. `scipy.stats.binomtest` has it too, for whole numbers only."""
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
    few_trials = (float(scipy.stats.t.ppf(1 - TAIL, trials - 1)) / Z) ** 2
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
