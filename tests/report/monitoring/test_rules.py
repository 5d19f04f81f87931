"""Alert rules against what Prometheus itself computes, and against series worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from simulator.protocol import NodeId
from simulator.report.monitoring.rules import RULES, Alert, Rule, alerts, increases
from simulator.report.monitoring.scrapes import Scrapes

RULE = {rule.name: rule for rule in RULES}


def increase_at(minute: float, samples: Sequence[float], step_min: float, over_min: float) -> float:
    """`increase` at an instant, of a counter whose samples begin at 0."""
    at = 60 * step_min * np.arange(len(samples))
    seconds = np.append(at[at < 60 * minute], 60 * minute)
    values = np.full(len(seconds), np.nan)
    for index, instant in enumerate(seconds):
        values[index] = samples[int(instant / 60 / step_min)] if instant in at else np.nan
    return float(increases(seconds, values, 60 * over_min)[-1])


# Prometheus 3, promql/promqltest/testdata/functions.test: "Tests for increase()", with samples each five minutes.
RISING = {
    "foo": [10.0 * index for index in range(11)],
    "bar": [*(18.0 * index for index in range(6)), *(18.0 * index for index in range(6))],
    "dings": [10 + 10.0 * index for index in range(11)],
    "bumms": [1 + 10.0 * index for index in range(11)],
}


@pytest.mark.parametrize(
    ("name", "over_min", "expected"),
    [
        ("foo", 50, 100),
        ("bar", 50, 160),
        ("dings", 50, 100),
        ("bumms", 50, 100),
        ("foo", 100, 100),
        ("bar", 100, 162),
        ("dings", 100, 105),
        ("bumms", 100, 101),
    ],
)
def test_increase_is_that_of_prometheus(name: str, over_min: float, expected: float) -> None:
    """Its own tests state these numbers: resets, extrapolation to both ends, and no counter below 0."""
    assert increase_at(50, RISING[name], 5, over_min) == pytest.approx(expected)


def test_a_counter_that_falls_has_restarted() -> None:
    """The same file: "Test for increase() with counter reset": 0 1 2 3 2 3 4 have increased by 7 in 30 minutes."""
    assert increase_at(30, [0, 1, 2, 3, 2, 3, 4], 5, 30) == pytest.approx(7)


@pytest.mark.parametrize(("start", "expected"), [(0, 0.5), (60, 0.55), (120, 0.6), (180, 0.6), (240, 0.6), (300, 0.6)])
def test_a_series_that_begins_within_the_range_began_at_0_or_half_a_distance_before(
    start: float, expected: float
) -> None:
    """The same file: `testcounter_zero_cutoff_total`, a rate over 20 minutes at minute 10, samples each 4 minutes."""
    samples = [start + 240.0 * index for index in range(11)]
    assert increase_at(10, samples, 4, 20) / 1200 == pytest.approx(expected)


def test_one_sample_has_no_increase() -> None:
    """`extrapolatedRate` needs two samples."""
    assert np.isnan(increase_at(50, RISING["foo"], 5, 5))


def series(rule: Rule, *of_nodes: Sequence[float]) -> Scrapes:
    """Scrapes each 30 s, of one metric."""
    count = len(of_nodes[0])
    nodes = [NodeId(1 + index) for index in range(len(of_nodes))]
    values = {node: np.array(numbers, dtype=float) for node, numbers in zip(nodes, of_nodes, strict=True)}
    return Scrapes(30.0 * np.arange(1, count + 1), nodes, {rule.metric.name: values}, {})


def test_a_rule_fires_once_its_condition_has_held_for_its_time() -> None:
    """Prometheus, alerting_rules.md: an alert is pending until its condition has been true at each evaluation for
    the duration of `for`; then it fires, until an evaluation finds it false."""
    rule = RULE["NoLeader"]
    nan = float("nan")
    found = series(rule, [1, 0, 0, 1, 0, 0, 0, 0, 1], [1, 1, 1, 1, 1, nan, nan, 1, 1])
    assert alerts(rule, found) == [Alert(210, 270)]
    assert alerts(replace(rule, for_s=0), found) == [Alert(60, 120), Alert(150, 270)]


def test_an_alert_may_last_to_the_end() -> None:
    """Nobody knows for how long."""
    rule = RULE["NodeDown"]
    assert alerts(replace(rule, for_s=30), series(rule, [1, 0, 0, 0])) == [Alert(90, float("inf"))]


def test_a_metric_that_no_node_exposes_fires_nothing() -> None:
    """An aggregation of no series is empty in PromQL, and an empty result is no alert."""
    rule = RULE["NoLeader"]
    assert alerts(replace(rule, for_s=0), series(rule, [float("nan")] * 3)) == []


@pytest.mark.parametrize(
    ("name", "fires", "silent"),
    [
        ("TwoLeaders", [[1], [1], [0]], [[1], [0], [0]]),
        ("MajorityDown", [[1], [0], [0], [1]], [[1], [0], [1]]),
        ("NodeDown", [[1], [0], [1]], [[1], [1], [1]]),
    ],
)
def test_each_aggregation(name: str, fires: list[list[float]], silent: list[list[float]]) -> None:
    """The sum, the mean and the least of all nodes."""
    rule = replace(RULE[name], for_s=0)
    assert alerts(rule, series(rule, *fires))
    assert not alerts(rule, series(rule, *silent))


def test_three_changes_in_ten_minutes() -> None:
    """A node that has seen 1, 2, 3 and 4 leaders, one each two minutes, has seen three changes within six minutes."""
    rule = RULE["LeaderChangedThreeTimes"]
    seen = [1 + index // 4 for index in range(16)]
    (alert,) = alerts(rule, series(rule, seen, [1] * 16))
    assert 300 < alert.from_s <= 390  # The third change is scraped after 390 s; the extrapolation may be before it.


def test_the_expressions_in_prometheus_language() -> None:
    """What an operator copies."""
    assert RULE["LeaderChangedThreeTimes"].promql == (
        'max(increase(electsim_server_leader_changes_seen_total{job="electsim"}[10m])) >= 3'
    )
    assert RULE["NoLeader"].as_prometheus() == {
        "alert": "NoLeader",
        "expr": 'min(electsim_server_has_leader{job="electsim"}) <= 0',
        "for": "1m",
        "annotations": {"summary": "A node that runs has known no leader for a minute."},
    }
