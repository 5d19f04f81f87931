"""Which settings a tuner tries, and which of them no others are better than (issue 14, "The tuner")."""

from __future__ import annotations

import pytest

from simulator.analysis.false_elections import FalseElections
from simulator.analysis.statistics.estimates import Estimate
from simulator.experiment.sweep.axes import Axis, axis_of
from simulator.experiment.tune.candidates import Candidate, in_order, mark_front, recommended
from simulator.experiment.tune.fault_free import KEEPS, NOT_SHOWN, OPEN, VIOLATES, fault_free
from simulator.experiment.tune.goals import goal_of
from simulator.experiment.tune.margin import find_margin
from simulator.experiment.tune.search import Grid, Sampler, search_of

GOAL = goal_of("failover.p99", ["false_elections < 1/day"])
AXES = [axis_of("a", ["10ms..1s:log"]), axis_of("b", ["true", "false"])]


def candidate(
    number: int, failover: float | None, count: int, messages: float = 1.0, verdict: str = KEEPS
) -> Candidate:
    metrics = {"failover.p99": {"value": failover, "low": failover, "high": failover}}
    return Candidate(
        number=number,
        settings={},
        metrics=metrics,
        false_elections=FalseElections(count, 0, 100.0),
        messages=Estimate(messages, messages, messages),
        verdict=verdict,
    )


def proposed(seed: int) -> list[dict[str, str]]:
    """40 points, of which the sampler is told that a smaller `a` is better."""
    search, points = Sampler(AXES, GOAL, seed, 40), []
    while batch := search.propose():
        points += batch
        search.learn([candidate(0, float(point["a"].removesuffix("ms").removesuffix("s")), 0) for point in batch])
    return points


def test_a_sampler_asks_in_batches_and_depends_on_its_seed() -> None:
    """ "optuna's multi-objective samplers by ask and tell in batches of fixed size with our seed"."""
    points = proposed(1)
    assert len(points) == 40
    assert points == proposed(1) != proposed(2)
    assert {point["b"] for point in points} == {"true", "false"}


def test_a_grid_where_small_else_optuna() -> None:
    """ "A grid where small": 64 combinations at most, and no range without a number of points."""
    small = [axis_of("a", ["1..8"]), axis_of("b", ["1..8"])]
    grid = search_of(small, GOAL, 1, None)
    assert isinstance(grid, Grid) and len(grid.propose()) == 64 and grid.propose() == []
    large = [*small, Axis(("c", "d"), (("1", "2"), ("3", "4")))]
    for axes, most in ((large, None), (AXES, None), (small, 10)):
        assert search_of(axes, GOAL, 1, most).name == "optuna"


def test_the_front_and_the_recommendation() -> None:
    """No other is as good in all of failover, false elections and messages, and better in one of them."""
    found = [
        candidate(1, 1.0, 5, verdict=VIOLATES),
        candidate(2, 2.0, 0),
        candidate(3, 2.0, 0, messages=2.0),  # More messages than 2, for nothing.
        candidate(4, 3.0, 0, messages=0.5),
        candidate(5, 4.0, 1),  # Worse than 2 in all.
        candidate(6, None, 0, messages=0.1),  # Its quantile is not reached.
        candidate(7, 1.5, 0, messages=3.0, verdict=NOT_SHOWN),
    ]
    mark_front(found, "failover.p99")
    assert [one.number for one in found if one.on_front] == [1, 2, 4, 7]
    assert [one.number for one in in_order(found, GOAL)] == [7, 2, 3, 4, 5]
    assert recommended(found, GOAL) is found[1]
    assert recommended(found, goal_of("failover.p99", ["failover.p99 < 1s"])) is None


def test_how_long_a_bound_is_looked_at() -> None:
    """The rule of three: none seen in 3 / bound shows it. Too high a rate is refused at the first look."""
    plan = fault_free(GOAL.false_elections.below, None)
    assert 3 * 86_400 < plan.length_s < 3.3 * 86_400
    assert plan.looks[0] == 4 and plan.looks[-1] == plan.length_s / plan.trial_s
    last = len(plan.looks) - 1
    assert plan.verdict(FalseElections(50, 0, 4 * plan.trial_s), 0) == VIOLATES
    assert plan.verdict(FalseElections(0, 0, plan.length_s), 0) == OPEN
    assert plan.verdict(FalseElections(0, 0, plan.length_s * 0.99), last) == KEEPS
    assert plan.verdict(FalseElections(1, 0, plan.length_s), last) == NOT_SHOWN
    assert fault_free(1.0, 10.0).looks[-1] == 10


@pytest.mark.parametrize("limit", [1.0, 1.3, 2.0, 3.7, 63.0])
def test_the_margin_is_found_to_within_five_percent(limit: float) -> None:
    """By bisection on the factor, evenly by ratio: the truth lies between the two factors."""
    found = find_margin(lambda factor, number: factor <= limit)
    assert found.fails_at is not None
    assert found.kept_at <= limit < found.fails_at <= 1.05 * found.kept_at


def test_a_margin_beyond_all_that_is_tried() -> None:
    assert find_margin(lambda factor, number: True).fails_at is None
