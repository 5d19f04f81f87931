"""A user's own measured failovers, read from a CSV file and laid over the simulated ones."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from simulator.analysis.estimates import Summary, statistic
from simulator.analysis.records.registry import SAMPLES, sample
from simulator.analysis.samples import primary_metric
from simulator.analysis.statistics.estimates import quantiles
from simulator.analysis.statistics.paired import compare_quantiles
from simulator.analysis.statistics.significance import kolmogorov_smirnov
from simulator.analysis.statistics.survival import Sample
from simulator.protocol import SECOND
from simulator.scenario.text.errors import alternatives, shown
from simulator.scenario.text.files import measured as in_nanoseconds
from simulator.scenario.text.files import unit_in
from simulator.scenario.text.units import UNITS

LARGEST_BYTES = 50_000_000
MOST_VALUES = 100_000  # The bootstrap of so many rows takes seconds.
ALPHA = 0.05
_QUANTILES = {"median": 0.5, "p99": 0.99}


class MeasuredError(ValueError):
    """A file of measured values that cannot be used: one line with file, line, column, value and remedy."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """Measured durations: their source, and `values` in seconds, shape (n,)."""

    file: str
    column: str
    values: np.ndarray

    @property
    def metric(self) -> str | None:
        """The metric that the column is named after: `detection` for `detection_ms`; None for other names."""
        stem = self.column.strip().rpartition("_")[0]
        return stem if stem in SAMPLES else None

    def sample(self) -> Sample:
        """The values as a sample without censoring, in seconds."""
        return Sample.of(self.values)


def read_measured(path: str | Path, column: str | None = None, unit: str | None = None) -> Measured:
    """The values in one column of a CSV file with a header, whose name ends in its unit (`failover_ms`) unless it is
    given. Without `column`, the column of failovers is read, or the only column whose name ends in a unit. Raises
    MeasuredError.
    """
    rows = _rows(Path(path))
    _, header = next(rows, (1, []))
    chosen = _column(str(path), header, column, unit)
    name, named = header[chosen], unit_in(header[chosen])
    if unit and named and unit != named:
        raise MeasuredError(f"{path}:1: {shown(name)} ends in its unit; leave --measured-unit {unit} out, or rename it")
    unit = unit or named
    if unit not in UNITS:
        remedy = "as failover_ms does; the first line names columns, with commas between; or say --measured-unit"
        raise MeasuredError(f"{path}:1: {shown(name)} does not end in its unit, {remedy}")
    values = [_value(f"{path}:{line}", name, row, chosen, unit) for line, row in rows]
    if len(values) > MOST_VALUES:
        raise MeasuredError(f"{path}: holds {len(values)} values, and {MOST_VALUES} are enough; thin it out")
    if len(values) < 2:
        raise MeasuredError(f"{path}: holds {len(values)} values of {shown(name)}; a distribution needs two at least")
    return Measured(file=str(path), column=name, values=np.array(values))


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with its line."""
    try:
        if not path.is_file():  # A pipe or a device might never end.
            raise MeasuredError(f"{path}: is not a file")
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MeasuredError(f"{path}: not UTF-8; save the file in that encoding") from None
    except OSError as error:
        raise MeasuredError(f"{path}: cannot be read: {error.strerror or error}") from None
    if len(content) > LARGEST_BYTES:
        raise MeasuredError(f"{path}: larger than {LARGEST_BYTES} bytes; thin it out")
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        raise MeasuredError(f"{path}:{reader.line_num}: not CSV: {error}; save it with commas between cells") from None


def _column(path: str, header: Sequence[str], column: str | None, unit: str | None) -> int:
    """The index of the column to read."""
    if not header:
        raise MeasuredError(f"{path}: is empty; write a header, such as failover_ms, and a value a line")
    if column is not None:
        if column not in header:
            raise MeasuredError(f"{path}:1: there is no column {shown(column)}; {alternatives(column, header)}")
        return header.index(column)
    with_unit = [name for name in header if unit is not None or unit_in(name)]
    for choice in ([name for name in header if name.partition("_")[0] == "failover"], with_unit, header):
        if len(choice) == 1:
            return header.index(choice[0])
    known = ", ".join(map(shown, header))
    raise MeasuredError(f"{path}:1: which column is meant? say --measured-column, one of {known}")


