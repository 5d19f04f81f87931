"""Run until the primary statistic is precise enough: when to analyse, and how precise it is by then.

To stop at the first interim analysis with a narrow enough interval is a fixed-width sequential procedure (Chow and
Robbins 1965): it depends on the width of the interval, and not on its position.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import pandas as pd

from simulator.analysis.estimates import QUANTILES, Summary
from simulator.analysis.records.registry import sample
from simulator.analysis.samples import primary_metric
from simulator.analysis.statistics.estimates import Estimate, quantile

if TYPE_CHECKING:
    from simulator.scenario.published import Published

PRECISION, TRIALS = "precision", "trials"  # The reasons that end a run with a requested precision.
FIRST_ANALYSIS = 100
# The growth from one analysis to the next; all analyses together then cost little more than the last one.
_GROWTH = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """How precisely a statistic of the primary metric is known: to within a proportion of its value, 0.05 for 5 %.

    `reached` is infinite if the value or an end of its interval is not known.
    """

    asked: float
    statistic: str  # A key of QUANTILES.
    metric: str
    reached: float

    @property
    def met(self) -> bool:
        """Whether the interval is as narrow as was asked for."""
        return self.reached <= self.asked

    def summary(self) -> Summary:
        """As `summary.json` keeps it."""
        reached = self.reached if isfinite(self.reached) else None
        return {"asked": self.asked, "metric": self.metric, "statistic": self.statistic, "reached": reached}


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
        self._looks = interim_analyses(most)
        self._next = next(self._looks)

    def is_precise_enough(self, trials: int, elections: Callable[[], pd.DataFrame]) -> bool:
        """Whether to stop after this many trials. The elections so far are only asked for when an analysis is due."""
        if trials != self._next:
            return False
        self._next = next(self._looks, 0)
        found = elections()
        metric = primary_metric(found, self._published)
        error = relative_error(quantile(sample(found, metric), QUANTILES[self._statistic]))
        self.reached = Precision(asked=self._asked, statistic=self._statistic, metric=metric, reached=error)
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


def relative_error(estimate: Estimate) -> float:
    """The distance from a value to the further end of its interval, as a share of the value; infinite if unknown."""
    furthest = max(estimate.high - estimate.value, estimate.value - estimate.low)
    if furthest == 0:
        return 0.0
    return furthest / estimate.value if isfinite(furthest) and estimate.value > 0 else float("inf")
