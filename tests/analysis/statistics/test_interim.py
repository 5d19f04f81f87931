"""Intervals at several interim analyses hold together: by counting all outcomes, and by simulation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from simulator.analysis.statistics.bootstrap import TAIL
from simulator.analysis.statistics.estimates import Sample, quantile
from simulator.analysis.statistics.interim import tails_at


def ranks(size: int, p: float, number: int, analyses: tuple[int, ...]) -> tuple[int, int]:
    """The ranks at one analysis, from what `quantile` says of the values 1 to `size`; 0 and size + 1 if open."""
    found = quantile(Sample.of(np.arange(1.0, size + 1)), p, tails_at(analyses, p)[number])
    return int(max(found.low, 0)), int(min(found.high, size + 1))


@pytest.mark.parametrize("p", [0.5, 0.9])
def test_all_outcomes_of_few_values_are_held_together_in_95_percent(p: float) -> None:
    # Every sequence of 14 values, each of which exceeds the quantile or not, with its probability. The interval of an
    # analysis misses if fewer than its low rank, or as many as its high rank, do not exceed it. Each rank is the
    # tightest: one further in would spend more on its side than is due by then.
    analyses = (7, 10, 14)
    bounds = [ranks(size, p, number, analyses) for number, size in enumerate(analyses)]
    missed = np.zeros((3, 2))  # By analysis and side: the first miss.
    tighter = np.zeros((3, 2))
    for outcome in product((True, False), repeat=analyses[-1]):
        counts = np.cumsum(outcome)[np.array(analyses) - 1]
        chance = p ** sum(outcome) * (1 - p) ** (14 - sum(outcome))
        for number, (count, (low, high)) in enumerate(zip(counts, bounds, strict=True)):
            tighter[number] += chance * np.array([count < low + 1, count >= high - 1])
            if count < low or count >= high:
                missed[number] += chance * np.array([count < low, count >= high])
                break
    due = TAIL * np.arange(1, 4)[:, None] / 3
    spent = np.cumsum(missed, axis=0)
    assert missed.sum() <= 2 * TAIL
    assert (spent <= due + 1e-12).all()
    assert (spent - missed + tighter > due).all()


def test_a_single_analysis_has_the_exact_ranks() -> None:
    # With one analysis nothing is shared: the binomial ranks of `quantile` alone.
    values = Sample.of(np.random.default_rng(1).exponential(size=333))
    for p in (0.5, 0.95, 0.99):
        assert quantile(values, p, tails_at((333,), p)[0]) == quantile(values, p)


@pytest.mark.parametrize("p", [0.5, 0.95])
def test_the_intervals_of_all_analyses_hold_together(p: float) -> None:
    # 95 % or more, over all nine analyses of 1 000 trials; at one analysis alone 95 % each, together about 84 %. With
    # 1 500 runs, 3 standard errors are 1.7 %.
    analyses = (100, 200, 300, 400, 500, 600, 720, 864, 1000)
    random = np.random.default_rng(2)
    counts = np.cumsum(random.random((1500, 1000)) < p, axis=1)[:, np.array(analyses) - 1]
    bounds = np.array([ranks(size, p, number, analyses) for number, size in enumerate(analyses)])
    held = ((counts >= bounds[:, 0]) & (counts < bounds[:, 1])).all(axis=1).mean()
    alone = np.array([stats.binom.interval(0.95, size, p) for size in analyses])
    assert held >= 0.95 - 0.017
    assert ((counts >= alone[:, 0]) & (counts <= alone[:, 1])).all(axis=1).mean() < 0.9


def test_many_trials_are_no_burden() -> None:
    # A run may have 10**9 trials at most, which are 85 analyses; the number of outcomes grows with the root of that.
    analyses = tuple(int(100 * 1.2**number) for number in range(60))
    tails = tails_at(analyses, 0.99)
    assert len(tails) == 60
    assert all(0 < end < TAIL for pair in tails for end in pair)
