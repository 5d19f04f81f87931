"""Two sets of trials compared: by how much a quantile, a mean or a share differs, with intervals.

Trials that ran with the same seed use common random numbers: trial 17 of one is the pair of trial 17 of the other, and
pairs are resampled. Other sets are independent, and each is resampled by itself. Whole trials are resampled, whether a
trial holds one value, several values, or none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from simulator.analysis.statistics.approximate import Abc
from simulator.analysis.statistics.bootstrap import (
    RESAMPLES,
    FloatArray,
    IntArray,
    default_generator,
    resamples,
    times_drawn,
)
from simulator.analysis.statistics.comparison import LEVELS, NOTHING_TO_COMPARE, Comparison, Tally, cleaned
from simulator.analysis.statistics.estimates import Estimate, Sample, quantiles, quotient
from simulator.analysis.statistics.proportions import compare_fraction
from simulator.analysis.statistics.survival import first_at_most, in_order, weighted_proportions

__all__ = ["NOTHING_TO_COMPARE", "Comparison", "Tally", "compare_fraction", "compare_mean", "compare_quantile"]
__all__ += ["compare_quantiles", "compare_ratio"]


# --- Quantiles


def compare_quantile(
    before: Sample,
    after: Sample,
    p: float,
    *,
    paired: bool,
    generator: np.random.Generator | None = None,
    count: int = RESAMPLES,
) -> Comparison:
    """The p-quantiles, censored or not, of two samples; pairs have the same number in `Sample.trials`.

    The interval is a percentile bootstrap over trials. An end is open if one of the samples is too small to bound it. A
    resample in which censoring hides both quantiles counts for both ends. `count` resamples are drawn; no p value is
    below 2 / (count + 1).
    """
    return compare_quantiles(before, after, (p,), paired=paired, generator=generator, count=count)[0]


def compare_quantiles(
    before: Sample,
    after: Sample,
    ps: Sequence[float],
    *,
    paired: bool,
    generator: np.random.Generator | None = None,
    count: int = RESAMPLES,
) -> list[Comparison]:
    """Computes `compare_quantile` for several p at once. This costs little more than one p."""
    if before.values.size == 0 or after.values.size == 0:
        return [NOTHING_TO_COMPARE for _ in ps]
    generator = generator or default_generator()
    drawn = list(_resampled_quantiles(before, after, ps, paired, generator, count))
    olds, news = (np.concatenate(parts, axis=1) for parts in zip(*drawn, strict=True))
    pairs = zip(ps, quantiles(before, ps), quantiles(after, ps), olds, news, strict=True)
    n = _trials(before, after, paired)
    return [_of_quantiles(old, new, _bounded(before, after, p), resampled, n) for p, old, new, *resampled in pairs]


def _trials(before: Sample, after: Sample, paired: bool) -> int:
    sets = [np.unique(sample.trials) for sample in (before, after)]
    return int(np.union1d(*sets).size) if paired else min(found.size for found in sets)


def _resampled_quantiles(
    before: Sample, after: Sample, ps: Sequence[float], paired: bool, generator: np.random.Generator, count: int
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Quantiles before and after in some resamples, shape (ps, resamples) each. An entry is nan if the resample holds
    no value.
    """
    both = np.union1d(before.trials, after.trials)
    names = (both, both) if paired else (np.unique(before.trials), np.unique(after.trials))
    width = max(before.values.size, after.values.size)
    old, new = (_quantiles_by_weight(sample, among, ps) for sample, among in zip((before, after), names, strict=True))
    if paired:
        for drawn in resamples(generator, both.size, width, count):
            counts = times_drawn(drawn)
            yield old(counts), new(counts)
        return
    draws = [resamples(generator, among.size, width, count) for among in names]
    for drawn_old, drawn_new in zip(*draws, strict=True):
        yield old(times_drawn(drawn_old)), new(times_drawn(drawn_new))


def _quantiles_by_weight(sample: Sample, among: IntArray, ps: Sequence[float]) -> Callable[[IntArray], FloatArray]:
    """Returns a function. Its argument says how often each trial was drawn, shape (rows, trials). It returns the
    quantiles of the values of these trials, shape (ps, rows).
    """
    order = in_order(sample)
    times, over = sample.values[order], ~sample.censored[order]
    columns = np.searchsorted(among, sample.trials[order])

    def found(counts: IntArray) -> FloatArray:
        shares = weighted_proportions(counts[:, columns], over)
        return np.stack([first_at_most(times, shares, 1 - p) for p in ps])

    return found


class _Bounded(NamedTuple):
    """Which ends of an interval the samples can bound: of the ratio and, so, of the difference."""

    low: bool
    high: bool


def _bounded(before: Sample, after: Sample, p: float) -> _Bounded:
    """An end is open if the sample is too small to bound the quantile that the end depends on, even if its values are
    independent.
    """
    old, new = (quantiles(Sample.of(np.arange(1.0, sample.values.size + 1)), (p,))[0] for sample in (before, after))
    return _Bounded(math.isfinite(new.low + old.high), math.isfinite(new.high + old.low))


