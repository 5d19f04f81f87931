"""The Aalen–Johansen estimate, worked by hand, against lifelines, a closed form and the empirical share.

"Beside it stand the share that recovered and the Aalen–Johansen cumulative incidence (`metrics.failover_incidence`, a
row and a curve), tested on a case worked by hand" (issue 13, "Recovered elections").
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from simulator.analysis.records.incidence import INCIDENCE, failover_incidence
from simulator.analysis.statistics.estimates import fraction, quantiles
from simulator.analysis.statistics.incidence import (
    CENSORED,
    COMPETING,
    EVENT,
    CompetingSample,
    incidence,
    incidence_by_end,
    incidence_curve,
    incidence_quantiles,
)
from simulator.analysis.statistics.survival import Sample
from simulator.analysis.tables import RunTables


def sample(values: list[float], ended: list[int], trials: list[int] | None = None) -> CompetingSample:
    numbers = np.arange(len(values)) if trials is None else np.array(trials)
    return CompetingSample(np.array(values, dtype=float), np.array(ended), numbers)


HAND = sample([1, 2, 3, 4, 5, 6], [EVENT, COMPETING, CENSORED, EVENT, CENSORED, EVENT])


def test_a_case_worked_by_hand() -> None:
    """Six losses. At 1 s one of six ends by a claim: 1/6. At 2 s one of five recovers: 4/6 go on. At 3 s one is
    censored. At 4 s one of three claims: 1/6 + 4/6 · 1/3 = 7/18, and 4/9 go on. At 5 s one is censored. At 6 s the last
    one claims: 7/18 + 4/9 = 5/6.
    """
    times, reached = incidence(HAND)
    assert times.tolist() == [1, 2, 3, 4, 5, 6]
    assert reached == pytest.approx([1 / 6, 1 / 6, 1 / 6, 7 / 18, 7 / 18, 5 / 6])
    assert incidence(HAND.swapped())[1] == pytest.approx([0, 1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6])
    assert [found.value for found in incidence_quantiles(HAND, [0.1, 7 / 18, 0.5, 0.95])] == [1, 4, 6, math.inf]
    assert incidence_by_end(HAND).value == pytest.approx(5 / 6)


def test_the_order_of_what_ends_at_one_instant_does_not_matter() -> None:
    """d1/n and d2/n of the same number at risk, and the censored are at risk then (Aalen and Johansen 1978). At 1 s one
    of five claims, and one recovers: 1/5 each. At 2 s one of the two left: 1/5 + 3/5 · 1/2.
    """
    for ended in ([EVENT, COMPETING, CENSORED], [CENSORED, COMPETING, EVENT], [COMPETING, EVENT, CENSORED]):
        times, reached = incidence(sample([1, 1, 1, 2, 2], [*ended, EVENT, CENSORED]))
        assert reached[times == 1][-1] == pytest.approx(1 / 5)
        assert reached[-1] == pytest.approx(1 / 5 + 3 / 5 / 2)
        curve = incidence_curve(sample([1, 1, 1, 2, 2], [*ended, EVENT, CENSORED]))
        assert curve.times.tolist() == [1, 2] and curve.probabilities == pytest.approx([0.2, 0.5])


def test_the_estimate_of_lifelines() -> None:
    """`AalenJohansenFitter(…).fit(times, ended, event_of_interest=1).cumulative_density_` of lifelines 0.30.3."""
    values = [3, 5, 6, 6.5, 8, 9, 11, 12, 13, 14.5, 16, 17, 20, 21, 25]
    ended = [1, 2, 1, 0, 1, 2, 0, 1, 1, 2, 0, 1, 2, 1, 0]
    _, reached = incidence(sample(values, ended))
    expected = [0.066666666667, 0.066666666667, 0.133333333333, 0.133333333333, 0.206060606061, 0.206060606061]
    expected += [0.206060606061, 0.287878787879, 0.369696969697, 0.369696969697, 0.369696969697, 0.47196969697]
    expected += [0.47196969697, 0.574242424242, 0.574242424242]
    assert reached == pytest.approx(expected, abs=1e-11)


def test_without_censoring_it_is_the_empirical_share() -> None:
    """The number that have ended so by then, of all: the hazards telescope. Intervals are then the exact ones."""
    generator = np.random.default_rng(1)
    found = sample(generator.exponential(size=80).tolist(), generator.integers(1, 3, 80).tolist())
    times, reached = incidence(found)
    shares = [np.mean((found.values <= time) & (found.ended == EVENT)) for time in times]
    assert reached == pytest.approx(shares)
    events = int((found.ended == EVENT).sum())
    assert incidence_by_end(found) == fraction(events, 80)
    curve = incidence_curve(found)
    assert (curve.low <= curve.probabilities).all() and (curve.probabilities <= curve.high).all()
    (low_quantile, unreached) = incidence_quantiles(found, [0.25, 0.9])
    endless = np.sort(np.where(found.ended == EVENT, found.values, np.inf))
    assert low_quantile.value == endless[19]  # The 20th of 80.
    assert (low_quantile.low, low_quantile.high) == (endless[12], endless[28])  # Binomial, 80 at 1/4: ranks 13 and 29.
    assert unreached == (math.inf, found.values.max(), math.inf)


def test_if_nothing_competes_it_is_the_distribution_of_failover() -> None:
    """One less the Kaplan–Meier estimate, with the intervals of failover itself."""
    found = sample([1, 2, 3, 4, 5, 6], [EVENT, EVENT, CENSORED, EVENT, CENSORED, EVENT])
    plain = Sample(found.values, found.ended != EVENT, found.trials)
    assert incidence_quantiles(found, [0.5, 0.95]) == quantiles(plain, [0.5, 0.95])
    assert incidence(found)[1][-1] == pytest.approx(1)


def test_the_intervals_cover_the_truth() -> None:
    """Two exponential ways of ending, of rates 2 and 1, censored at 0.8 s: by then 2/3 · (1 - e^-2.4) have ended in the
    first way. The median of its incidence solves 2/3 · (1 - e^-3t) = 1/2. The intervals are of 95 %; with 60 samples
    the standard error is 2.8 %. The two of each trial end together, so that only 30 are independent.
    """
    generator = np.random.default_rng(7)
    by_end, median = 2 / 3 * (1 - math.exp(-2.4)), -math.log(1 / 4) / 3
    covered = np.zeros(2)
    for _ in range(60):
        values, event = generator.exponential(1 / 3, 30), np.where(generator.random(30) < 2 / 3, EVENT, COMPETING)
        values, ended = np.minimum(values, 0.8), np.where(values > 0.8, CENSORED, event)
        found = CompetingSample(np.repeat(values, 2), np.repeat(ended, 2), np.repeat(np.arange(30), 2))
        ends = [incidence_by_end(found), *incidence_quantiles(found, [0.5])]
        covered += [end.low <= truth <= end.high for end, truth in zip(ends, (by_end, median), strict=True)]
    assert (covered >= 0.86 * 60).all(), covered


def test_few_data_bound_nothing_that_they_cannot() -> None:
    """No data, no estimate; one trial says nothing of others; if all ended in one way, the other is not ruled out."""
    assert math.isnan(incidence_by_end(sample([], [])).value)
    assert math.isnan(incidence_quantiles(sample([], []), [0.5])[0].value)
    one = sample([1, 2, 3], [EVENT, COMPETING, CENSORED], [4, 4, 4])
    assert incidence_by_end(one)[1:] == (0, 1)
    assert incidence_quantiles(one, [0.2])[0][1:] == (-math.inf, math.inf)
    elected = sample([1, 2, 3, 4], [EVENT, CENSORED, EVENT, EVENT])
    assert incidence_by_end(elected).value == 1
    assert 0 < incidence_by_end(elected).low < 0.6  # Wilson's, of three: 0.44.


def test_losses_become_a_sample() -> None:
    """docs/metrics.md: elected at the claim, recovered when the leader came back, censored when last followed."""
    elections = pd.DataFrame(
        {
            "trial": [0, 0, 1, 2],
            "cause": ["boot", "loss", "loss", "loss"],
            "outcome": ["elected", "elected", "recovered", "censored"],
            "start_s": [0.0, 1.0, 1.0, 1.0],
            "followed_until_s": [0.2, 1.5, 1.75, 9.0],
            "failover_s": [math.nan, 0.5, math.nan, math.nan],
        }
    )
    found = failover_incidence(elections)
    assert found.values.tolist() == [0.5, 0.75, 8.0]
    assert found.ended.tolist() == [EVENT, COMPETING, CENSORED]
    nothing = pd.DataFrame()
    tables = RunTables(trials=nothing, elections=elections, rounds=nothing, overlaps=nothing)
    summary = INCIDENCE[0].summarize(tables)
    assert (summary["count"], summary["elected"], summary["censored"]) == (3, 1, 1)
    assert summary["recovered"]["count"] == 1
    assert summary["recovered"]["fraction"]["value"] == pytest.approx(1 / 3)
    assert summary["by_end"]["value"] == pytest.approx(1 / 3)
    assert summary["median"]["value"] is None  # Half of the losses never end so, as far as was followed.
