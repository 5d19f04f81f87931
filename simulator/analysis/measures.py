"""The kinds of figures by which runs are compared: the estimate in one run, and the comparison of two, trial by trial.

Less is better in every measure. The estimates are those of the summary (docs/results.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from simulator.analysis.records.counts import count
from simulator.analysis.samples import primary_elections
from simulator.analysis.statistics.bootstrap import RESAMPLES
from simulator.analysis.statistics.estimates import Estimate, Sample, fraction_by_trial, quantile, ratio
from simulator.analysis.statistics.paired import Comparison, Tally, compare_fraction, compare_quantile, compare_ratio
from simulator.analysis.tables import Tables


class Measure(Protocol):
    """One figure of a run."""

    @property
    def label(self) -> str:
        """What tables call it."""

    @property
    def unit(self) -> str:
        """`s`, `%` for a proportion, or nothing for a number."""

    def estimate(self, tables: Tables) -> Estimate:
        """Its value in one run, with an interval; nan without data."""

    def compare(self, before: Tables, after: Tables, resamples: int = RESAMPLES) -> Comparison:
        """Two runs of the same trials compared: trials of the same number are pairs."""


@dataclass(frozen=True, slots=True)
class DurationQuantile:
    """A quantile of a duration among the primary elections. `select` finds the duration's values among elections."""

    label: str
    duration: str
    select: Callable[[pd.DataFrame], Sample]
    p: float
    unit: str = "s"

    def sample(self, tables: Tables) -> Sample:
        """All values of one run."""
        return self.select(primary_elections(tables.elections))

    def estimate(self, tables: Tables) -> Estimate:
        """See Measure."""
        return quantile(self.sample(tables), self.p)

    def compare(self, before: Tables, after: Tables, resamples: int = RESAMPLES) -> Comparison:
        """See Measure."""
        return compare_quantile(self.sample(before), self.sample(after), self.p, paired=True, count=resamples)


@dataclass(frozen=True, slots=True)
class Fraction:
    """A proportion of trials that succeed: both are names that `count` takes."""

    label: str
    successes: str
    trials: str
    unit: str = "%"

    def estimate(self, tables: Tables) -> Estimate:
        """See Measure."""
        return fraction_by_trial(*self._tally(tables))

    def compare(self, before: Tables, after: Tables, resamples: int = RESAMPLES) -> Comparison:
        """See Measure. No resamples are drawn: the intervals have closed forms."""
        return compare_fraction(self._tally(before), self._tally(after), paired=True)

    def _tally(self, tables: Tables) -> Tally:
        return Tally(count(self.successes, tables), count(self.trials, tables))


@dataclass(frozen=True, slots=True)
class Ratio:
    """The sum of an amount over the sum of an exposure, as a mean, a rate or a proportion of time.

    `amount` and `exposure` are names that `count` takes.
    """

    label: str
    amount: str
    exposure: str
    unit: str = ""

    def estimate(self, tables: Tables) -> Estimate:
        """See Measure."""
        return ratio(*self._tally(tables))

    def compare(self, before: Tables, after: Tables, resamples: int = RESAMPLES) -> Comparison:
        """See Measure. No resamples are drawn: the intervals have closed forms."""
        return compare_ratio(self._tally(before), self._tally(after), paired=True)

    def _tally(self, tables: Tables) -> Tally:
        return Tally(count(self.amount, tables), count(self.exposure, tables))
