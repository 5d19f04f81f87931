"""How much worse the network may get before settings no longer keep the bound on false elections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

from simulator.analysis.estimates import Summary

_PRECISION = 1.05  # The ratio of the two factors at which the bisection ends.
_MOST = 64.0


@dataclass(frozen=True, slots=True)
class Margin:
    """The greatest factor of all latencies at which the bound was shown to be kept, and the least at which it was not.

    `fails_at` is None if it was kept at every factor that was tried.
    """

    kept_at: float
    fails_at: float | None

    def summary(self) -> Summary:
        """As `tune.json` has it."""
        return {"latency_factor": {"kept_at": self.kept_at, "fails_at": self.fails_at}}


def find_margin(keeps: Callable[[float, int], bool]) -> Margin:
    """Double the factor until the bound fails, then bisect, evenly by ratio.

    `keeps(factor, number)` says whether the bound is shown to be kept at a factor; `number` counts the calls. It is
    called with the same random numbers each time, and assumed to fail beyond the factor at which it fails first.
    """
    number, kept_at, fails_at = 1, 1.0, 2.0
    while keeps(fails_at, number):
        number, kept_at, fails_at = number + 1, fails_at, 2 * fails_at
        if fails_at > _MOST:
            return Margin(kept_at, None)
    while fails_at / kept_at > _PRECISION:
        number += 1
        middle = float(f"{sqrt(kept_at * fails_at):.3g}")
        if keeps(middle, number):
            kept_at = middle
        else:
            fails_at = middle
    return Margin(kept_at, fails_at)
