"""The yardsticks themselves, which `make test` checks: a wrong one would make every verification worthless."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tests.verify.closed_forms import holm, split_probability
from tests.verify.quantiles import DATA_SETS, GRID, distance_at, inverse_ecdf, published


@pytest.mark.parametrize(("latency", "printed"), [(0.01, 0.0006), (0.1, 0.0523), (0.2, 0.1808)])
def test_split_probability_is_as_printed(latency: float, printed: float) -> None:
    """Dissertation, section 9.2: n = 5, one failed."""
    assert round(split_probability(5, 4, latency), 4) == printed


@pytest.mark.parametrize(("nodes", "available"), [(3, 2), (3, 3), (5, 3), (5, 5), (9, 7)])
def test_split_probability_is_the_share_of_draws_in_which_too_many_collide(nodes: int, available: int) -> None:
    """The sentence behind the formula, acted out: all of s but ⌊n/2⌋, or more, time out within l of the first."""
    latency, draws = 0.2, 200_000
    timeouts = np.sort(np.random.default_rng(1).uniform(1, 2, (draws, available)), axis=1)
    collided = (timeouts < timeouts[:, :1] + latency).sum(axis=1)
    split = int((available - collided + 1 < nodes // 2 + 1).sum())  # Those left, and the first one's own vote.
    assert stats.binomtest(split, draws, split_probability(nodes, available, latency)).pvalue > 0.001


def test_holm() -> None:
    """Holm (1979), worked out: 4 x .01, 3 x .01333 = .04 (not below the one before), 2 x .03, then not below .06."""
    assert holm([0.03, 0.01, 0.04, 0.04 / 3]) == pytest.approx([0.06, 0.04, 0.06, 0.04])


@pytest.mark.parametrize("shift", [0.0, 0.02, 0.3, -0.3])
def test_the_distance_at_the_quantiles_is_a_lower_bound_and_a_close_one(shift: float) -> None:
    """Between two quantiles the published ECDF can hide at most one step of the grid on top of what is seen."""
    source = np.random.default_rng(7)
    known = np.round(source.normal(0, 1, 10_000), 2)  # Rounded, so that there are ties.
    simulated = source.normal(shift, 1, 10_000)
    exact = stats.ks_2samp(simulated, known).statistic
    largest_tie = np.unique(known, return_counts=True)[1].max() / len(known)
    seen = distance_at(simulated, inverse_ecdf(known))
    assert seen - largest_tie <= exact <= seen + 1 / GRID + largest_tie


@pytest.mark.parametrize("name", DATA_SETS)
def test_the_quantiles_that_are_kept_are_those_of_the_samples(name: str) -> None:
    """Of the samples where they lie beside the repository; always with the means that the dissertation prints."""
    found = published(name)
    printed = {"samelogs_f0": 430.0, "samelogs_f1": 468.7, "difflogs_f1": 550.5}
    assert round(found.mean, 1) == printed[name]
    assert found.quantiles.mean() == pytest.approx(found.mean, rel=0.01)
    if found.samples is not None:
        assert np.array_equal(found.quantiles, inverse_ecdf(found.samples))
