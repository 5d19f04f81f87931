"""Tests and corrections against published examples, closed forms and brute force, and their rates of error."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.analysis.statistics.estimates import Estimate, Sample
from simulator.analysis.statistics.significance import (
    NO_TEST,
    equivalent,
    holm,
    kolmogorov_smirnov,
    mann_whitney,
    quantile_test,
)

# --- Families


def test_holms_correction_of_the_usual_example() -> None:
    # p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") of R: times 3, 1, 2 and 4, never below one that is more significant.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holms_correction_is_the_closed_test_of_bonferroni(p_values: list[float]) -> None:
    # Marcus, Peritz and Gabriel 1976: reject what every intersection that holds it rejects, by Bonferroni.
    def adjusted(one: int) -> float:
        families = (
            family for size in range(1, len(p_values) + 1) for family in combinations(range(len(p_values)), size)
        )
        return max(min(1.0, len(f) * min(p_values[i] for i in f)) for f in families if one in f)

    assert holm(p_values) == pytest.approx([adjusted(one) for one in range(len(p_values))])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.data())
def test_a_choice_from_a_family_is_corrected_for_the_whole_of_it(p_values: list[float], data: st.DataObject) -> None:
    # Whatever is chosen after a look at the data, no more is rejected than when all are tested.
    chosen = data.draw(st.lists(st.sampled_from(range(len(p_values))), unique=True))
    whole = holm(p_values)
    for number, corrected in zip(chosen, holm([p_values[i] for i in chosen], family=len(p_values)), strict=True):
        assert corrected >= whole[number] - 1e-12


def test_a_test_without_data_is_none_of_the_family() -> None:
    # It can be rejected by nobody, so it costs the others nothing.
    corrected = holm([0.01, math.nan, 0.04])
    assert corrected[::2] == pytest.approx([0.02, 0.04])
    assert math.isnan(corrected[1])


def test_a_family_of_true_hypotheses_is_wrong_as_a_whole_in_5_percent_at_most() -> None:
    # The familywise error, 10 tests at a time. 3 s.e. of 1000 families: 2.1 %.
    random = np.random.default_rng(1)
    wrong = np.mean([min(holm(list(random.random(10)))) < 0.05 for _ in range(1000)])
    assert wrong == pytest.approx(0.05, abs=0.021)


@pytest.mark.parametrize(
    ("low", "high", "equal"), [(0.96, 1.04, True), (0.953, 1.05, True), (0.95, 1.04, False), (0.96, 1.06, False)]
)
def test_equivalence_asks_that_the_interval_lies_inside_the_margin(low: float, high: float, equal: bool) -> None:
    # Schuirmann 1987. The margin of 5 % is 1.05 and, the other way about, 1 / 1.05 = 0.952.
    assert equivalent(Estimate(1, low, high), 0.05) is equal


def test_what_is_unknown_is_not_equivalent() -> None:
    assert not equivalent(Estimate(1, math.nan, math.nan), 0.05)
    assert not equivalent(Estimate(1, 0, math.inf), 0.05)


# --- Two distributions


def test_two_samples_that_do_not_overlap_are_as_unlikely_as_their_order() -> None:
    # Of C(6, 3) = 20 orders of three and three, two are that extreme: p = 0.1, for either test.
    short, long = Sample.of([1, 2, 3]), Sample.of([4, 5, 6])
    assert mann_whitney(short, long) == pytest.approx((1.0, 0.1))
    assert kolmogorov_smirnov(short, long) == pytest.approx((1.0, 0.1))
    assert mann_whitney(long, short).statistic == 0


def test_mann_and_whitneys_statistic_is_the_chance_of_a_longer_value() -> None:
    # By hand: of the pairs (1, 2), (1, 3), (2, 2), (2, 3), three are longer afterwards, and one is a tie.
    assert mann_whitney(Sample.of([1, 2]), Sample.of([2, 3])).statistic == 3.5 / 4


def test_the_exact_distance_of_kolmogorov_and_smirnov() -> None:
    # Gnedenko and Korolyuk 1951, n and n values: P(D >= k/n) = 2 (C(2n, n - k) - C(2n, n - 2k) + …) / C(2n, n).
    n, k = 20, 8
    found = kolmogorov_smirnov(Sample.of(np.arange(n)), Sample.of(np.arange(n) + k - 0.5))
    terms = (2 * (-1) ** (j - 1) * math.comb(2 * n, n - j * k) for j in range(1, n // k + 1))
    assert found == pytest.approx((k / n, sum(terms) / math.comb(2 * n, n)))


def test_what_was_never_over_is_longer_than_all_that_was() -> None:
    # design.md, section 5: censored, never dropped.
    ended, unfinished = Sample.of([1, 2, 3]), Sample.of([0.5, 0.5, 0.5], [True] * 3)
    assert mann_whitney(ended, unfinished).statistic == 1
    assert kolmogorov_smirnov(ended, unfinished).statistic == 1


def test_values_of_one_trial_are_no_evidence_by_number() -> None:
    # The trial is the unit: saying everything ten times over is no reason to believe it.
    old, new = Sample.of([1, 2, 3]), Sample.of([4, 5, 6])
    many_old, many_new = (Sample.of(np.repeat(one.values, 10), trials=np.repeat(one.trials, 10)) for one in (old, new))
    for test in (mann_whitney, kolmogorov_smirnov):
        assert test(many_old, many_new) == test(old, new)
    assert quantile_test(many_old, many_new, 0.5, paired=True) == quantile_test(old, new, 0.5, paired=True)


def test_equal_values_do_not_differ() -> None:
    # All ties: ranks have no variance, and no warning may escape (warnings are errors here).
    same = Sample.of([0.2] * 10)
    for found in (
        mann_whitney(same, same),
        kolmogorov_smirnov(same, same),
        quantile_test(same, same, 0.5, paired=True),
    ):
        assert found.p == 1


# --- A quantile


def test_a_quantile_of_pairs_is_tested_by_a_fair_coin() -> None:
    # McNemar: of 8 pairs, those where both or none exceed the pooled median tell nothing. The others: 6 of 6 upwards;
    # P(6 or 0 heads of 6) = 2 / 64.
    old = Sample.of([1, 2, 3, 4, 5, 6, 1, 20])
    new = Sample.of([11, 12, 13, 14, 15, 16, 2, 22])
    assert quantile_test(old, new, 0.5, paired=True) == pytest.approx((6 / 8, 2 / 64))


def test_the_median_of_independent_samples_is_tested_as_tea_is() -> None:
    # Fisher 1935, the lady tasting tea: 3 of 4 right, and p = 34/70, two-sided.
    old, new = Sample.of([1, 2, 3, 8]), Sample.of([4, 5, 6, 7])
    assert quantile_test(old, new, 0.5, paired=False) == pytest.approx((0.5, 34 / 70))


def test_unfinished_elections_count_as_beyond_every_quantile() -> None:
    # A p99 among those that never ended: 10 of 100 before, all of another 100 after, all of whose quantiles are hidden.
    old = Sample.of(np.ones(100), np.arange(100) < 10)
    new = Sample.of(np.ones(100), np.ones(100, dtype=bool))
    found = quantile_test(old, new, 0.99, paired=True)
    assert (found.statistic, found.p) == pytest.approx((0.9, 2 / 2**90))


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("p", [0.5, 0.95])
def test_an_unmoved_quantile_is_called_moved_in_5_percent_at_most(paired: bool, p: float) -> None:
    # Exact tests keep their promise whatever the distribution: Pareto (1.1: hardly a mean), rounded into ties.
    random = np.random.default_rng(2)

    def samples() -> tuple[Sample, Sample]:
        fault_rng = random.random((1 if paired else 2, 150)) * random.uniform(0.5, 1, (2, 150))
        old, new = np.round(fault_rng ** (-1 / 1.1), 1)
        return Sample.of(old), Sample.of(new)

    wrong = np.mean([quantile_test(*samples(), p, paired=paired).p < 0.05 for _ in range(1000)])
    assert wrong <= 0.05 + 0.021  # 3 s.e.


def test_a_moved_quantile_is_found_and_pairs_find_it_sooner() -> None:
    # The reason to test in pairs: 20 % more, of values that share most of their luck.
    random = np.random.default_rng(3)
    fault_rng = random.normal(size=200)
    old, new = (Sample.of(np.exp(fault_rng + 0.1 * random.normal(size=200)) * change) for change in (1, 1.2))
    assert quantile_test(old, new, 0.5, paired=True).p < 0.001
    assert quantile_test(old, new, 0.5, paired=False).p > 0.05


def test_without_data_nothing_is_tested() -> None:
    some, none = Sample.of([1.0]), Sample.of([])
    for found in (
        mann_whitney(some, none),
        kolmogorov_smirnov(none, some),
        quantile_test(some, none, 0.5, paired=True),
    ):
        assert math.isnan(found.p) and math.isnan(found.statistic)
    assert math.isnan(NO_TEST.p)
    apart = quantile_test(some, Sample.of([1.0], trials=[1]), 0.5, paired=True)
    assert (math.isnan(apart.statistic), apart.p) == (True, 1.0)