def _of_quantiles(old: Estimate, new: Estimate, bounded: _Bounded, resampled: list[FloatArray], n: int) -> Comparison:
    with np.errstate(invalid="ignore", divide="ignore"):
        differences, ratios = resampled[1] - resampled[0], resampled[1] / resampled[0]
        value, ratio = np.float64(new.value) - old.value, np.float64(new.value) / old.value
    up, down = (1.0 if not end else _tail(side) for end, side in zip(bounded, (differences, -differences), strict=True))
    wide, narrow = (Estimate(float(ratio), *_percentiles(ratios, level, bounded, 0.0)) for level in LEVELS)
    return Comparison(
        difference=Estimate(float(value), *_percentiles(differences, LEVELS[0], bounded, -math.inf)),
        ratio=wide,
        ratio_90=narrow,
        p=min(1.0, 2 * min(up, down)),
        n=n,
    )


def _tail(side: FloatArray) -> float:
    """The proportion of resamples that are not above 0. A small proportion is evidence of growth. A resample whose
    value is unknown counts as not above 0.
    """
    return float(1 + np.count_nonzero(~(side > 0))) / (1 + side.size)


def _percentiles(resampled: FloatArray, confidence: float, bounded: _Bounded, least: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low = np.sort(np.where(np.isnan(resampled), least, resampled))[math.ceil(tail * resampled.size) - 1]
    high = np.sort(np.where(np.isnan(resampled), math.inf, resampled))[math.ceil((1 - tail) * resampled.size) - 1]
    return float(low) if bounded.low else least, float(high) if bounded.high else math.inf


# --- Means and other ratios of sums


def compare_mean(before: Sample, after: Sample, *, paired: bool) -> Comparison:
    """The means of two samples; nan where anything is censored. ABC intervals over trials, or pairs of them."""
    if before.censored.any() or after.censored.any():
        return NOTHING_TO_COMPARE
    both = np.union1d(before.trials, after.trials)
    names = (both, both) if paired else (np.unique(before.trials), np.unique(after.trials))
    old, new = (_sums(sample, among) for sample, among in zip((before, after), names, strict=True))
    return compare_ratio(old, new, paired=paired)


def _sums(sample: Sample, among: IntArray) -> Tally:
    at = np.searchsorted(among, sample.trials)
    return Tally(
        np.bincount(at, weights=sample.values, minlength=among.size),
        np.bincount(at, minlength=among.size).astype(np.float64),
    )


def compare_ratio(before: Tally, after: Tally, *, paired: bool) -> Comparison:
    """Two sums of amounts over sums of exposures (`statistics.ratio`): means, rates, shares of time.

    ABC intervals (DiCiccio and Efron 1992) over trials, or over pairs, which are the same places of both tallies. For
    successes of attempts, see `compare_fraction`. Raises ValueError where pairs are of different number.
    """
    old, new = cleaned(before, after, paired)
    if not old[1].any() or not new[1].any():
        return NOTHING_TO_COMPARE
    samples = (np.concatenate([old, new]),) if paired else (old, new)
    n = old.shape[1] if paired else min(old.shape[1], new.shape[1])
    means = [np.float64(tally[0].sum() / tally[1].sum()) for tally in (old, new)]
    kept = [_left_out(tally) for tally in (old, new)]
    found = []
    for statistic, of_means in ((np.subtract, _difference), (np.divide, _quotient_of_ratios)):
        with np.errstate(invalid="ignore", divide="ignore"):
            value = float(statistic(means[1], means[0]))
            sides = [statistic(kept[1], kept[0])] if paired else [statistic(means[1], kept[0]), kept[1]]
        defined = n > 1 and math.isfinite(value) and all(np.isfinite(side).all() for side in sides)
        abc = Abc.of(of_means, *samples) if defined else None
        found.append(_Corrected(value, abc, varies=not defined))
    difference, ratio = found
    return Comparison(
        difference=Estimate(difference.value, *difference.interval(LEVELS[0])),
        ratio=Estimate(ratio.value, *ratio.interval(LEVELS[0], least=0.0)),
        ratio_90=Estimate(ratio.value, *ratio.interval(LEVELS[1], least=0.0)),
        p=difference.p_value(),
        n=n,
    )


def _difference(means: FloatArray) -> float:
    """How much more the second ratio is than the first, from means of amount and exposure of both."""
    return quotient(means[2:]) - quotient(means[:2])


def _quotient_of_ratios(means: FloatArray) -> float:
    """The second ratio over the first."""
    old = quotient(means[:2])
    return quotient(means[2:]) / old if old > 0 else math.nan


def _left_out(tally: FloatArray) -> FloatArray:
    """The ratio of the sums without each trial in turn, shape (trials,). An entry is nan if no exposure remains."""
    rest = tally.sum(axis=1, keepdims=True) - tally
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(rest[0] / rest[1])


@dataclass(frozen=True, eq=False)
class _Corrected:
    """A statistic with its distribution; without one where it does not vary, or cannot be told to."""

    value: float
    abc: Abc | None
    varies: bool

    def interval(self, confidence: float, least: float = -math.inf) -> tuple[float, float]:
        """The interval of that confidence, no end of which is below `least`.

        Without a distribution it is open from `least` up, or the value alone if nothing varies.
        """
        if math.isnan(self.value):
            return math.nan, math.nan
        if self.abc is not None:
            low, high = self.abc.interval(confidence)
            return max(low, least), high
        return (least, math.inf) if self.varies else (self.value, self.value)

    def p_value(self) -> float:
        """The p-value of no difference. Without a distribution: 1, or 0 for a difference that does not vary."""
        if self.abc is not None:
            return self.abc.p_value(0.0)
        return 1.0 if self.varies or self.value == 0 else 0.0