def _value(where: str, name: str, row: Sequence[str], chosen: int, unit: str) -> float:
    """The value of a cell, in seconds."""
    remedy = "write a duration that was measured, or leave the row out"
    if chosen >= len(row) or not row[chosen]:
        raise MeasuredError(f"{where}: {shown(name)}: is missing; {remedy}")
    try:
        return in_nanoseconds(row[chosen], unit) / SECOND
    except ValueError as error:  # The user's own file, which may be quoted.
        raise MeasuredError(f"{where}: {shown(name)}: {shown(row[chosen])} is {error}; {remedy}") from None


# --- Beside simulated values


def matching_sample(elections: pd.DataFrame, measured: Measured) -> tuple[str, Sample]:
    """The simulated metric to compare the measured values with, and its first value in each trial. These first values
    are independent.
    """
    metric = measured.metric or primary_metric(elections, None)
    found = sample(elections, metric)
    _, first = np.unique(found.trials, return_index=True)
    return metric, Sample(found.values[first], found.censored[first], found.trials[first])


def compared_with_measured(elections: pd.DataFrame, measured: Measured) -> Summary:
    """The comparison of the measured with the simulated durations, ready for JSON (docs/results.md)."""
    metric, simulated = matching_sample(elections, measured)
    beside: Summary = {
        "file": measured.file,
        "column": measured.column,
        "metric": metric,
        "count": len(measured.values),
        "simulated_count": len(simulated.values),
        **_quantiles(simulated, measured.sample()),
        **_distance(simulated, measured.sample()),
    }
    return {**beside, "difference": _in_words(beside)}


def _quantiles(simulated: Sample, measured: Sample) -> Summary:
    ps = list(_QUANTILES.values())
    compared = compare_quantiles(simulated, measured, ps, paired=False)
    found = zip(_QUANTILES, quantiles(measured, ps), quantiles(simulated, ps), compared, strict=True)
    return {
        name: {"measured": statistic(here), "simulated": statistic(there), "ratio": statistic(comparison.ratio)}
        for name, here, there, comparison in found
    }


def _distance(simulated: Sample, measured: Sample) -> Summary:
    """The Kolmogorov–Smirnov distance, its p value, the distance that chance alone exceeds once in twenty, and the
    duration at which the distance is the largest.
    """
    names = ("distance", "p", "critical", "furthest_s", "measured_over", "simulated_over")
    if not simulated.values.size:
        return dict.fromkeys(names)
    found = kolmogorov_smirnov(simulated, measured)
    n, m = measured.values.size, simulated.values.size
    critical = math.sqrt(-math.log(ALPHA / 2) / 2 * (n + m) / (n * m))
    ended = np.sort(np.where(simulated.censored, math.inf, simulated.values))
    at = np.unique(np.concatenate([measured.values, ended[np.isfinite(ended)]]))
    shares = [np.searchsorted(values, at, side="right") / len(values) for values in (np.sort(measured.values), ended)]
    furthest = int(np.abs(shares[0] - shares[1]).argmax())
    over = [float(share[furthest]) for share in shares]
    return dict(zip(names, (found.statistic, found.p, critical, float(at[furthest]), *over), strict=True))


def _in_words(beside: Summary) -> str:
    """What differs, in a sentence or two."""
    if beside["distance"] is None:
        return f"Nothing was simulated to compare with: no trial has a {beside['metric']}."
    test = f"distance {beside['distance']:.3f}, p {_p_value(beside['p'])}"
    if beside["p"] >= ALPHA:
        return (
            f"No difference beyond chance ({test}): equal distributions stay below {beside['critical']:.3f} in 95 % of "
            "cases with so many values."
        )
    over = [f"{100 * beside[share]:.0f} %" for share in ("measured_over", "simulated_over")]
    median, p99 = (_times(beside[name]["ratio"]) for name in _QUANTILES)
    return (
        f"They differ ({test}), the most at {beside['furthest_s']:.3g} s, when {over[0]} of the measured and {over[1]} "
        f"of the simulated are over. The measured median is {median} the simulated one, and the p99 {p99}."
    )


def _p_value(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _times(ratio: dict[str, float | None]) -> str:
    value, low, high = (ratio[name] for name in ("value", "low", "high"))
    if value is None:
        return "an unknown number of times"
    return f"{value:.3g} times [{low or 0:.3g} – {'∞)' if high is None else f'{high:.3g}]'}"
