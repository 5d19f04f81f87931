"""Estimates, ready for JSON."""

from __future__ import annotations

from math import isfinite
from typing import Any

from simulator.analysis.statistics.estimates import Estimate

Summary = dict[str, Any]


def statistic(estimate: Estimate) -> dict[str, float | None]:
    """A value with its 95 % interval; null where it is not reached, not bounded, or has no data."""
    return {name: float(x) if isfinite(x) else None for name, x in estimate._asdict().items()}
