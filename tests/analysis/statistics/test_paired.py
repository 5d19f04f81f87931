"""Comparisons against scipy, published figures and closed forms, and the error rates that they promise."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import special, stats

from simulator.analysis.statistics.approximate import Abc
from simulator.analysis.statistics.estimates import Estimate, Sample, fraction, fraction_by_trial, quantile
from simulator.analysis.statistics.paired import (
    NOTHING_TO_COMPARE,
    Comparison,
    Tally,
    compare_fraction,
    compare_mean,
    compare_quantile,
    compare_quantiles,
    compare_ratio,
)

Pair = tuple[Sample, Sample]


def shares(
    found: Callable[[np.random.Generator], Comparison], truth: Callable[[Comparison], bool], times: int, seed: int
) -> float:
    generator = np.random.default_rng(seed)
    return sum(truth(found(generator)) for _ in range(times)) / times


def pair(random: np.random.Generator, n: int, *, change: float = 1.0) -> Pair:
    """Heavy-tailed values (lognormal) of trials that share most of their luck."""
    fault_rng = random.normal(size=n)
    old, new = (np.exp(fault_rng + 0.3 * random.normal(size=n)) for _ in range(2))
    return Sample.of(old), Sample.of(new * change)


# --- Quantiles


@pytest.mark.parametrize("paired", [True, False])
def test_the_difference_of_quantiles_has_scipys_percentile_interval(paired: bool) -> None:
    # scipy.stats.bootstrap is the reference; from the same generator it draws the same resamples. Its percentiles lie
    # between two resamples, ours are one of the two: within the distance of neighbours.
    old, new = pair(np.random.default_rng(1), 60, change=1.2)
    reference = stats.bootstrap(
        (old.values, new.values),
        lambda a, b, axis=-1: (
            np.quantile(b, 0.5, axis=axis, method="inverted_cdf")
            - np.quantile(a, 0.5, axis=axis, method="inverted_cdf")
        ),
        paired=paired,
        vectorized=True,
        n_resamples=2000,
        method="percentile",
        rng=np.random.default_rng(2),
    )
    found = compare_quantile(old, new, 0.5, paired=paired, generator=np.random.default_rng(2)).difference
    resampled = np.sort(np.asarray(reference.bootstrap_distribution))
    for ours, theirs in zip(found[1:], reference.confidence_interval, strict=True):
        at = int(np.searchsorted(resampled, ours))
        assert resampled[at] == ours
        assert (
            resampled[max(at - 1, 0)] <= theirs <= resampled[min(int(np.searchsorted(resampled, ours, "right")), 1999)]
        )


def test_a_constant_change_of_pairs_is_known_exactly_and_of_others_is_not() -> None:
    # The reason for common random numbers: what pairs share cancels. Twice every value is twice every quantile.
    old = Sample.of(np.random.default_rng(3).exponential(size=100))
    new = Sample.of(2 * old.values)
    assert compare_quantile(old, new, 0.5, paired=True).ratio == pytest.approx((2, 2, 2))
    apart = compare_quantile(old, new, 0.5, paired=False).ratio
    assert apart.low < 1.7 < 2.3 < apart.high


def test_pairs_are_found_by_the_number_of_their_trial() -> None:
    # The same data in another order, with trials that one side lacks, is the same comparison.
    old, new = pair(np.random.default_rng(4), 50)
    shuffled = np.random.default_rng(5).permutation(50)
    turned = Sample.of(new.values[shuffled], trials=shuffled)
    assert compare_quantile(old, turned, 0.5, paired=True) == compare_quantile(old, new, 0.5, paired=True)
    fewer = Sample.of(new.values[:40], trials=np.arange(40))
    assert compare_quantile(old, fewer, 0.5, paired=True).n == 50
    assert compare_quantile(old, fewer, 0.5, paired=False).n == 40


def test_values_are_those_of_each_sample_alone() -> None:
    # What is compared must be what the tables show, censored values and several of a trial included.
    random = np.random.default_rng(6)
    old, new = (Sample.of(random.exponential(size=90), random.random(90) < 0.1, np.arange(90) // 3) for _ in range(2))
    for p, found in zip((0.5, 0.9), compare_quantiles(old, new, (0.5, 0.9), paired=True), strict=True):
        before, after = quantile(old, p).value, quantile(new, p).value
        assert found.difference.value == after - before
        assert found.ratio.value == after / before
        assert found.difference.low < found.difference.value < found.difference.high


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("p", [0.5, 0.9])
def test_the_interval_of_a_difference_covers_it(paired: bool, p: float) -> None:
    # Lognormal and a fifth longer: the difference of the quantiles is a fifth of exp(s z). 3 s.e. of 150 are 5.3 %.
    spread = math.hypot(1, 0.3)
    truth = 0.2 * math.exp(spread * special.ndtri(p))

    def found(random: np.random.Generator) -> Comparison:
        (old, new), (_, other) = pair(random, 80, change=1.2), pair(random, 80, change=1.2)
        return compare_quantile(old, new if paired else other, p, paired=paired, generator=random)

    holds = shares(found, lambda c: c.difference.low <= truth <= c.difference.high, 150, seed=20)
    assert holds >= 0.95 - 0.053


def test_equal_trials_are_told_apart_as_seldom_as_promised() -> None:
    # Heavy tails (Pareto, 1.5: no variance) and ties (to one decimal): an α of 5 % may be met in 5 % of the cases.
    def found(random: np.random.Generator) -> Comparison:
        fault_rng = random.random(80)
        old, new = (np.round((fault_rng * random.uniform(0.8, 1, 80)) ** (-1 / 1.5), 1) for _ in range(2))
        return compare_quantile(Sample.of(old), Sample.of(new), 0.5, paired=True, generator=random)

    assert shares(found, lambda c: c.p < 0.05, 200, seed=21) <= 0.05 + 0.046  # 3 s.e.


def test_p_and_interval_agree() -> None:
    # The p value is one less the confidence at which the interval reaches 0: below 5 %, the 95 % interval excludes it.
    random = np.random.default_rng(22)
    for change in (1.0, 1.1, 1.3):
        for _ in range(20):
            found = compare_quantile(*pair(random, 60, change=change), 0.5, paired=True, generator=random)
            excludes = found.difference.low > 0 or found.difference.high < 0
            assert excludes == (found.p < 0.05) or found.p == pytest.approx(0.05, abs=0.002)


def test_what_a_sample_cannot_bound_stays_open() -> None:
    # The largest of 100 is below the 99th percentile with a chance of 0.99**100 = 0.366: no upper end (as quantile()).
    old, new = pair(np.random.default_rng(7), 100)
    large = pair(np.random.default_rng(8), 1000)[0]
    assert compare_quantile(old, new, 0.99, paired=True).difference[1:] == (-math.inf, math.inf)
    assert compare_quantile(old, new, 0.99, paired=True).ratio[1:] == (0, math.inf)
    assert compare_quantile(old, new, 0.99, paired=True).p == 1
    assert compare_quantile(large, new, 0.99, paired=False).difference.high == math.inf
    assert math.isfinite(compare_quantile(large, new, 0.99, paired=False).difference.low)
    assert compare_quantile(new, large, 0.99, paired=False).difference.low == -math.inf


def test_a_quantile_that_censoring_hides_differs_by_an_unknown_amount() -> None:
    # design.md, section 5: unfinished elections are censored, not dropped. The median is beyond what was followed.
    random = np.random.default_rng(9)
    old = Sample.of(random.uniform(1, 2, size=80))
    new = Sample.of(np.full(80, 5.0), np.arange(80) < 60)
    found = compare_quantile(old, new, 0.5, paired=True)
    assert (found.difference.value, found.difference.high, found.ratio.value) == (math.inf, math.inf, math.inf)
    assert found.difference.low >= 3  # What was followed, 5, less the most before, 2.
    hidden = compare_quantile(new, new, 0.5, paired=True)
    assert math.isnan(hidden.difference.value)
    assert hidden.difference[1:] == (-math.inf, math.inf)
    assert hidden.p == 1


def test_without_data_nothing_is_compared() -> None:
    # A statistic without data is not zero.
    some, none = Sample.of([1.0, 2.0]), Sample.of([])
    for found in (compare_quantile(some, none, 0.5, paired=True), compare_mean(none, some, paired=False)):
        assert math.isnan(found.difference.value) and math.isnan(found.p) and found.n == 0
    assert compare_fraction(Tally([0], [0]), Tally([1], [2]), paired=True) == NOTHING_TO_COMPARE
    assert compare_mean(some, Sample.of([1.0, 2.0], [True, False]), paired=True) == NOTHING_TO_COMPARE


# --- Means


def mean_difference(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.asarray(b.mean(axis=axis) - a.mean(axis=axis))


def mean_ratio(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.asarray(b.mean(axis=axis) / a.mean(axis=axis))


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("statistic", [mean_difference, mean_ratio])
def test_means_are_compared_with_nearly_scipys_bca_interval(paired: bool, statistic: Callable[..., np.ndarray]) -> None:
    # DiCiccio and Efron 1992: ABC approximates BCa to second order. scipy.stats.bootstrap is the reference, with a
    # jackknife of its own. Small and skewed on purpose.
    old, new = pair(np.random.default_rng(10), 40, change=1.4)
    if not paired:
        new = Sample.of(new.values[:35])
    for level, name in ((0.95, "ratio"), (0.9, "ratio_90")):
        reference = stats.bootstrap(
            (old.values, new.values),
            statistic,
            paired=paired,
            n_resamples=50_000,
            batch=5_000,
            confidence_level=level,
            rng=np.random.default_rng(11),
        ).confidence_interval
        found = compare_mean(old, new, paired=paired)
        ends = getattr(found, name)[1:] if statistic is mean_ratio else found.difference[1:]
        if statistic is mean_ratio or level == 0.95:
            width = reference.high - reference.low
            assert ends == pytest.approx((reference.low, reference.high), abs=0.04 * width)


def test_a_p_value_is_one_minus_the_confidence_at_which_the_interval_reaches_zero() -> None:
    # By definition of a p value that is found by inverting an interval.
    old, new = pair(np.random.default_rng(12), 25, change=1.15)
    found = compare_mean(old, new, paired=True)
    assert 0.01 < found.p < 0.99
    columns = np.stack([old.values, np.ones(25), new.values, np.ones(25)])
    difference = Abc.of(lambda means: float(means[2] / means[3] - means[0] / means[1]), columns)
    assert difference is not None
    assert min(map(abs, difference.interval(1 - found.p))) == pytest.approx(0, abs=1e-6)


def test_a_difference_beyond_all_doubt_has_a_tiny_p_value() -> None:
    # A bootstrap's p value cannot be below 2 of its resamples; for a family of a thousand comparisons that is too much.
    old, new = pair(np.random.default_rng(14), 400, change=3.0)
    assert compare_mean(old, new, paired=True).p < 1e-6


def test_means_of_trials_with_several_values_are_means_of_values() -> None:
    # A ratio of sums, as in `mean`; a trial without values is drawn and adds nothing.
    old = Sample.of([1, 2, 3, 9], trials=[0, 0, 1, 3])
    new = Sample.of([4, 4, 7], trials=[1, 2, 2])
    found = compare_mean(old, new, paired=True)
    assert found.difference.value == pytest.approx(5 - 3.75)
    assert found.n == 4


def test_means_that_cannot_vary_have_no_width() -> None:
    # Constant on both sides: nothing is resampled into anything else, and the formula would divide by 0.
    found = compare_mean(Sample.of([0.1] * 9), Sample.of([0.3] * 9), paired=True)
    assert found.difference == pytest.approx((0.2, 0.2, 0.2))
    assert found.ratio == pytest.approx((3, 3, 3))
    assert found.p < 0.05
    assert compare_mean(Sample.of([0.1] * 9), Sample.of([0.1] * 9), paired=True).p == 1


def test_a_ratio_to_nothing_does_not_exist() -> None:
    # Before, no trial was ever without a leader; afterwards some were. The difference is known, the ratio is not.
    observed = np.full(30, 10.0)
    found = compare_ratio(Tally(np.zeros(30), observed), Tally(np.arange(30.0), observed), paired=True)
    assert found.difference.value == pytest.approx(1.45)
    assert found.difference.low > 0
    assert found.ratio[1:] == (0, math.inf)


def test_pairs_must_match() -> None:
    # Trial by trial: 2 trials and 3 are no pairs.
    for compare in (compare_ratio, compare_fraction):
        with pytest.raises(ValueError, match="2 trials before and 3 after"):
            compare(Tally([1, 2], [3, 4]), Tally([1, 2, 3], [3, 4, 5]), paired=True)


# --- Fractions


def tally(hits: int, total: int) -> Tally:
    return Tally(np.arange(total) < hits, np.ones(total))


@pytest.mark.parametrize(
    ("after", "before", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_difference_of_fractions_has_newcombes_interval(
    after: tuple[int, int], before: tuple[int, int], low: float, high: float
) -> None:
    # Newcombe 1998, Statistics in Medicine 17:873, Table II, method 10 (hybrid score).
    found = compare_fraction(tally(*before), tally(*after), paired=False).difference
    assert found[1:] == pytest.approx((low, high), abs=5e-5)


def test_fractions_are_those_of_each_alone() -> None:
    found = compare_fraction(tally(20, 80), tally(30, 60), paired=False)
    assert found.difference.value == fraction(30, 60).value - fraction(20, 80).value
    assert found.ratio.value == 2


def test_the_ends_of_a_ratio_are_where_the_interval_of_its_difference_reaches_zero() -> None:
    # Donner and Zou 2012: r is in the interval of the ratio if 0 is in that of new - r old, put together the same way.
    found = compare_fraction(tally(20, 80), tally(30, 60), paired=False).ratio
    old, new = fraction(20, 80), fraction(30, 60)
    for r, sign, a, b in (
        (found.low, 1, new.value - new.low, old.high - old.value),
        (found.high, -1, new.high - new.value, old.value - old.low),
    ):
        assert sign * (new.value - r * old.value) == pytest.approx(math.hypot(a, r * b))


def test_the_interval_of_a_difference_of_fractions_excludes_zero_where_that_of_the_ratio_excludes_one() -> None:
    # Both are of new - r old, at r = 1; and p is the level at which they reach it.
    random = np.random.default_rng(14)
    for _ in range(40):
        old, new = (Tally(random.binomial(3, share, 60), np.full(60, 3)) for share in random.uniform(0.1, 0.4, 2))
        found = compare_fraction(old, new, paired=True)
        difference = found.difference.low > 0 or found.difference.high < 0
        assert difference == (found.ratio.low > 1 or found.ratio.high < 1) == (found.p < 0.05)


def test_what_never_happens_on_one_side_leaves_an_open_ratio() -> None:
    # None of 40 before, 10 of 40 afterwards: more, by Newcombe's interval, and how many times more has no upper bound.
    found = compare_fraction(tally(0, 40), tally(10, 40), paired=False)
    assert found.difference.low > 0
    assert found.ratio.value == found.ratio.high == math.inf
    assert found.ratio.low > 1
    never = compare_fraction(tally(0, 40), tally(0, 40), paired=True)
    assert (never.difference.value, never.p) == (0, 1)
    assert never.difference.low < 0 < never.difference.high
    assert never.ratio[1:] == (0, math.inf)


def test_pairs_that_agree_tell_more_of_a_difference() -> None:
    # 20 of 100 hit before, the same 20 and 5 more afterwards. Newcombe 1998, 17:2635: phi narrows the interval.
    together = compare_fraction(tally(20, 100), tally(25, 100), paired=True).difference
    apart = compare_fraction(tally(20, 100), tally(25, 100), paired=False).difference
    assert together.low > 0 > apart.low


def test_each_trial_weighs_in_the_correlation_as_much_as_its_attempts() -> None:
    """Issue 12, C7: "weights in the correlation of shares" survived mutation.

    The errors of two proportions are those of ratios of sums, so their correlation is that of the influences of the
    trials, which the jackknife finds without any formula for weights (Efron and Stein 1981). Newcombe (1998, 17:2635)
    puts the two intervals together by this correlation. Trials differ in size by a factor of 40.
    """
    random = np.random.default_rng(21)
    attempts = random.integers(1, 41, size=(2, 400)).astype(np.float64)
    tendency = random.normal(size=400) * 0.8
    successes = np.stack([random.binomial(n.astype(int), special.ndtr(tendency - 0.5)) for n in attempts]).astype(float)

    influence = []
    for side in range(2):
        rest = successes[side].sum() - successes[side], attempts[side].sum() - attempts[side]
        influence.append(rest[0] / rest[1])
    correlation = np.corrcoef(influence)[0, 1]
    assert correlation > 0.2

    old, new = (fraction_by_trial(successes[side], attempts[side]) for side in range(2))
    down, up = new.value - new.low, old.high - old.value
    expected = new.value - old.value - math.sqrt(down**2 - 2 * correlation * down * up + up**2)
    found = compare_fraction(*(Tally(successes[side], attempts[side]) for side in range(2)), paired=True)
    assert found.difference.low == pytest.approx(expected, abs=0.01 * up)


def test_proportions_that_no_interval_brings_together_have_a_p_value_of_0() -> None:
    """Issue 12, C7: "give-up at the bound" survived mutation.

    All of 10 000 against none: the interval of the difference reaches 0 only beyond 38 standard errors. The normal
    tail is no floating-point number there (2 Φ(-38) < 1e-315), so the search for the level ends and p is 0. Of 100
    against none, p is tiny and not 0.
    """
    for before, after in ((0, 10_000), (10_000, 0)):
        assert compare_fraction(tally(before, 10_000), tally(after, 10_000), paired=False).p == 0
    assert 0 < compare_fraction(tally(0, 100), tally(100, 100), paired=False).p < 1e-9


@pytest.mark.parametrize("paired", [True, False])
def test_the_interval_of_a_difference_of_fractions_covers_it(paired: bool) -> None:
    # Three tries per trial that hang together, pairs that share their luck; 10 % before, 15 % after. 3 s.e.: 2.1 %.
    def found(random: np.random.Generator) -> Comparison:
        fault_rng = special.ndtr(random.normal(size=(2, 100, 1)) + 0.5 * random.normal(size=(2, 100, 3)))
        bounds = [special.ndtr(math.hypot(1, 0.5) * special.ndtri(p)) for p in (0.1, 0.15)]
        old, new = ((fault_rng[0 if paired else side] < bounds[side]).sum(axis=1) for side in range(2))
        return compare_fraction(Tally(old, np.full(100, 3)), Tally(new, np.full(100, 3)), paired=paired)

    holds = shares(found, lambda c: c.difference.low <= 0.05 <= c.difference.high, 1000, seed=23)
    assert holds >= 0.95 - 0.021


def test_an_estimate_is_a_function_of_its_data() -> None:
    # Common seed for all, none global, as for a single sample.
    old, new = pair(np.random.default_rng(15), 50)
    found = compare_quantile(old, new, 0.5, paired=True)
    assert isinstance(found.difference, Estimate)
    assert found == compare_quantile(old, new, 0.5, paired=True)
    assert compare_mean(old, new, paired=False) == compare_mean(old, new, paired=False)
