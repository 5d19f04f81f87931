"""The incidence over trials: its variance is a derivative, and its interval that of so many independent attempts."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.analysis.statistics.estimates import Sample, quantile
from simulator.analysis.statistics.jackknife import CENSORED, EVENT, IncidenceByTrial


def aalen_johansen(values: np.ndarray, ended: np.ndarray, weights: np.ndarray, until: float) -> float:
    """The textbook's estimate, instant by instant, with that many of each duration."""
    going_on, reached = 1.0, 0.0
    for instant in np.unique(values[values <= until]):
        at_risk = weights[values >= instant].sum()
        here = values == instant
        reached += going_on * weights[here & (ended == EVENT)].sum() / at_risk
        going_on *= 1 - weights[here & (ended != CENSORED)].sum() / at_risk
    return reached


@pytest.mark.parametrize("number", [6, 12, 18])
def test_the_variance_is_that_of_the_infinitesimal_jackknife(number: int) -> None:
    # Jaeckel 1972, Efron 1982: the squared derivatives by the weights of the trials, summed. Here by differences of the
    # textbook's formula, in which a trial's durations get a little more weight together. No two instants are equal.
    random = np.random.default_rng(1)
    values, ended, trials = random.permutation(np.arange(1.0, 21)), random.integers(0, 3, 20), random.integers(0, 7, 20)
    names, step = np.unique(trials), 1e-5
    until = float(np.sort(values)[number])
    slopes = [
        (
            aalen_johansen(values, ended, 1 + step * (trials == name), until)
            - aalen_johansen(values, ended, 1 - step * (trials == name), until)
        )
        / (2 * step)
        for name in names
    ]
    variance = sum(slope**2 for slope in slopes) * names.size / (names.size - 1)
    found = IncidenceByTrial(values, ended, trials)
    share, attempts = found.at(number)
    assert share == pytest.approx(aalen_johansen(values, ended, np.ones(20), until))
    few_trials = (2.4469 / 1.9600) ** 2  # The 97.5 % points of Student's t, with 6 degrees of freedom, and the normal.
    assert attempts == pytest.approx(min(20, share * (1 - share) / variance) / few_trials, rel=1e-3)


def test_single_values_have_nearly_the_exact_interval() -> None:
    # With one value a trial, the effective number is that of the trials, but for Korn and Graubard's allowance, so the
    # ends are those of the order statistics or their neighbours.
    values = np.random.default_rng(2).exponential(size=400)
    ordered = np.sort(values)
    exact = quantile(Sample.of(values), 0.5)
    low, high = IncidenceByTrial(values, np.full(400, EVENT), np.arange(400)).quantile_interval(0.5)
    assert abs(int(np.searchsorted(ordered, low)) - int(np.searchsorted(ordered, exact.low))) <= 1
    assert abs(int(np.searchsorted(ordered, high)) - int(np.searchsorted(ordered, exact.high))) <= 1


def test_copies_of_a_value_add_nothing() -> None:
    # Three equal values a trial say what one says: the design effect is 3 (Kish 1965).
    values = np.random.default_rng(3).exponential(size=150)
    once = IncidenceByTrial(values, np.full(150, EVENT), np.arange(150))
    thrice = IncidenceByTrial(np.repeat(values, 3), np.full(450, EVENT), np.repeat(np.arange(150), 3))
    assert thrice.at(60).effective_attempts == pytest.approx(once.at(60).effective_attempts, rel=0.01)
    assert thrice.quantile_interval(0.5) == once.quantile_interval(0.5)


def test_what_nobody_has_reached_has_an_upper_end() -> None:
    # Nothing shows how values of one trial correlate, so that each of 10 trials counts once: 1 - 0.025 ** (1 / 10).
    found = IncidenceByTrial(np.arange(1.0, 31), np.full(30, EVENT), np.arange(30) // 3)
    assert found.nothing_reached().interval() == pytest.approx((0, 1 - 0.025**0.1))
