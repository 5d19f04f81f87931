"""Run until the primary statistic is precise enough: when to analyse, and how precise it is by then.

The analyses are at numbers of trials that are fixed beforehand. Their intervals hold all together with a probability of
95 % (`statistics.interim`), so that the last one holds, too, however the run came to stop at it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING

import pandas as pd

from simulator.analysis.estimates import QUANTILES, Summary, statistic
from simulator.analysis.records.registry import sample
from simulator.analysis.samples import primary_metric
from simulator.analysis.statistics.bootstrap import CONFIDENCE
from simulator.analysis.statistics.estimates import Estimate, Sample, quantile
from simulator.analysis.statistics.interim import tails_at

if TYPE_CHECKING:
    from simulator.scenario.published import Published

PRECISION, TRIALS = "precision", "trials"  # The reasons that end a run with a requested precision.
FIRST_ANALYSIS = 100
# The growth from one analysis to the next; all analyses together then cost little more than the last one.
_GROWTH = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """How precisely a statistic of the primary metric is known: to within a proportion of its value, 0.05 for 5 %.

    `reached` is infinite if the value or an end of its interval is not known. `estimate` has the interval at the last
    analysis. The intervals at all planned `analyses` hold together with the probability `confidence`. Results of
    version 0.3.0 and earlier have no `estimate`: their interval holds at a single analysis.
    """

    asked: float
    statistic: str  # A key of QUANTILES.
    metric: str
    reached: float
    estimate: Estimate | None = None
    analyses: int = 1
    confidence: float = CONFIDENCE

    @property
    def met(self) -> bool:
        """Whether the interval is as narrow as was asked for."""
        return self.reached <= self.asked

    def summary(self) -> Summary:
        """As `summary.json` keeps it."""
        reached = self.reached if isfinite(self.reached) else None
        found = {"asked": self.asked, "metric": self.metric, "statistic": self.statistic, "reached": reached}
        if self.estimate is None:
            return found
        return found | {
            "interval": statistic(self.estimate),
            "analyses": self.analyses,
            "confidence": self.confidence,
        }

    @classmethod
    def of_summary(cls, kept: Summary) -> Precision:
        """From what `summary` has made, in this version or in an earlier one."""
        values = {key: value for key, value in kept.items() if key not in ("interval", "reached")}
        ends = kept.get("interval")
        estimate = None if ends is None else Estimate(**_unbounded(ends))
        return cls(**values, reached=inf if kept["reached"] is None else kept["reached"], estimate=estimate)


def _unbounded(ends: Summary) -> dict[str, float]:
    """The numbers behind a statistic of a summary, in which one that is not finite is None."""
    unknown = {"value": inf, "low": -inf, "high": inf}
    return {name: unknown[name] if number is None else number for name, number in ends.items()}


def interim_analyses(most: int) -> Iterator[int]:
    """The numbers of trials after which to analyse; the last one is `most`."""
    trials = FIRST_ANALYSIS
    while trials < most:
        yield trials
        trials = max(trials + FIRST_ANALYSIS, round(_GROWTH * trials))
    yield most


class PrecisionMonitor:
    """Decides, while trials finish, when the primary statistic is precise enough.

    Raises ValueError for a bad precision.
    """

    def __init__(self, asked: float, statistic: str, published: Published | None, most: int) -> None:
        if not 0 < asked < 1 or statistic not in QUANTILES:
            raise ValueError(
                f"precision {asked} of {statistic}: a share above 0 and below 1, of {', '.join(QUANTILES)}"
            )
        self.reached: Precision | None = None
        self._asked, self._statistic, self._published = asked, statistic, published
        self._all = tuple(interim_analyses(most))
        self._looks = iter(self._all)
        self._next = next(self._looks)

    def is_precise_enough(self, trials: int, elections: Callable[[], pd.DataFrame]) -> bool:
        """Whether to stop after this many trials. The elections so far are only asked for when an analysis is due."""
        if trials != self._next:
            return False
        self._next = next(self._looks, 0)
        found = elections()
        metric = primary_metric(found, self._published)
        estimate = interim_estimate(sample(found, metric), QUANTILES[self._statistic], self._all, trials)
        self.reached = Precision(
            asked=self._asked,
            statistic=self._statistic,
            metric=metric,
            reached=relative_error(estimate),
            estimate=estimate,
            analyses=len(self._all),
        )
        return self.reached.met

    @property
    def next_analysis(self) -> int:
        """The number of trials at which to analyse next; 0 after the last analysis."""
        return self._next

    def pass_over(self) -> None:
        """Leave the next analysis out, because none of its trials has a value."""
        self._next = next(self._looks, 0)

    @property
    def stopped_by(self) -> str:
        """The reason that ends the run: it is precise enough, or all its trials are finished."""
        return PRECISION if self.reached is not None and self.reached.met else TRIALS


def interim_estimate(durations: Sample, p: float, analyses: Sequence[int], trials: int) -> Estimate:
    """The p-quantile after so many trials, which must be one of the analyses, with an interval that holds over all.

    The intervals at all analyses hold together with a probability of 95 %.
    """
    fixed = tuple(analyses)
    return quantile(durations, p, tails_at(fixed, p)[fixed.index(trials)])


def relative_error(estimate: Estimate) -> float:
    """The distance from a value to the further end of its interval, as a share of the value; infinite if unknown."""
    furthest = max(estimate.high - estimate.value, estimate.value - estimate.low)
    if furthest == 0:
        return 0.0
    return furthest / estimate.value if isfinite(furthest) and estimate.value > 0 else float("inf")
