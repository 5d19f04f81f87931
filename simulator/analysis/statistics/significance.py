"""Tests of whether two sets of trials differ, the correction of a family of them, and when they are as good as equal.

The trial is the unit. If a sample holds several values of one trial, a test uses their mean, or the proportion of them
that exceeds a threshold. A censored value counts as longer than every value that is not censored.
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
    """A test's statistic and its p value: the probability of a statistic at least as extreme if nothing differs. Both
    are nan without data.
    """

    statistic: float
    p: float


NO_TEST = Significance(math.nan, math.nan)


def holm(p_values: Sequence[float], family: int | None = None) -> list[float]:
    """Holm's adjusted p values (1979), in the order given. All hypotheses with a value below α can be rejected
    together. The probability that any of these rejections is wrong is at most α, however the tests depend on each
    other. A test without data (nan) does not belong to the family.

    If the given tests were chosen by the data, `family` is the number of tests from which they were chosen.
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

    Both tests reject if the 90 % interval of the ratio lies inside these bounds. A test that finds no difference does
    not show this, because few trials never find one.
    """
    return 1 / (1 + margin) <= ratio_90.low and ratio_90.high <= 1 + margin


def mann_whitney(before: Sample, after: Sample) -> Significance:
    """Tests whether the values of one sample tend to be longer (Mann and Whitney 1947). Ties are allowed. The samples
    count as independent. If trials use common random numbers, the test therefore finds too few differences, never too
    many.

    The statistic is the probability that a value after is longer than a value before, with ties counted half. It is 0.5
    if nothing differs.
    """
    old, new = _by_trial(before)[1], _by_trial(after)[1]
    if not old.size or not new.size:
        return NO_TEST
    found = scipy.stats.mannwhitneyu(new, old)
    return Significance(float(found.statistic) / (old.size * new.size), _known(found.pvalue))


def kolmogorov_smirnov(before: Sample, after: Sample) -> Significance:
    """The largest distance between two distributions, and its p value. The samples count as independent. The p value is
    exact if all values differ. With ties or common random numbers, the test finds too few differences, never too
    many.
    """
    old, new = _by_trial(before)[1], _by_trial(after)[1]
    if not old.size or not new.size:
        return NO_TEST
    with warnings.catch_warnings():  # If the exact sum fails in floating point, scipy uses the asymptotic distribution.
        warnings.filterwarnings("ignore", "ks_2samp: Exact calculation unsuccessful", RuntimeWarning)
        found = scipy.stats.ks_2samp(old, new)
    return Significance(float(found.statistic), _known(found.pvalue))


def quantile_test(before: Sample, after: Sample, p: float, *, paired: bool) -> Significance:
    """Tests whether the p-quantile changed. It takes the quantile of both samples together, and compares how many
    values before and how many values after exceed it.

    For pairs, this is McNemar's exact test: if nothing changed, a fair coin decides which trial of a pair exceeds the
    quantile, if only one does. Otherwise it is Fisher's test, which is exact if each trial holds one value. The test
    assumes nothing about the distribution: with ties and heavy tails it only finds fewer differences. The statistic is
    the proportion that exceeds the quantile after, minus the proportion before.
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
    """The numbers of the trials, and for each trial the mean of its values, or the proportion of its values above a
    threshold.
    """
    names, index = np.unique(sample.trials, return_inverse=True)
    values = np.where(sample.censored, math.inf, sample.values)
    if threshold is not None:
        values = (values > threshold).astype(np.float64)
    return names, np.asarray(np.bincount(index, weights=values) / np.bincount(index), dtype=np.float64)


def _known(p: Any) -> float:
    """Where all values are equal, scipy knows no p value: nothing differs."""
    return 1.0 if math.isnan(p) else float(p)
