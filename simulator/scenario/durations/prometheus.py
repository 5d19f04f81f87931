"""Reads a histogram from a text file as Prometheus scrapes it, which a scenario names.

No error quotes what is in the file (`simulator.scenario.text.files`). So an error of the parser, which quotes a line,
never reaches the user: only the number of the line does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from simulator.protocol import Nanoseconds
from simulator.scenario.text.errors import shown
from simulator.scenario.text.files import measured, read_lines
from simulator.scenario.text.units import LONGEST, UNITS

_LARGEST_FILE = 4_000_000
_LONGEST_LINE = 4_000
_SAME = "give two scrapes of the same processes"
_LARGEST_COUNT = 1 << 53  # Larger numbers are not exact in this format.

Buckets: TypeAlias = dict[Nanoseconds | None, int]  # Cumulative counts by upper bound; None: without a bound.


@dataclass(slots=True)
class Series:
    """The histogram of one set of labels, at the instant of a scrape."""

    buckets: Buckets = field(default_factory=dict)
    sum_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """Which histogram is read: the metric's name, labels that its series must have, and the unit of its numbers."""

    metric: str
    labels: Mapping[str, str]
    unit: str


def read_histogram(query: Query, file: str, since: str | None) -> Series:
    """The sum of all series that the query fits, less what they held in the earlier scrape `since`.

    Raises ValueError with file and line.
    """
    series = _series(query, file)
    if since is not None:
        earlier = _series(query, since)
        if not earlier.keys() <= series.keys():
            raise ValueError(f"{shown(file)} lacks a series that {shown(since)} has; {_SAME}")
        series = {labels: _since(now, earlier.get(labels), file, since) for labels, now in series.items()}
    total = Series(sum_ns=0)
    for one in series.values():
        if total.buckets and one.buckets.keys() != total.buckets.keys():
            raise ValueError(
                f"{shown(file)} has series of {shown(query.metric)} with different buckets; "
                "give labels that tell them apart"
            )
        total.buckets = {bound: total.buckets.get(bound, 0) + count for bound, count in one.buckets.items()}
        total.sum_ns = (total.sum_ns or 0) + (one.sum_ns or 0)
    return total


def _since(now: Series, before: Series | None, file: str, since: str) -> Series:
    """What a series has gained since an earlier scrape."""
    if before is None:  # The process has added this series between the two scrapes, so the series began at 0.
        return now
    if now.buckets.keys() != before.buckets.keys():
        raise ValueError(f"{shown(file)} has other buckets than {shown(since)}; {_SAME}")
    gained = {bound: count - before.buckets[bound] for bound, count in now.buckets.items()}
    sum_ns = (now.sum_ns or 0) - (before.sum_ns or 0)
    if min(gained.values()) < 0 or sum_ns < 0:
        raise ValueError(
            f"{shown(file)} counts fewer durations than {shown(since)}; "
            "give the earlier scrape as since, and none from before a restart"
        )
    return Series(gained, sum_ns)


def _series(query: Query, name: str) -> dict[frozenset[tuple[str, str]], Series]:
    """The series of a file that the query fits, by their labels without `le`."""
    found: dict[frozenset[tuple[str, str]], Series] = {}
    for where, part, labels, value in _samples(query, name):
        bound = labels.pop("le", None)
        series = found.setdefault(frozenset(labels.items()), Series())
        try:
            if part == "_sum":
                known = series.sum_ns is not None
                series.sum_ns = _nanoseconds(value, query.unit)
            else:
                limit = _bound(bound, query.unit)
                known = limit in series.buckets
                series.buckets[limit] = _count(value)
            if known:
                raise ValueError("repeats a series; give one scrape, or each process a label of its own")
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
    found = {labels: series for labels, series in found.items() if series.buckets}
    if not found:
        with_labels = " with these labels" if query.labels else ""
        raise ValueError(f"{shown(name)} holds no histogram {shown(query.metric)}{with_labels}")
    for series in found.values():
        if series.sum_ns is None or None not in series.buckets:
            raise ValueError(
                f"{shown(name)} lacks the _sum or the last bucket of {shown(query.metric)}; give a whole scrape"
            )
    return found


def _samples(query: Query, name: str) -> Iterator[tuple[str, str, dict[str, str], float]]:
    """File and line, the suffix of the name, the labels and the value of each sample of the histogram."""
    from prometheus_client.parser import text_string_to_metric_families  # Rarely needed.

    for number, line in enumerate(read_lines(name, _LARGEST_FILE), start=1):
        if not line.lstrip().startswith((query.metric, "{")):  # The metric's name may stand within the braces.
            continue
        where = f"{shown(name)}:{number}"
        if len(line) > _LONGEST_LINE:
            raise ValueError(f"{where}: is longer than {_LONGEST_LINE} characters")
        try:
            samples = [sample for family in text_string_to_metric_families(line) for sample in family.samples]
        except Exception:  # The parser raises errors of several kinds, and they quote the line.
            raise ValueError(f"{where}: is not in Prometheus' text format") from None
        for sample in samples:
            part = sample.name.removeprefix(query.metric)
            if part in ("_bucket", "_sum") and query.labels.items() <= sample.labels.items():
                yield where, part, dict(sample.labels), sample.value


def _bound(text: str | None, unit: str) -> Nanoseconds | None:
    if text is None:
        raise ValueError("a bucket has no label le")
    return None if text in ("+Inf", "Inf", "inf") else measured(text, unit)


def _count(value: float) -> int:
    if not (math.isfinite(value) and 0 <= value <= _LARGEST_COUNT and value == int(value)):
        raise ValueError("not a count")
    return int(value)


def _nanoseconds(value: float, unit: str) -> int:
    if not (math.isfinite(value) and 0 <= value <= LONGEST / UNITS[unit]):
        raise ValueError(f"not a sum of durations, which is 0 or more, and at most {LONGEST // UNITS['h']}h")
    return round(Decimal(value) * UNITS[unit])
