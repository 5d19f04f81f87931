"""What a tuner is asked for: the metric to minimise, and the bounds that settings must keep."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from simulator.analysis.false_elections import MONTH_S
from simulator.analysis.records.registry import MEASURES
from simulator.experiment.sweep.study import refused
from simulator.scenario.text.errors import alternatives
from simulator.scenario.text.units import parse_duration

FALSE_ELECTIONS = "false_elections"
PERIODS_S = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0, "week": 7 * 86_400.0, "month": MONTH_S,
             "year": 365 * 86_400.0}  # fmt: skip
_BOUND = re.compile(r"\s*(?P<name>[a-z_][\w.]*)\s*<=?\s*(?P<bound>.*\S)\s*")
_RATE = re.compile(r"(?P<count>\d+(?:\.\d*)?|\.\d+)\s*/\s*(?P<period>[a-z]+)")
_EXAMPLE = "false_elections < 1/month"


@dataclass(frozen=True, slots=True)
class Bound:
    """A metric whose upper limit must stay below a bound. Rates are per second, durations in seconds."""

    metric: str
    below: float
    text: str  # As it was written.


@dataclass(frozen=True, slots=True)
class Goal:
    """The metric to minimise, and the bounds. One of them is on false elections."""

    minimise: str
    bounds: tuple[Bound, ...]

    @property
    def false_elections(self) -> Bound:
        """The bound on false elections."""
        return next(bound for bound in self.bounds if bound.metric == FALSE_ELECTIONS)

    @property
    def others(self) -> tuple[Bound, ...]:
        """The other bounds, on metrics of the scenario with its faults."""
        return tuple(bound for bound in self.bounds if bound.metric != FALSE_ELECTIONS)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics of the scenario with its faults that count."""
        return tuple(dict.fromkeys([self.minimise, *(bound.metric for bound in self.others)]))


def goal_of(minimise: str, subject_to: Sequence[str]) -> Goal:
    """The goal in the words of the command line. Without a bound on false elections, one a month is the bound.

    Raises ScenarioError.
    """
    if minimise not in MEASURES:
        raise refused(f"minimise {minimise}", f"not known; {alternatives(minimise, list(MEASURES))}")
    bounds = [_bound(text) for text in subject_to]
    names = [bound.metric for bound in bounds]
    if twice := [name for number, name in enumerate(names) if name in names[:number]]:
        raise refused(f"subject to {twice[0]}", "has two bounds; write one of them")
    if FALSE_ELECTIONS not in names:
        bounds.append(_bound(_EXAMPLE))
    return Goal(minimise, tuple(bounds))


def _bound(text: str) -> Bound:
    where = f"subject to {text}"
    found = _BOUND.fullmatch(text)
    if found is None:
        raise refused(where, f"write a metric and its bound: {_EXAMPLE}")
    name, bound = found["name"], found["bound"]
    if name == FALSE_ELECTIONS:
        return Bound(name, _rate(bound, where), text.strip())
    if name not in MEASURES:
        raise refused(where, f"{name} is not known; {alternatives(name, [FALSE_ELECTIONS, *MEASURES])}")
    return Bound(name, _value(bound, MEASURES[name].unit, where), text.strip())


def _rate(text: str, where: str) -> float:
    found = _RATE.fullmatch(text)
    if found is None or found["period"] not in PERIODS_S or not float(found["count"]):
        raise refused(where, f"write a number above 0 and a period: 1/month; known: {', '.join(PERIODS_S)}")
    return float(found["count"]) / PERIODS_S[found["period"]]


def _value(text: str, unit: str, where: str) -> float:
    try:
        if unit == "s":
            return parse_duration(text) / 1e9
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        wanted = {"s": "a duration: 2s", "%": "a percentage: 5%"}.get(unit, "a number")
        raise refused(where, f"{text} is no bound; write {wanted}") from None
    return value
