"""The exact test of paired differences, against Fisher's own example, counting, and the coin."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simulator.analysis.statistics.sign_flips import sign_flip_test

# Heights of crossed less self-fertilised maize, in eighths of an inch (Darwin 1876; Fisher 1935, chapter III).
MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]


def test_darwins_maize_has_the_chance_that_fisher_counted() -> None:
    # Fisher 1935, section 21: of 2**15 = 32 768 sums, 863 are as large as Darwin's, and with both signs 1726: 5.267 %.
    assert sign_flip_test(MAIZE) == pytest.approx(1726 / 32768, abs=1e-12)


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=9))
def test_it_counts_all_signs(differences: list[int]) -> None:
    sums = [
        sum(s * d for s, d in zip(signs, differences, strict=True))
        for signs in product((-1, 1), repeat=len(differences))
    ]
    as_far = sum(abs(found) >= abs(sum(differences)) for found in sums)
    assert sign_flip_test(differences) == pytest.approx(as_far / len(sums), abs=1e-12)


@pytest.mark.parametrize(("ups", "downs"), [(14, 0), (20, 1), (60, 25), (500, 500), (0, 40)])
def test_of_equal_differences_it_is_the_sign_test(ups: int, downs: int) -> None:
    # Then only the number of signs counts, which is binomial; those that are 0 say nothing.
    differences = [3] * ups + [-3] * downs + [0] * 1000
    assert sign_flip_test(differences) == pytest.approx(stats.binomtest(ups, ups + downs).pvalue, rel=1e-6, abs=1e-13)


def test_nothing_differs() -> None:
    assert sign_flip_test([0, 0, 0]) == sign_flip_test([]) == sign_flip_test([1, -1]) == 1.0


def test_large_sums_are_rounded_and_hardly_move() -> None:
    # 400 differences of some 1000 each: the sum of signed ones is normal, with the root of their squares' sum.
    differences = np.random.default_rng(1).normal(150, 1000, 400)
    z = abs(differences.sum()) / np.sqrt((differences**2).sum())
    assert sign_flip_test(differences) == pytest.approx(2 * stats.norm.sf(z), rel=0.1)
    assert sign_flip_test(differences * 1e-6) == pytest.approx(sign_flip_test(differences), rel=1e-9)


def test_what_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        sign_flip_test([1, np.inf])


def test_no_more_false_alarms_than_it_says() -> None:
    # Differences of skewed counts, as of messages: of 2000 tests of nothing, about 1 in 100 is below 0.01; three
    # standard errors are 0.7 in 100.
    generator = np.random.default_rng(2)
    alarms = 0
    for _ in range(2000):
        before, after = generator.geometric(0.3, (2, 50)) * generator.choice([1, 30], (2, 50), p=[0.95, 0.05])
        alarms += sign_flip_test(after - before) <= 0.01
    assert alarms / 2000 <= 0.01 + 0.007
