"""Compares a run with the published figures that its scenario names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simulator.analysis.estimates import Summary, statistic
from simulator.analysis.records.registry import sample
from simulator.analysis.statistics.estimates import Sample, quantiles
from simulator.analysis.statistics.survival import ecdf
from simulator.cluster.distributions import durations as drawn
from simulator.protocol import SECOND
from simulator.randomness import Streams

if TYPE_CHECKING:
    from simulator.scenario.published import Published


def counted_as_published(elections: pd.DataFrame, published: Published, seed: int) -> Sample:
    """The durations of the published metric, each counted from where the published ones were, at random."""
    found = sample(elections, published.metric)
    if published.counted_from is None:
        return found
    offsets = drawn(published.counted_from.value(), Streams(seed, 0), "counted from")
    values = found.values - np.fromiter(offsets, dtype=float, count=found.values.size) / SECOND
    return Sample(np.maximum(values, 0), found.censored, found.trials)


def compared_with_published(elections: pd.DataFrame, published: Published, seed: int) -> Summary:
    """The published quantiles beside the simulated ones, and the largest distance between the two distributions.

    The distance is |F(q_p) - p| over the published quantiles q_p, F being the simulated distribution: a
    Kolmogorov-Smirnov distance, looked at where something is published.
    """
    found = counted_as_published(elections, published, seed)
    ps = [p for p, _ in published.quantiles]
    values = [value_ns / SECOND for _, value_ns in published.quantiles]
    simulated = quantiles(found, ps)
    return {
        "metric": published.metric,
        "source": published.source,
        "distance": _distance(found, ps, values),
        "quantiles": [
            {"p": p, "published": value, "simulated": statistic(estimate)}
            for p, value, estimate in zip(ps, values, simulated, strict=True)
        ],
        "mean": None if published.mean is None else published.mean / SECOND,
    }


def published_part(elections: pd.DataFrame, published: Published | None, seed: int) -> Summary:
    """The part of a summary about published figures: `published`, or `published_left_out` with what was changed.

    Empty if the scenario has none.
    """
    if published is None:
        return {}
    if published.changed:
        cited = {"metric": published.metric, "source": published.source}
        return {"published_left_out": cited | {"changed": list(published.changed)}}
    return {"published": compared_with_published(elections, published, seed)}


def _distance(found: Sample, ps: Sequence[float], values: Sequence[float]) -> float | None:
    if not ps or not found.values.size:
        return None
    curve = ecdf(found)
    reached = np.concatenate(([0.0], curve.probabilities))[np.searchsorted(curve.times, values, side="right")]
    return float(np.abs(reached - np.asarray(ps)).max())
