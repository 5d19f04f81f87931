"""The scrapes of a trial as a text in the OpenMetrics format, each sample with its instant in simulated seconds.

`promtool tsdb create-blocks-from openmetrics` reads such a file into Prometheus. Specification: OpenMetrics 1.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from simulator.report.monitoring.scrapes import BUCKETS_S, DURATION, METRICS, Metric, Scrapes

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family
JOB = "electsim"


def openmetrics(found: Scrapes) -> bytes:
    """The text, in UTF-8. Labels are those that Prometheus gives to what it scrapes: `instance` and `job`."""
    from prometheus_client.openmetrics.exposition import generate_latest  # Rarely needed.

    text: bytes = generate_latest(_Collected(found))  # type: ignore[no-untyped-call]
    return text


class _Collected:
    """What the library asks for its families."""

    def __init__(self, found: Scrapes) -> None:
        self._found = found

    def collect(self) -> Iterator[Family]:
        return (_family(metric, self._found) for metric in METRICS)


def _family(metric: Metric, found: Scrapes) -> Family:
    from prometheus_client.core import Metric as Family

    family = Family(metric.name.removesuffix("_total"), metric.help, metric.kind, metric.unit)
    for node in found.nodes:
        labels = {"instance": f"n{node}", "job": JOB}
        if metric is DURATION:
            _add_durations(family, labels, found.seconds, found.durations[node])
            continue
        for instant, value in zip(found.seconds, found.values[metric.name][node], strict=True):
            if not np.isnan(value):
                family.add_sample(metric.name, labels, float(value), _timestamp(instant))
    return family


def _add_durations(family: Family, labels: dict[str, str], seconds: np.ndarray, samples: np.ndarray) -> None:
    bounds = [*(f"{bound:g}" for bound in BUCKETS_S), "+Inf"]
    for instant, sample in zip(seconds, samples, strict=True):
        if np.isnan(sample[0]):
            continue
        at = _timestamp(instant)
        cumulated = np.cumsum(sample[:-1])
        for bound, count in zip(bounds, cumulated, strict=True):
            family.add_sample(f"{DURATION.name}_bucket", {**labels, "le": bound}, int(count), at)
        family.add_sample(f"{DURATION.name}_count", labels, int(cumulated[-1]), at)
        family.add_sample(f"{DURATION.name}_sum", labels, float(sample[-1]), at)


def _timestamp(instant: float) -> float:
    return float(instant)
