"""A distribution of durations whose every draw is a multiple of another one's: a network that is slower throughout."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from simulator.cluster.distributions import AtLeast, Distribution, Empirical, Mixture
from simulator.cluster.histogram import Bucket, Halved, Histogram
from simulator.cluster.network.topology import Topology
from simulator.protocol import Nanoseconds

_SHAPES = frozenset(("shape", "sigma"))  # Parameters that are no durations.


def scaled(distribution: Distribution, factor: float) -> Distribution:
    """The distribution of `factor` times its durations. The same random numbers give the same ranks.

    Every law here is a scale family, or consists of such laws, so only its parameters change. They are rounded to
    nanoseconds.
    """
    if factor == 1:
        return distribution
    if isinstance(distribution, Mixture):
        return Mixture(tuple((weight, scaled(part, factor)) for weight, part in distribution.parts))
    if isinstance(distribution, AtLeast):
        return AtLeast(scaled_ns(distribution.bound, factor), scaled(distribution.of, factor))
    if isinstance(distribution, Halved):
        return Halved(_scaled_histogram(distribution.of, factor))
    if isinstance(distribution, Histogram):
        return _scaled_histogram(distribution, factor)
    if isinstance(distribution, Empirical):
        return Empirical(tuple(scaled_ns(sample, factor) for sample in distribution.samples))
    found: Distribution = _scaled_parameters(distribution, factor)
    return found


def scaled_topology(topology: Topology, factor: float) -> Topology:
    """The topology with `factor` times its base latencies."""
    base = tuple(tuple(scaled_ns(latency_ns, factor) for latency_ns in row) for row in topology.base)
    return replace(topology, base=base)


def scaled_ns(duration_ns: Nanoseconds, factor: float) -> Nanoseconds:
    """A multiple of a duration, rounded to a nanosecond."""
    return duration_ns if factor == 1 else round(duration_ns * factor)


def _scaled_histogram(histogram: Histogram, factor: float) -> Histogram:
    buckets = tuple(
        Bucket(scaled_ns(low, factor), scaled_ns(high, factor), number) for low, high, number in histogram.buckets
    )
    return Histogram(buckets, scaled_ns(histogram.total_ns, factor))


def _scaled_parameters(distribution: Any, factor: float) -> Any:
    """A positive parameter stays positive: nothing is drawn from a law of width 0."""
    names = [parameter.name for parameter in fields(distribution) if parameter.name not in _SHAPES]
    values = {name: getattr(distribution, name) for name in names}
    return replace(
        distribution, **{name: max(scaled_ns(value, factor), int(value > 0)) for name, value in values.items()}
    )
