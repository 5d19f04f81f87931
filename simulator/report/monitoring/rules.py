"""Alert rules as data: each is evaluated on the scrapes of a trial, and written as Prometheus has it.

A rule looks at one metric of all nodes at each scrape, as Prometheus does if it evaluates its rules as often as it
scrapes. Sources: Prometheus, docs/configuration/alerting_rules.md; promql/functions.go, `extrapolatedRate`; for the
rules, etcd's contrib/mixin/mixin.libsonnet.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from simulator.report.monitoring.openmetrics import JOB
from simulator.report.monitoring.scrapes import (
    HAS_LEADER,
    IS_LEADER,
    LEADER_CHANGES,
    SUSPICIONS,
    UP,
    Metric,
    Scrapes,
)


class Over(enum.StrEnum):
    """How the numbers of all nodes become one."""

    MAX = "max"
    MIN = "min"
    SUM = "sum"
    AVG = "avg"


class Comparison(enum.StrEnum):
    """When the number counts as a problem."""

    AT_LEAST = ">="
    AT_MOST = "<="


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Fires once `over(metric) comparison threshold` has held for `for_s` seconds.

    With `increase_s`, the increase of a counter over this many seconds takes the place of its value.
    """

    name: str
    metric: Metric
    over: Over
    comparison: Comparison
    threshold: float
    increase_s: int | None = None
    for_s: int = 0
    summary: str

    @property
    def promql(self) -> str:
        """The expression in Prometheus' language."""
        series = f'{self.metric.name}{{job="{JOB}"}}'
        if self.increase_s is not None:
            series = f"increase({series}[{_duration(self.increase_s)}])"
        return f"{self.over}({series}) {self.comparison} {self.threshold:g}"

    def as_prometheus(self) -> dict[str, object]:
        """The rule as it stands in a file of Prometheus, under `groups: [{rules: [...]}]`."""
        rule: dict[str, object] = {"alert": self.name, "expr": self.promql}
        if self.for_s:
            rule["for"] = _duration(self.for_s)
        return rule | {"annotations": {"summary": self.summary}}


RULES = (
    Rule(
        name="LeaderChangedThreeTimes",
        metric=LEADER_CHANGES,
        over=Over.MAX,
        increase_s=600,
        comparison=Comparison.AT_LEAST,
        threshold=3,
        summary="A node has seen three changes of the leader in ten minutes.",
    ),
    Rule(
        name="LeaderChangedThreeTimesForAll",
        metric=LEADER_CHANGES,
        over=Over.MIN,
        increase_s=600,
        comparison=Comparison.AT_LEAST,
        threshold=3,
        summary="Every node has seen three changes of the leader in ten minutes.",
    ),
    Rule(
        name="LeaderChangesOften",
        metric=LEADER_CHANGES,
        over=Over.MAX,
        increase_s=900,
        comparison=Comparison.AT_LEAST,
        threshold=4,
        for_s=300,
        summary="A node has seen four changes of the leader in a quarter of an hour, for five minutes in a row.",
    ),
    Rule(
        name="NoLeader",
        metric=HAS_LEADER,
        over=Over.MIN,
        comparison=Comparison.AT_MOST,
        threshold=0,
        for_s=60,
        summary="A node that runs has known no leader for a minute.",
    ),
    Rule(
        name="TwoLeaders",
        metric=IS_LEADER,
        over=Over.SUM,
        comparison=Comparison.AT_LEAST,
        threshold=2,
        summary="Two nodes take themselves to be the leader.",
    ),
    Rule(
        name="MajorityDown",
        metric=UP,
        over=Over.AVG,
        comparison=Comparison.AT_MOST,
        threshold=0.5,
        for_s=180,
        summary="Half of the nodes or more have not answered for three minutes.",
    ),
    Rule(
        name="NodeDown",
        metric=UP,
        over=Over.MIN,
        comparison=Comparison.AT_MOST,
        threshold=0,
        for_s=600,
        summary="A node has not answered for ten minutes.",
    ),
    Rule(
        name="SuspicionsOften",
        metric=SUSPICIONS,
        over=Over.SUM,
        increase_s=3600,
        comparison=Comparison.AT_LEAST,
        threshold=10,
        summary="Leaders were suspected ten times in an hour.",
    ),
)


