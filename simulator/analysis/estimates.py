"""Estimates and samples, ready for JSON."""

from __future__ import annotations

from math import isfinite
from typing import Any

from simulator.analysis.statistics.estimates import Estimate, Sample, mean, quantiles

Summary = dict[str, Any]
QUANTILES = {"median": 0.5, "p95": 0.95, "p99": 0.99}


def statistic(estimate: Estimate) -> dict[str, float | None]:
    """A value with its 95 % interval. A number is null if it is not reached, not bounded, or without data."""
    return {name: float(x) if isfinite(x) else None for name, x in estimate._asdict().items()}


def summarize_durations(durations: Sample) -> Summary:
    """Count, censored, quantiles, mean and maximum of a sample of durations, in seconds."""
    seen = durations.values[~durations.censored]
    estimates = quantiles(durations, list(QUANTILES.values()))
    return {
        "count": len(durations.values),
        "censored": int(durations.censored.sum()),
        **dict(zip(QUANTILES, map(statistic, estimates), strict=True)),
        "mean": statistic(mean(durations)),
        "max": {"value": float(seen.max()) if len(seen) else None},
    }
