"""How often each of several interim analyses may miss a quantile, so that all their intervals hold together.

The number of values that do not exceed a quantile p grows like a binomial count. The probability that its order
statistics miss p at some analysis, after all earlier ones held it, follows exactly from that count, whatever the
distribution of the values. Each analysis spends an equal part of the permitted error on each side, and what an earlier
one could not spend, because ranks are whole numbers (Lan and DeMets 1983; Armitage, McPherson and Rowe 1969).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import scipy  # Imports scipy.stats and scipy.signal, which are slow to import, when they are first used.

from simulator.analysis.statistics.bootstrap import CONFIDENCE, FloatArray, Tails

_NEGLIGIBLE = 1e-13  # The probability that is left out on each side of a binomial count.
_ABOVE = 1 + 1e-6  # Lets a rank that is just permitted be found again from its probability, in spite of rounding.


@lru_cache(maxsize=64)
def tails_at(analyses: Sequence[int], p: float) -> tuple[Tails, ...]:
    """How often each end of the interval of the p-quantile may miss at each of some analyses, which must be hashable.

    `analyses` are the numbers of values, growing. The chance that any of the intervals misses is 5 % at most, if the
    values are independent, each of one trial, and not censored; otherwise the same holds for large samples.
    """
    found = []
    counts, least, before = np.ones(1), 0, 0
    spent = [0.0, 0.0]
    for number, size in enumerate(analyses, start=1):
        counts, least = _after(counts, least, size - before, p)
        before = size
        permitted = (1 - CONFIDENCE) / 2 * number / len(analyses)
        below, missed_below = _share(counts, permitted - spent[0])
        above, missed_above = _share(counts[::-1], permitted - spent[1])
        found.append(_tails(size, p, (least + below, least + counts.size - above), permitted))
        spent = [spent[0] + missed_below, spent[1] + missed_above]
        counts, least = counts[below : counts.size - above], least + below
    return tuple(found)


def _after(counts: FloatArray, least: int, more: int, p: float) -> tuple[FloatArray, int]:
    """The probabilities of the counts, and the least count, after so many more values."""
    ends = (int(scipy.stats.binom.ppf(_NEGLIGIBLE, more, p)), int(scipy.stats.binom.isf(_NEGLIGIBLE, more, p)))
    added = scipy.stats.binom.pmf(np.arange(ends[0], ends[1] + 1), more, p)
    return np.maximum(scipy.signal.fftconvolve(counts, added), 0.0), least + ends[0]


def _share(counts: FloatArray, permitted: float) -> tuple[int, float]:
    """How many of the first counts may be missed, and with what probability they occur."""
    total = np.cumsum(counts)
    missed = min(int(np.searchsorted(total, permitted, side="right")), counts.size - 1)
    return missed, float(total[missed - 1]) if missed else 0.0


def _tails(size: int, p: float, ranks: tuple[int, int], permitted: float) -> Tails:
    """The probabilities by which the order statistics of these ranks miss p, in one sample of this size."""
    low, high = ranks
    count = scipy.stats.binom(size, p)
    below = float(count.cdf(low - 1)) * _ABOVE if low > 0 else min(permitted, float(count.cdf(0)) / 2)
    above = float(count.sf(high - 1)) * _ABOVE if high <= size else min(permitted, float(count.sf(size - 1)) / 2)
    return Tails(below, above)
