"""What a comparison of two sets of trials says, and what it is made from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.analysis.statistics.bootstrap import FloatArray
from simulator.analysis.statistics.estimates import NO_DATA, Estimate

LEVELS = (0.95, 0.9)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed between `before` and `after`. A value that does not exist is nan. An end of an interval is infinite
    if the data do not bound the value there.
    """

    difference: Estimate  # after - before
    ratio: Estimate  # after / before
    ratio_90: Estimate  # The 90 % interval belongs to the two one-sided tests of equivalence at 5 %.
    p: float  # The p value of no difference: one minus the confidence of the interval that just reaches 0.
    n: int  # The number of pairs of trials; without pairs, the number of trials of the smaller set.


NOTHING_TO_COMPARE = Comparison(NO_DATA, NO_DATA, NO_DATA, math.nan, 0)


class Tally(NamedTuple):
    """An amount and its exposure, shape (trials,) each: successes and attempts, or time leaderless and observed.

    A trial does not count if its exposure is 0 or nan.
    """

    amounts: npt.ArrayLike
    exposures: npt.ArrayLike

    def cleaned(self) -> FloatArray:
        """Amounts and exposures, shape (2, trials). Both are 0 for a trial without an observation."""
        amounts, exposures = (np.asarray(part, dtype=np.float64) for part in self)
        return np.where(exposures > 0, np.stack([amounts, exposures]), 0.0)


def cleaned(before: Tally, after: Tally, paired: bool) -> tuple[FloatArray, FloatArray]:
    """Both tallies cleaned. Raises ValueError if the trials are pairs and their numbers differ."""
    old, new = before.cleaned(), after.cleaned()
    if paired and old.shape != new.shape:
        raise ValueError(f"{old.shape[1]} trials before and {new.shape[1]} after do not make pairs")
    return old, new