class Alert(NamedTuple):
    """One time at which a rule fired: from when until when, in seconds; infinity if it fires at the end."""

    from_s: float
    until_s: float


def alerts(rule: Rule, found: Scrapes) -> list[Alert]:
    """When the rule fires in a trial, in order."""
    holds = _holds(rule, found)
    since: float | None = None
    fired: float | None = None
    ended = []
    for instant, problem in zip(found.seconds, holds, strict=True):
        if not problem:
            if fired is not None:
                ended.append(Alert(fired, float(instant)))
            since = fired = None
            continue
        since = float(instant) if since is None else since
        if fired is None and instant - since >= rule.for_s:
            fired = float(instant)
    return ended if fired is None else [*ended, Alert(fired, float("inf"))]


def _holds(rule: Rule, found: Scrapes) -> np.ndarray:
    """Whether the condition holds at each scrape; shape (scrapes,). Without a number of any node, it does not."""
    of_nodes = [found.values[rule.metric.name][node] for node in found.nodes]
    if rule.increase_s is not None:
        of_nodes = [increases(found.seconds, values, rule.increase_s) for values in of_nodes]
    table = np.array(of_nodes)
    known = ~np.isnan(table)
    counted = known.sum(axis=0)
    match rule.over:
        case Over.MAX:
            number = np.where(known, table, -np.inf).max(axis=0)
        case Over.MIN:
            number = np.where(known, table, np.inf).min(axis=0)
        case Over.SUM:
            number = np.where(known, table, 0).sum(axis=0)
        case Over.AVG:
            number = np.where(known, table, 0).sum(axis=0) / np.maximum(counted, 1)
    above = number >= rule.threshold if rule.comparison is Comparison.AT_LEAST else number <= rule.threshold
    holds: np.ndarray = above & (counted > 0)
    return holds


def increases(seconds: np.ndarray, values: np.ndarray, over_s: float) -> np.ndarray:
    """`increase` of a counter at each scrape, over the `over_s` seconds before it; NaN with less than two samples.

    `seconds` and `values` have the shape (scrapes,); a value is NaN if the node did not answer.
    """
    known = ~np.isnan(values)
    at, counted = seconds[known], values[known]
    found = np.full(len(seconds), np.nan)
    firsts = np.searchsorted(at, seconds - over_s, side="right")  # The range has no lower end point.
    ends = np.searchsorted(at, seconds, side="right")
    for index, (first, end) in enumerate(zip(firsts, ends, strict=True)):
        if end - first >= 2:
            found[index] = _increase(at[first:end], counted[first:end], seconds[index] - over_s, seconds[index])
    return found


def _increase(at: Sequence[float], counted: Sequence[float], start_s: float, end_s: float) -> float:
    """The increase between the first and the last sample, and from there to the ends of the range as it is assumed.

    A sample that is expected is missing if the next one is farther away than 1.1 mean distances. There, the series is
    assumed to begin, or to end, half a distance away from the sample; and no counter is assumed to have been negative.
    """
    restarts = sum(before for before, after in pairwise(counted) if after < before)
    gained = counted[-1] - counted[0] + restarts
    sampled_s = at[-1] - at[0]
    distance_s = sampled_s / (len(at) - 1)
    before_s, after_s = at[0] - start_s, end_s - at[-1]
    if before_s >= 1.1 * distance_s:
        before_s = distance_s / 2
    if gained > 0:
        before_s = min(before_s, sampled_s * counted[0] / gained)
    if after_s >= 1.1 * distance_s:
        after_s = distance_s / 2
    return float(gained * (sampled_s + before_s + after_s) / sampled_s)


def _duration(seconds: int) -> str:
    """As Prometheus writes it: `10m`."""
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
