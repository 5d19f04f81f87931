"""What runs are compared by: of each measure its estimate in one run, and the comparison of two, trial by trial.

Of all, less is better. Estimates are those of the summary (docs/results.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from simulator.analysis.samples import primary_elections, sample
from simulator.analysis.statistics.bootstrap import RESAMPLES
from simulator.analysis.statistics.estimates import Estimate, Sample, fraction_by_trial, quantile, ratio
from simulator.analysis.statistics.paired import Comparison, Tally, compare_fraction, compare_quantile, compare_ratio
from simulator.analysis.tables import RunTables


class Measure(Protocol):
    """One figure of a run."""

    @property
    def label(self) -> str:
        """What readers call it."""

    @property
    def unit(self) -> str:
        """`s`; `%`, the figure being a share; or nothing, for a number."""

    def estimate(self, tables: RunTables) -> Estimate:
        """nan without data."""

    def compare(self, before: RunTables, after: RunTables, resamples: int = RESAMPLES) -> Comparison:
        """Both over the same trials, which are pairs."""


@dataclass(frozen=True, slots=True)
class DurationQuantile:
    """A quantile of one of the durations of docs/metrics.md."""

    label: str
    duration: str
    p: float
    unit: str = "s"

    def sample(self, tables: RunTables) -> Sample:
        return sample(tables.elections, self.duration)

    def estimate(self, tables: RunTables) -> Estimate:
        return quantile(self.sample(tables), self.p)

    def compare(self, before: RunTables, after: RunTables, resamples: int = RESAMPLES) -> Comparison:
        return compare_quantile(self.sample(before), self.sample(after), self.p, paired=True, count=resamples)


@dataclass(frozen=True, slots=True)
class Fraction:
    """A share of tries: hits among tries, each a column of the trials table, or summed over the headline searches."""

    label: str
    hits: str
    tries: str
    unit: str = "%"

    def estimate(self, tables: RunTables) -> Estimate:
        return fraction_by_trial(*self._tally(tables))

    def compare(self, before: RunTables, after: RunTables, resamples: int = RESAMPLES) -> Comparison:
        return compare_fraction(self._tally(before), self._tally(after), paired=True)

    def _tally(self, tables: RunTables) -> Tally:
        counts = by_trial(tables)
        return Tally(counts[self.hits], counts[self.tries])


@dataclass(frozen=True, slots=True)
class Ratio:
    """A sum over another, as a share, a mean or a rate."""

    label: str
    amount: str
    exposure: str
    unit: str = ""

    def estimate(self, tables: RunTables) -> Estimate:
        return ratio(*self._tally(tables))

    def compare(self, before: RunTables, after: RunTables, resamples: int = RESAMPLES) -> Comparison:
        return compare_ratio(self._tally(before), self._tally(after), paired=True, count=resamples)

    def _tally(self, tables: RunTables) -> Tally:
        counts = by_trial(tables)
        return Tally(counts[self.amount], counts[self.exposure])


def by_trial(tables: RunTables) -> Mapping[str, np.ndarray]:
    """What is counted in each trial, in order; shape (trials,) each."""
    trials, searches = tables.trials, primary_elections(tables.elections)
    elected = searches[searches["outcome"] == "elected"]
    sent = [str(name) for name in searches.columns if str(name).startswith("sent_")]
    overlaps = trials[["overlaps_same_term", "overlaps_stale_leader", "overlaps_no_term"]].sum(axis=1)

    def summed(values: pd.Series, rows: pd.DataFrame) -> np.ndarray:
        return values.groupby(rows["trial"]).sum().reindex(trials["trial"], fill_value=0).to_numpy(dtype=float)

    return {
        **{name: summed(searches[name], searches) for name in ("rounds", "failed_rounds", "split_votes")},
        "won": summed(elected["trial"] >= 0, elected),
        "won_rounds": summed(elected["rounds"], elected),
        "won_messages": summed(elected[sent].sum(axis=1), elected),
        "trials": np.ones(len(trials)),
        "overlapped": (overlaps > 0).to_numpy(dtype=float),
        "leaderless_s": trials["leaderless_s"].to_numpy(dtype=float),
        "quorum_leaderless_s": trials["quorum_leaderless_s"].to_numpy(dtype=float),
        "disagreement_s": trials["disagreement_s"].to_numpy(dtype=float),
        "false_suspicions": trials["false_suspicions"].to_numpy(dtype=float),
        "observed_s": trials["observed_s"].to_numpy(dtype=float),
        "observed_h": trials["observed_s"].to_numpy(dtype=float) / 3600,
    }


MEASURES: Mapping[str, Measure] = {
    "failover.median": DurationQuantile("failover, median", "failover", 0.5),
    "failover.p99": DurationQuantile("failover, p99", "failover", 0.99),
    "detection.median": DurationQuantile("detection, median", "detection", 0.5),
    "detection.p99": DurationQuantile("detection, p99", "detection", 0.99),
    "election.median": DurationQuantile("election, median", "election", 0.5),
    "election.p99": DurationQuantile("election, p99", "election", 0.99),
    "downtime.median": DurationQuantile("downtime, median", "downtime", 0.5),
    "downtime.p99": DurationQuantile("downtime, p99", "downtime", 0.99),
    "stabilisation.median": DurationQuantile("stabilisation, median", "stabilisation", 0.5),
    "stabilisation.p99": DurationQuantile("stabilisation, p99", "stabilisation", 0.99),
    "split_votes": Fraction("split votes, of the rounds", "split_votes", "rounds"),
    "failed_rounds": Fraction("failed rounds, of the rounds", "failed_rounds", "rounds"),
    "rounds": Ratio("rounds per election", "won_rounds", "won"),
    "messages": Ratio("messages per election", "won_messages", "won"),
    "leaderless": Ratio("leaderless, of the time", "leaderless_s", "observed_s", "%"),
    "quorum_leaderless": Ratio("no leader with a quorum, of the time", "quorum_leaderless_s", "observed_s", "%"),
    "leaders_overlap": Fraction("leaders overlap, of the trials", "overlapped", "trials"),
    "disagreement": Ratio("disagreement, of the time", "disagreement_s", "observed_s", "%"),
    "false_suspicions": Ratio("false suspicions per hour", "false_suspicions", "observed_h"),
}

PRIMARY = ("failover.median", "failover.p99", "split_votes", "messages", "leaderless", "leaders_overlap")
COLD_START = ("stabilisation.median", "stabilisation.p99", *PRIMARY[2:])
