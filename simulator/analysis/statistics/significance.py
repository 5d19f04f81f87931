"""Tests of whether two sets of trials differ, the correction of a family of them, and when they are as good as equal.

The trial is the unit: where a sample holds several values of one trial, a test sees their mean, or the share of them
that exceeds. A censored value is taken for longer than any that ended.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy  # Imports scipy.stats and scipy.optimize, which are slow to import, when they are first used.

from simulator.analysis.statistics.bootstrap import FloatArray, IntArray
from simulator.analysis.statistics.estimates import Estimate, Sample


class Significance(NamedTuple):
    """A test's statistic, and the chance of one at least as extreme where nothing differs; nan without data."""

    statistic: float
    p: float


NO_TEST = Significance(math.nan, math.nan)


def holm(p_values: Sequence[float], family: int | None = None) -> list[float]:
    """Holm's (1979) adjusted p values, in the order given: those below α can be rejected together, with a chance of α
    at most that any is wrong, however the tests hang together. A test without data (nan) is none of the family.

    `family` is how many there were to choose from, where those given were chosen by what the data say.
    """
    adjusted, largest = list(p_values), 0.0
    ranked = sorted((p, number) for number, p in enumerate(p_values) if not math.isnan(p))
    size = max(len(ranked), family or 0)
    for rank, (p, number) in enumerate(ranked):
        largest = max(largest, min(1.0, (size - rank) * p))
        adjusted[number] = largest
    return adjusted


def equivalent(ratio_90: Estimate, margin: float) -> bool:
    """Whether a ratio is within 1/(1 + margin) and 1 + margin, by two one-sided tests at 5 % (Schuirmann 1987).

    They both reject where its 90 % interval lies inside. To find no difference is not this: few trials find none.
    """
    return 1 / (1 + margin) <= ratio_90.low and ratio_90.high <= 1 + margin


def mann_whitney(before: Sample, after: Sample) -> Significance:
    """Whether one sample tends to be longer (Mann and Whitney 1947), ties and all; the samples taken as independent,
    which errs on the side of no difference if trials use common random numbers.

    The statistic is the chance that a value after is longer than one before, ties counted half: 0.5 where none is.
    """
    old, new = _by_trial(before)[1], _by_trial(after)[1]
    if not old.size or not new.size:
        return NO_TEST
    found = scipy.stats.mannwhitneyu(new, old)
    return Significance(float(found.statistic) / (old.size * new.size), _known(found.pvalue))


def kolmogorov_smirnov(before: Sample, after: Sample) -> Significance:
    """The largest distance between two distributions, and its p value; the samples taken as independent. Exact for
    values that are all different; ties and common random numbers err on the side of no difference."""
    old, new = _by_trial(before)[1], _by_trial(after)[1]
    if not old.size or not new.size:
        return NO_TEST
    with warnings.catch_warnings():  # If the exact sum fails in floating point, scipy uses the asymptotic distribution.
        warnings.filterwarnings("ignore", "ks_2samp: Exact calculation unsuccessful", RuntimeWarning)
        found = scipy.stats.ks_2samp(old, new)
    return Significance(float(found.statistic), _known(found.pvalue))


def quantile_test(before: Sample, after: Sample, p: float, *, paired: bool) -> Significance:
    """Whether the p-quantile moved: whether as many exceed the quantile of both samples together, before and after.

    Of pairs, those of which only one exceeds it are told by a fair coin (McNemar's test, exact); else the counts are
    Fisher's, exact where each trial holds one value. Nothing is assumed of the distribution: ties and heavy tails cost
    power only. The statistic is the share that exceeds, after less before.
    """
    if not before.values.size or not after.values.size:
        return NO_TEST
    ended = [np.where(sample.censored, math.inf, sample.values) for sample in (before, after)]
    pooled = float(np.quantile(np.concatenate(ended), p, method="inverted_cdf"))
    if math.isinf(pooled):  # The bound is infinite, so only censored durations exceed it.
        pooled = np.finfo(np.float64).max
    (old_trials, old), (new_trials, new) = (_by_trial(sample, pooled) for sample in (before, after))
    if paired:
        _, at_old, at_new = np.intersect1d(old_trials, new_trials, assume_unique=True, return_indices=True)
        changes = np.sign(new[at_new] - old[at_old])
        moved = float((new[at_new] - old[at_old]).mean()) if changes.size else math.nan
        ups, either = int((changes > 0).sum()), int((changes != 0).sum())
        return Significance(moved, float(scipy.stats.binomtest(ups, either).pvalue) if either else 1.0)
    moved = float(new.mean() - old.mean())
    if before.one_per_trial and after.one_per_trial:
        table = np.array([[side.sum(), side.size - side.sum()] for side in (old, new)], dtype=np.int64)
        return Significance(moved, float(scipy.stats.fisher_exact(table).pvalue))
    return Significance(moved, _known(scipy.stats.mannwhitneyu(new, old).pvalue))


def _by_trial(sample: Sample, threshold: float | None = None) -> tuple[IntArray, FloatArray]:
    """The numbers of the trials, and for each the mean of its values, or the share of them above a threshold."""
    names, index = np.unique(sample.trials, return_inverse=True)
    values = np.where(sample.censored, math.inf, sample.values)
    if threshold is not None:
        values = (values > threshold).astype(np.float64)
    return names, np.asarray(np.bincount(index, weights=values) / np.bincount(index), dtype=np.float64)


def _known(p: Any) -> float:
    """Where all values are equal, scipy knows no p value: nothing differs."""
    return 1.0 if math.isnan(p) else float(p)
