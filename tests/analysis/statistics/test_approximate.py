"""Approximate bootstrap confidence intervals, against published ones."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.analysis.statistics.approximate import Abc
from simulator.analysis.statistics.bootstrap import FloatArray

# Efron and Tibshirani, An Introduction to the Bootstrap (1993), Table 14.1: measurement A of the spatial test data.
SPATIAL_A = [48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6, 0, 33, 28, 34, 4, 32, 24, 47, 41, 24, 26, 30, 41]


def variance(means: FloatArray) -> float:
    """From the means of the values and of their squares."""
    return float(means[1] - means[0] ** 2)


def spatial() -> FloatArray:
    values = np.array(SPATIAL_A, dtype=np.float64)
    return np.stack([values, values**2])


def test_the_interval_of_a_variance_is_the_published_one() -> None:
    # Efron and Tibshirani 1993, Table 14.2: the 90 % ABC interval of the variance of A is 116.7 to 260.9. The standard
    # interval is 118.4 to 224.2, so that acceleration and bias are large here.
    found = Abc.of(variance, spatial())
    assert found is not None
    assert found.value == pytest.approx(171.5, abs=0.05)
    assert found.interval(0.9) == pytest.approx((116.7, 260.9), abs=0.1)


def test_an_interval_follows_the_unit_of_its_data() -> None:
    # Derivatives are differences; their step must follow the data, or nanoseconds would differ from seconds.
    scale = np.array([[1e-9], [1e-18]])
    found, tiny = Abc.of(variance, spatial()), Abc.of(variance, spatial() * scale)
    assert found is not None
    assert tiny is not None
    assert np.array(tiny.interval()) * 1e18 == pytest.approx(np.array(found.interval()))


def test_independent_samples_add_their_variances() -> None:
    # The difference of means of two independent samples: its standard error is the root of the sum of both squares.
    random = np.random.default_rng(1)
    old, new = random.normal(size=(1, 4000)), random.normal(size=(1, 1000))
    found = Abc.of(lambda means: float(means[1] - means[0]), old, new)
    assert found is not None
    low, high = found.interval()
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(old.var() / 4000 + new.var() / 1000), rel=0.01)


def test_what_does_not_vary_has_no_distribution() -> None:
    # The formula divides by the spread.
    assert Abc.of(variance, np.full((2, 10), 0.1)) is None
