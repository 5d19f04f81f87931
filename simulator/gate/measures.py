"""The figures that the gate compares, and for each: its value, how much it changed, and whether by more than chance.

Trial 17 of one run is the pair of trial 17 of the other: they had the same seed. If the code still draws the same
random numbers, pairs are alike and small changes show. If it does not, the two trials of a pair are independent. The
tests stay valid: they assume only that, without a change, the two trials of a pair are exchangeable.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from simulator.analysis.records.registry import GATE_FIGURES
from simulator.analysis.statistics.comparison import Tally
from simulator.analysis.statistics.estimates import Estimate, quantile
from simulator.analysis.statistics.paired import compare_quantile, compare_ratio
from simulator.analysis.statistics.proportions import compare_fraction
from simulator.analysis.statistics.sign_flips import sign_flip_test
from simulator.analysis.statistics.significance import quantile_test
from simulator.gate.trial_figures import TrialFigures


class Measure(Protocol):
    """One figure that the gate compares. Smaller values are better."""

    @property
    def unit(self) -> str:
        """`s`; `%` for a proportion, `/s` for a rate; or nothing, for a number."""

    def name(self, of: TrialFigures) -> str:
        """As reports call it."""

    def value(self, of: TrialFigures) -> float:
        """Infinite if censoring hides it; nan without data."""

    def p_value(self, before: TrialFigures, after: TrialFigures) -> float:
        """The chance of such a change, or a larger one, if both runs have the same distribution; nan without data."""

    def least_p(self, before: TrialFigures, after: TrialFigures) -> float:
        """The smallest p value that is possible with this number of trials: what `p_value` is if all pairs agree."""

    def ratio(self, before: TrialFigures, after: TrialFigures) -> Estimate:
        """The ratio after / before, with its 95 % interval."""


@dataclass(frozen=True, slots=True)
class DurationQuantile:
    """A quantile of the primary durations. Tested by McNemar's exact test of how many trials exceed it."""

    label: str
    p: float
    unit: str = "s"

    def name(self, of: TrialFigures) -> str:
        return f"{of.duration}, {self.label}"

    def value(self, of: TrialFigures) -> float:
        return quantile(of.durations, self.p).value

    def p_value(self, before: TrialFigures, after: TrialFigures) -> float:
        return quantile_test(before.durations, after.durations, self.p, paired=True).p

    def least_p(self, before: TrialFigures, after: TrialFigures) -> float:
        values = before.durations.values.size + after.durations.values.size
        # The trials beyond the quantile, in both runs. The p value is the least if all of them are in one run.
        exceeding = math.floor((1 - self.p) * values + 1e-9)
        return _all_agree(min(exceeding, len(before.digests), len(after.digests)))

    def ratio(self, before: TrialFigures, after: TrialFigures) -> Estimate:
        return compare_quantile(before.durations, after.durations, self.p, paired=True).ratio


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted in each trial: its mean, or its proportion of (`%`) or rate in (`/s`) what it is counted among.

    Tested by Fisher's exact test of the paired differences: of the counts, or of the trials' rates.
    """

    label: str
    column: str
    among: str | None = None
    unit: str = ""

    def name(self, of: TrialFigures) -> str:
        return self.label

    def value(self, of: TrialFigures) -> float:
        amounts, exposures = self._tally(of)
        total = float(np.sum(exposures))
        return float(np.sum(amounts)) / total if total else math.nan

    def p_value(self, before: TrialFigures, after: TrialFigures) -> float:
        old, new = (self._rates(of) if self.unit == "/s" else of.counts[self.column] for of in (before, after))
        return sign_flip_test(new - old)

    def least_p(self, before: TrialFigures, after: TrialFigures) -> float:
        return _all_agree(min(len(before.digests), len(after.digests)))

    def ratio(self, before: TrialFigures, after: TrialFigures) -> Estimate:
        compare = compare_fraction if self.unit == "%" else compare_ratio
        return compare(self._tally(before), self._tally(after), paired=True).ratio

    def _tally(self, of: TrialFigures) -> Tally:
        amounts = of.counts[self.column].astype(np.float64)
        if self.among is None:
            return Tally(amounts, np.ones(amounts.size))
        exposures = of.counts[self.among].astype(np.float64)
        # The values are read in microseconds.
        return Tally(amounts, exposures / 1e6 if self.unit == "/s" else exposures)

    def _rates(self, of: TrialFigures) -> npt.NDArray[np.float64]:
        amounts, exposures = map(np.asarray, self._tally(of))
        return np.asarray(np.divide(amounts, exposures, out=np.zeros(amounts.size), where=exposures > 0))


def _all_agree(pairs: int) -> float:
    """The two-sided p value of an exact test in which all these pairs differ in the same direction."""
    return min(1.0, 2.0 ** (1 - pairs))


MEASURES: Sequence[Measure] = (
    DurationQuantile("median", 0.5),
    DurationQuantile("p99", 0.99),
    *(Counted(figure.label, figure.amount, figure.exposure, figure.unit) for figure in GATE_FIGURES),
)
