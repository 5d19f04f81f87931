"""Settings that a tuner has tried, what it knows of each, and which of them no other is better than in every way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite, nan

from simulator.analysis.estimates import Summary, statistic
from simulator.analysis.false_elections import MONTH_S, FalseElections
from simulator.analysis.statistics.estimates import Estimate
from simulator.experiment.tune.fault_free import KEEPS, OPEN, VIOLATES
from simulator.experiment.tune.goals import Goal

NOT_TRIED = Estimate(nan, nan, nan)


@dataclass(slots=True)
class Candidate:
    """One set of settings. What is not known yet is None."""

    number: int
    settings: Mapping[str, str]
    linked: Mapping[str, str] = field(default_factory=dict)
    failed: bool = False  # Whether it is skipped because trials failed.
    skipped: str | None = None  # Why it cannot be used: no valid scenario, or trials that failed.
    metrics: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    trials: int = 0
    losses: int = 0  # Trials in which the leader was lost.
    violations: int = 0
    false_elections: FalseElections | None = None
    messages: Estimate = NOT_TRIED  # Per second of steady state.
    looks: int = 0  # How many looks at its fault-free scenario were taken.
    verdict: str = OPEN
    on_front: bool = False

    @property
    def texts(self) -> dict[str, str]:
        """All fields that it sets, as a scenario writes them."""
        return {**self.settings, **self.linked}

    def value(self, metric: str) -> float:
        """The value of a metric with the faults; infinite if it is not known."""
        found = self.metrics.get(metric, {}).get("value")
        return inf if found is None else found

    def rate(self) -> float:
        """False elections per second; infinite if it is not known."""
        return inf if self.false_elections is None else self.false_elections.per_second().value

    def is_usable(self, goal: Goal) -> bool:
        """Whether all is well with its scenario with faults, and the other bounds are kept."""
        kept = all(self._high(bound.metric) < bound.below for bound in goal.others)
        return self.skipped is None and not self.violations and isfinite(self.value(goal.minimise)) and kept

    def _high(self, metric: str) -> float:
        high = self.metrics.get(metric, {}).get("high")
        return inf if high is None else high

    def summary(self) -> Summary:
        """Its entry in `tune.json`."""
        found = self.false_elections
        return {
            "number": self.number,
            "settings": dict(self.settings),
            "linked": dict(self.linked),
            "skipped": self.skipped,
            "failed": self.failed,
            "trials": {"run": self.trials, "losses": self.losses},
            "violations": self.violations,
            "metrics": {name: dict(ends) for name, ends in self.metrics.items()},
            "false_elections": None if found is None else _rate_summary(found),
            "messages_per_s": statistic(self.messages),
            "verdict": self.verdict,
            "on_front": self.on_front,
        }


def _rate_summary(found: FalseElections) -> Summary:
    value, low, high = found.per_second()
    per_month = Estimate(value * MONTH_S, low * MONTH_S, high * MONTH_S)
    return {
        "count": found.count,
        "given_up": found.given_up,
        "observed_s": found.observed_s,
        "per_month": statistic(per_month),
    }


def in_order(candidates: Sequence[Candidate], goal: Goal) -> list[Candidate]:
    """Those that may be recommended, the best ones first: by the metric, then by the number of messages."""
    usable = [found for found in candidates if found.is_usable(goal) and found.verdict != VIOLATES]
    return sorted(usable, key=lambda found: (found.value(goal.minimise), found.messages.value, found.number))


def mark_front(candidates: Sequence[Candidate], metric: str) -> None:
    """Mark those that no other one is as good as in all of metric, false elections and messages, and better in one.

    Values are compared, not intervals.
    """
    known = [found for found in candidates if found.skipped is None and found.false_elections is not None]
    points = {found.number: (found.value(metric), found.rate(), found.messages.value) for found in known}
    for found in candidates:
        own = points.get(found.number)
        found.on_front = own is not None and isfinite(own[0]) and not any(_is_better(p, own) for p in points.values())


def _is_better(point: tuple[float, ...], than: tuple[float, ...]) -> bool:
    return point != than and all(a <= b for a, b in zip(point, than, strict=True))


def recommended(candidates: Sequence[Candidate], goal: Goal) -> Candidate | None:
    """The best one of which it was shown that it keeps all bounds; None if there is none yet."""
    return next((found for found in in_order(candidates, goal) if found.verdict == KEEPS), None)
