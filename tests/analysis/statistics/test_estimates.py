"""Estimates against published figures, closed forms and scipy, and the coverage that their intervals promise."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from simulator.analysis.statistics import survival
from simulator.analysis.statistics.estimates import (
    Estimate,
    Sample,
    fraction,
    fraction_by_trial,
    mean,
    quantile,
    quantiles,
    rate,
    ratio,
)

# Weeks of remission under 6-mercaptopurine (Freireich et al. 1963, Blood 21:699), a + marking censoring; the usual
# worked example of the Kaplan–Meier estimate.
REMISSION = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"


def remission() -> Sample:
    weeks = REMISSION.split()
    return Sample.of([float(week.rstrip("+")) for week in weeks], [week.endswith("+") for week in weeks])


def contains(estimate: Estimate, truth: float) -> bool:
    return estimate.low <= truth <= estimate.high


def coverage(interval: Callable[[np.random.Generator], Estimate], truth: float, times: int, seed: int) -> float:
    generator = np.random.default_rng(seed)
    return sum(contains(interval(generator), truth) for _ in range(times)) / times


# --- Quantiles: values


@pytest.mark.parametrize(
    ("p", "expected"),
    [(0.05, 1), (0.07, 1), (0.1, 1), (0.1001, 2), (0.5, 5), (0.51, 6), (0.7, 7), (0.9, 9), (0.95, 10), (0.99, 10)],
)
def test_a_quantile_is_the_inverse_ecdf(p: float, expected: float) -> None:
    # Hyndman and Fan 1996, type 1: the least x with F(x) >= p; F is k/10 on [k, k + 1).
    assert quantile(Sample.of(np.arange(1.0, 11.0)), p).value == expected


@pytest.mark.parametrize("n", [7, 100, 1000])
def test_floating_point_never_moves_a_quantile_at_k_over_n(n: int) -> None:
    # 100 * 0.07 is 7.000000000000001 and a product of fractions rounds, too: F(x) = k/n must still count as p = k/n.
    values = np.arange(1.0, n + 1)
    late_censoring = Sample.of(np.append(values, n + 0.5), np.arange(n + 1) == n)
    for k in range(1, n, max(1, n // 100)):
        assert quantile(Sample.of(values), k / n).value == k
        assert quantile(late_censoring, k / (n + 1)).value == k


@given(st.lists(st.integers(0, 20), min_size=1, max_size=40), st.integers(1, 99))
@settings(max_examples=200, deadline=None)
def test_quantiles_agree_with_numpys_inverted_cdf(values: list[int], percent: int) -> None:
    # numpy's `inverted_cdf` is the same type 1; it lacks the guard against rounding, so p is never k/n here.
    p = percent / 100 + 1e-4
    assert quantile(Sample.of(values), p).value == np.quantile(np.array(values, float), p, method="inverted_cdf")


@given(st.lists(st.integers(0, 20), min_size=1, max_size=30), st.floats(0.01, 0.99))
@settings(max_examples=100, deadline=None)
def test_values_censored_after_all_others_change_no_quantile_that_is_reached(values: list[int], p: float) -> None:
    # design.md, section 5: "censored or not, so that both agree". Who is censored last might as well last for ever.
    late = Sample.of([*values, 100, 101], [False] * len(values) + [True] * 2)
    ages = Sample.of([*values, 1e9, 1e9])
    assert quantile(late, p).value == (quantile(ages, p).value if quantile(ages, p).value < 1e9 else math.inf)


def test_the_kaplan_meier_curve_is_the_published_one() -> None:
    # SAS, PROC LIFETEST, and every textbook: survival 0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482.
    curve = survival.ecdf(remission())
    at = np.searchsorted(curve.times, [6, 7, 10, 13, 16, 22, 23])
    expected = [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    assert 1 - curve.probabilities[at] == pytest.approx(expected, abs=5e-5)


def test_the_median_remission_is_23_weeks_and_its_interval_is_that_of_brookmeyer_and_crowley() -> None:
    # By hand from the published survival and Greenwood errors, |log(-log S) - log(-log 0.5)| S |log S| / error:
    # week 10 (0.7529, 0.0963): 1.98 > 1.96, week 13 (0.6902, 0.1068): 1.50, week 23 (0.4482, 0.1346): 0.39; the last.
    assert quantile(remission(), 0.5) == Estimate(23, 13, math.inf)


def test_a_quantile_that_censoring_hides_is_infinite_and_at_least_what_was_followed() -> None:
    # 35 weeks is the longest that anybody was followed, and even then survival is 0.448, its band 0.188 at least.
    assert quantile(remission(), 0.9) == Estimate(math.inf, 35, math.inf)


def test_a_sample_by_trial_keeps_the_numbers_of_its_trials() -> None:
    # What never ended outlasts all that did, so that the quantiles are those of the infinite values themselves.
    found = Sample.by_trial([3, math.inf, math.nan, 1, 2])
    assert found.trials.tolist() == [0, 1, 3, 4]
    assert [quantile(found, p).value for p in (0.25, 0.5, 0.75, 0.76)] == [1, 2, 3, math.inf]
    assert quantile(Sample.by_trial([math.inf] * 3), 0.5).value == math.inf


# --- Quantiles: intervals


@pytest.mark.parametrize(
    ("n", "ranks"), [(6, (1, 6)), (9, (2, 8)), (10, (2, 9)), (12, (3, 10)), (15, (4, 12)), (17, (5, 13)), (20, (6, 15))]
)
def test_the_interval_of_a_median_has_the_tabulated_ranks(n: int, ranks: tuple[int, int]) -> None:
    # The usual table of confidence intervals for the population median: the shortest symmetric one of 95 % or more.
    assert quantile(Sample.of(np.arange(1.0, n + 1)), 0.5)[1:] == ranks


@pytest.mark.parametrize(("n", "p"), [(40, 0.5), (200, 0.95), (1000, 0.99), (1000, 0.1)])
def test_the_ranks_are_the_tightest_that_miss_by_chance_2_5_percent_at_most(n: int, p: float) -> None:
    # P(X_(l) > quantile) = P(B <= l - 1) and P(X_(u) < quantile) = P(B >= u), B binomial (n, p), summed here in full.
    mass = np.array([math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)])
    estimate = quantile(Sample.of(np.arange(1.0, n + 1)), p)
    lower, upper = int(estimate.low), int(estimate.high)
    assert mass[:lower].sum() <= 0.025 < mass[: lower + 1].sum()
    assert mass[upper:].sum() <= 0.025 < mass[upper - 1 :].sum()


def test_an_end_that_no_order_statistic_bounds_is_open() -> None:
    # The largest of 100 is below the 99th percentile with probability 0.99**100 = 0.366, far more than 2.5 %.
    assert quantile(Sample.of(np.arange(1.0, 101)), 0.99).high == math.inf
    # The chance that 5 values all lie on one side of the median is 2**-5 = 3.1 %: not even that interval is bounded.
    assert quantile(Sample.of(np.arange(1.0, 6)), 0.5) == Estimate(3, -math.inf, math.inf)


@pytest.mark.parametrize("censored", [False, True])
@pytest.mark.parametrize("trials", [None, [0, 0, 1, 1]])
def test_a_handful_of_values_bounds_nothing(censored: bool, trials: list[int] | None) -> None:
    # As above with 2**-4: neither a band nor a bootstrap may invent bounds that order statistics do not have.
    sample = Sample.of([1, 2, 3, 4], [censored, False, False, False], trials)
    assert quantile(sample, 0.5)[1:] == (-math.inf, math.inf)


@pytest.mark.parametrize("p", [0.5, 0.95])
def test_the_order_statistic_interval_covers_the_true_quantile(p: float) -> None:
    # Exact for continuous distributions, whatever their shape: at least 95 %; 1500 samples put 3 s.e. at 1.7 %.
    truth = -math.log(1 - p)
    found = coverage(lambda random: quantile(Sample.of(random.exponential(size=80)), p), truth, 1500, seed=11)
    assert found >= 0.95 - 0.017


def test_the_censored_interval_covers_the_true_quantile() -> None:
    # Exponential, censored by another of mean 2 (a third of the values). With those dropped: 52 %.
    def interval(random: np.random.Generator) -> Estimate:
        lasts, followed = random.exponential(size=80), random.exponential(2, size=80)
        return quantile(Sample.of(np.minimum(lasts, followed), followed < lasts), 0.5)

    assert coverage(interval, math.log(2), 600, seed=12) == pytest.approx(0.95, abs=0.03)


def test_the_interval_of_values_that_hang_together_covers_the_true_median() -> None:
    # 5 values per trial share most of their luck. As if independent, 200 values would cover in 69 % only.
    def interval(random: np.random.Generator) -> Estimate:
        values = random.normal(size=(40, 1)) + 0.3 * random.normal(size=(40, 5))
        return quantile(Sample.of(values.ravel(), trials=np.repeat(np.arange(40), 5)), 0.5)

    assert coverage(interval, 0.0, 150, seed=13) >= 0.95 - 0.055  # 3 s.e.


def test_one_trial_says_nothing_of_the_chance_between_trials() -> None:
    # design.md, section 5: "where a trial holds several elections, the trial is the unit that is resampled".
    alone = Sample.of([1, 2, 3], trials=[7, 7, 7])
    assert quantile(alone, 0.5) == Estimate(2, -math.inf, math.inf)
    assert mean(alone) == Estimate(2, -math.inf, math.inf)


def test_an_interval_is_a_function_of_its_sample() -> None:
    # No random number is drawn: a run's summary must be the same to the byte.
    sample = Sample.of(np.random.default_rng(3).exponential(size=300), trials=np.arange(300) // 3)
    assert quantiles(sample, (0.5, 0.9)) == [quantile(sample, 0.5), quantile(sample, 0.9)]
    assert mean(sample) == mean(sample)


# --- Curves


@pytest.mark.parametrize("p", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("sample", [Sample.of(np.random.default_rng(4).exponential(size=60)), remission()])
def test_the_band_of_a_curve_inverts_to_the_intervals_of_its_quantiles(sample: Sample, p: float) -> None:
    # What figure and table show of one sample must agree: x is in the interval where the band at x holds p.
    curve, estimate = survival.ecdf(sample), quantile(sample, p)
    if math.isfinite(estimate.high):
        assert estimate.high == curve.band_times[np.argmax(curve.low >= p)]
    else:
        assert not (curve.low >= p).any()
    if math.isfinite(estimate.low) and (curve.high >= p).any():
        assert estimate.low == curve.band_times[np.argmax(curve.high >= p)]


def test_the_uncensored_band_is_that_of_clopper_and_pearson() -> None:
    # Clopper and Pearson (1934), the exact interval of k of n; scipy's own implementation is the reference.
    curve = survival.ecdf(Sample.of(np.arange(1.0, 21)))
    for k in (1, 7, 20):
        exact = stats.binomtest(k, 20).proportion_ci(0.95, "exact")
        assert (curve.low[k - 1], curve.high[k - 1]) == pytest.approx((exact.low, exact.high))


def test_a_censored_band_is_defined_from_end_to_end() -> None:
    # Greenwood's formula is 0/0 where nothing is over, and where all is. Of n that all last, at worst 0.025**(1/n) do
    # (exact: share**n = 2.5 %); once all are over, the last bound before remains the best.
    weeks = Sample.of([1, 2, 3, 4, 5], [True, False, False, True, False])
    curve = survival.ecdf(weeks)
    assert (curve.probabilities[-1], curve.high[-1], curve.low[-1]) == (1, 1, curve.low[-2])
    assert curve.high[0] == pytest.approx(1 - 0.025 ** (1 / 5))
    assert survival.ecdf(Sample.of([1, 2], [True, True])).high == pytest.approx(1 - 0.025 ** np.array([1 / 2, 1]))


def test_a_band_over_trials_holds_its_curve_and_ends_where_it_ends() -> None:
    # Thinned to 200 points, it must still span all of the curve. At the last value all is over: if 300 trials agree,
    # 0.025 ** (1 / 300) may be the true share (Clopper and Pearson 1934).
    random = np.random.default_rng(5)
    curve = survival.ecdf(Sample.of(random.exponential(size=900), trials=np.arange(900) // 3))
    at = np.searchsorted(curve.times, curve.band_times)
    assert len(curve.band_times) == 200
    assert (curve.low <= curve.probabilities[at]).all()
    assert (curve.probabilities[at] <= curve.high).all()
    assert (curve.band_times[-1], curve.high[-1]) == (curve.times[-1], 1)
    assert curve.low[-1] == pytest.approx(0.025 ** (1 / 300))


# --- Means


@pytest.mark.parametrize("n", [15, 200])
def test_the_mean_has_nearly_scipys_bca_interval(n: int) -> None:
    # DiCiccio and Efron 1992: ABC approximates BCa to second order. scipy.stats.bootstrap is the reference, with enough
    # resamples to have a small error of its own. The small sample is skewed, so that both corrections matter: without
    # them, the upper end would be lower by 16 % of the width.
    values = np.random.default_rng(6).lognormal(sigma=1.5, size=n)
    reference = stats.bootstrap((values,), np.mean, n_resamples=100_000, batch=5_000, rng=np.random.default_rng(7))
    low, high = reference.confidence_interval
    width = high - low
    assert mean(Sample.of(values)) == pytest.approx(
        (values.mean(), low, high), abs=(0.05 if n == 15 else 0.015) * width
    )


def test_a_mean_over_trials_has_nearly_scipys_bca_interval_of_a_ratio() -> None:
    # As above, with 1 to 6 values per trial that share their trial's level: the trial is the unit.
    random = np.random.default_rng(8)
    trials = np.repeat(np.arange(60), random.integers(1, 7, size=60))
    values = random.lognormal(size=60)[trials] + random.random(trials.size)
    low, high = stats.bootstrap(
        (np.bincount(trials, weights=values), np.bincount(trials)),
        lambda sums, counts, axis=-1: sums.sum(axis=axis) / counts.sum(axis=axis),
        paired=True,
        n_resamples=100_000,
        batch=5_000,
        rng=np.random.default_rng(9),
    ).confidence_interval
    assert mean(Sample.of(values, trials=trials)) == pytest.approx((values.mean(), low, high), abs=0.02 * (high - low))


def test_a_ratio_never_leaves_the_range_of_its_trials() -> None:
    # The ratio of weighted sums lies between the least and the greatest ratio of a trial. One trial of 40 had an
    # incident: the formula alone would go below 0, which no bootstrap does.
    found = ratio(np.arange(40) == 7, np.ones(40))
    assert found.low == 0
    assert 0.07 < found.high < 0.2


def test_the_interval_of_a_skewed_mean_covers_it() -> None:
    # Efron 1987: BCa is second-order accurate, not exact; 40 exponential values are few and skewed. 3 s.e. are 3 %.
    found = coverage(lambda random: mean(Sample.of(random.exponential(size=40))), 1.0, 500, seed=14)
    assert found == pytest.approx(0.95, abs=0.03)


def test_constant_values_have_a_constant_mean() -> None:
    # Nothing varies, and the formula divides by the spread: no warning (they are errors here), no nan.
    assert mean(Sample.of([0.1] * 10, trials=[0, 0, 0, 1, 1, 2, 2, 2, 2, 3])) == pytest.approx((0.1, 0.1, 0.1))
    assert mean(Sample.of(np.zeros(5))) == Estimate(0, 0, 0)


def test_tiny_values_lose_no_precision() -> None:
    # The acceleration has cubes of the spread: nanoseconds to the third must not vanish. An interval scales.
    values = np.random.default_rng(10).exponential(size=50)
    assert np.array(mean(Sample.of(values * 1e-120))) * 1e120 == pytest.approx(np.array(mean(Sample.of(values))))


def test_a_mean_of_censored_values_is_not_known() -> None:
    # design.md, section 5: right-censored values are never dropped; a mean would have to.
    assert all(map(math.isnan, mean(remission())))


def test_a_ratio_leaves_out_trials_without_exposure() -> None:
    # A trial that never had a leader was not observed (NaN), and cannot count as one that was always available.
    assert ratio([1, 5, 2, 7], [2, math.nan, 4, 0]) == Estimate(0.5, 0.5, 0.5)


# --- Fractions and rates


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_the_published_one(hits: int, total: int, low: float, high: float) -> None:
    # Newcombe 1998, Statistics in Medicine 17:857, Table I, method 3.
    estimate = fraction(hits, total)
    assert estimate.value == hits / total
    assert estimate[1:] == pytest.approx((low, high), abs=5e-5)
    exact = stats.binomtest(hits, total).proportion_ci(0.95, "wilson")
    assert estimate[1:] == pytest.approx((exact.low, exact.high))


def test_a_fraction_of_single_tries_is_wilsons() -> None:
    # With one try per trial (or none), trials and tries are the same.
    assert fraction_by_trial([1, 0, 0, 1, 0], [1, 1, 0, 1, 1]) == fraction(2, 4)


def test_tries_that_always_agree_count_as_one_per_trial() -> None:
    # All 10 tries of a trial hit or none does: the design effect is 10, so 40 trials tell what 40 tries would.
    estimate = fraction_by_trial([10] * 10 + [0] * 30, [10] * 40)
    z2 = special.ndtri(0.975) ** 2
    n = 40 * (39 / 40) * z2 / stats.t.ppf(0.975, 39) ** 2  # Less Korn and Graubard's allowance, as by its formula.
    expected = (0.25 + z2 / (2 * n) + math.sqrt(z2 * (0.25 * 0.75 / n + z2 / (4 * n**2)))) / (1 + z2 / n)
    assert estimate.high == pytest.approx(expected)


@pytest.mark.parametrize("hits", [0, 10])
def test_no_hits_at_all_still_leave_an_interval(hits: int) -> None:
    # Nothing shows whether hits come in whole trials: then 20 trials of 10 tries exclude what 20 tries would.
    expected = fraction(2 * hits, 20)
    assert fraction_by_trial([hits] * 20, [10] * 20) == expected
    assert expected.low < expected.high


def test_the_fraction_of_tries_that_hang_together_is_covered() -> None:
    # Beta-binomial, 8 tries per trial, correlation 1/3; as if independent, Wilson's interval would cover in 74 %.
    def interval(random: np.random.Generator) -> Estimate:
        return fraction_by_trial(random.binomial(8, random.beta(0.4, 1.6, size=60)), np.full(60, 8))

    assert coverage(interval, 0.2, 1000, seed=15) >= 0.95 - 0.021  # 3 s.e.


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.390), (20, 12.217, 30.889)]
)
def test_the_interval_of_a_rate_is_garwoods(count: int, low: float, high: float) -> None:
    # Garwood 1936, Biometrika 28:437; the values as tabulated ever since.
    assert rate(count, 2.0) == pytest.approx((count / 2, low / 2, high / 2), abs=5e-4)


# --- No data, bad data


def test_no_data_are_nan() -> None:
    # design.md, section 5: a statistic without data is not zero.
    empty = Sample.of([])
    for estimate in (quantile(empty, 0.5), mean(empty), fraction(0, 0), fraction_by_trial([0], [0]), rate(0, 0)):
        assert all(map(math.isnan, estimate))


def test_bad_data_are_refused() -> None:
    # A NaN for an unfinished duration would silently sort last, and a probability of 95 means 0.95.
    with pytest.raises(ValueError, match="followed"):
        Sample.of([1, math.nan])
    with pytest.raises(ValueError, match="same length"):
        Sample.of([1, 2], [True])
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile(Sample.of([1.0]), 95)
