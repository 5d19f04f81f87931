"""The yardsticks themselves, which `make test` checks: a wrong one would make every verification worthless."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from simulator.analysis.statistics.significance import holm
from tests.verify.closed_forms import split_probability
from tests.verify.quantiles import (
    COLLECTIONS,
    DATA_SETS,
    FIG16,
    GRID,
    MEASURED,
    REFLOATED,
    Collection,
    columns,
    distance_at,
    distance_to,
    facts_of,
    inverse_ecdf,
    published,
)
from tests.verify.test_etcd_ticks import collision_probability
from tests.verify.test_measured import p_value


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


@pytest.mark.parametrize(
    ("collection", "name"), [(collection, name) for collection in COLLECTIONS for name in collection.data_sets]
)
def test_every_data_set_is_kept_by_its_quantiles(collection: Collection, name: str) -> None:
    found, table = published(name, collection), columns(name, collection)
    assert len(found.quantiles) == collection.grid
    assert collection.grid < found.size / 5 + 1  # Never so many that they would be the samples.
    if table is not None and found.samples is not None:
        assert np.array_equal(found.quantiles, inverse_ecdf(found.samples, collection.grid))
        assert found.facts == facts_of(table)
        assert distance_to(found.samples, found) == 0


@pytest.mark.parametrize(
    ("name", "mean_ms", "packets"),
    [  # Printed in the reference; packets to three figures.
        ("org_12-24", 36.1, 41.1),
        ("org_150-155", 566.8, 113),
        ("org_150-200", 138.0, 13.3),
        ("org_150-300", 152.3, 10.6),
        ("fixed_150-155", 172.7, 52),
    ],
)
def test_the_means_of_raft_refloated_are_as_printed(name: str, mean_ms: float, packets: float) -> None:
    found = published(name, REFLOATED)
    assert found.mean == pytest.approx(mean_ms, abs=0.1)
    assert found.facts["packets_mean"] == pytest.approx(packets, rel=0.005)


def test_figure_16_is_as_printed() -> None:
    """150-155 ms: median 287 ms; 150-200 ms: worst of 1000 trials 513 ms; 12-24 ms: mean 35 ms, worst 152 ms."""
    assert round(published("150-155", FIG16).quantiles[FIG16.grid // 2 - 1]) == 287
    assert round(published("150-200", FIG16).quantiles[-1]) in (512, 513)
    assert round(published("12-24", FIG16).mean) == 35
    assert round(published("12-24", FIG16).quantiles[-1]) == 152


def test_what_the_measurements_tell_of_terms() -> None:
    assert published("etcd_3_nodes_100_1000", MEASURED).facts["more_than_one_term"] == 21


def test_the_collision_of_ticks_is_as_printed() -> None:
    """Five nodes, ten ticks: 0.2333."""
    assert round(collision_probability(5, 10), 4) == 0.2333


def test_the_p_value_of_a_distance_is_that_of_scipy() -> None:
    source = np.random.default_rng(3)
    one, other = source.normal(0, 1, 400), source.normal(0.1, 1, 900)
    test = stats.ks_2samp(one, other, method="asymp")
    assert p_value(float(test.statistic), 400, 900) == pytest.approx(test.pvalue, rel=0.1)
