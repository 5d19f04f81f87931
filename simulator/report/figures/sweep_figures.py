"""The figures of a sweep: curves over the values of an axis, and a heat map over two axes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np

from simulator.analysis.records.registry import MEASURES
from simulator.analysis.statistics.estimates import Estimate
from simulator.report.figures.results import save
from simulator.report.figures.sweeps import Curve, Quantity, map_figure, sweep_figure
from simulator.scenario.text.units import parse_duration

Summary = Mapping[str, Any]
_MOST_CURVES = 7
_WIDE = 10.0  # An axis is logarithmic if its largest value is at least this multiple of its smallest.


def write_sweep_figures(found: Summary, directory: Path) -> list[Path]:
    """Write the figures that fit the axes, for each metric that is not 0 in all cells. Returns the paths.

    One axis of numbers or durations gives curves, one for each combination of the other axes (7 at most); exactly two
    axes give a heat map as well. Points of a sample have no figure.
    """
    rows = [row for row in found["cells"] if "metrics" in row]
    if not rows:
        return []
    axes = [fields[0] for fields in found["axes"]]
    sampled = found.get("sample") is not None
    written: list[Path] = []
    for key in found["metrics"]:
        if not any(row["metrics"][key]["value"] for row in rows):
            continue
        if not sampled and (curves := _curves(rows, axes, key)) is not None:
            written += save(curves, directory / f"{key.replace('.', '-')}.png")
        if (heat := _map(rows, axes, key, str(found["name"]), sampled)) is not None:
            written += save(heat, directory / f"{key.replace('.', '-')}-map.png")
    return written


def _curves(rows: Sequence[Summary], axes: Sequence[str], key: str) -> Any:
    across = next((axis for axis in reversed(axes) if _numbers([row["settings"].get(axis) for row in rows])), None)
    if across is None:
        return None
    series: dict[str, dict[float, Estimate]] = {}
    for row in rows:
        others = ", ".join(_named(axis, row["settings"].get(axis, "")) for axis in axes if axis != across)
        value = _number(row["settings"][across])
        if value in series.setdefault(others, {}):
            return None
        series[others][value] = _estimate(row["metrics"][key], _factor(key))
    known = {name: {at: e for at, e in points.items() if np.isfinite(e.value)} for name, points in series.items()}
    known = {name: points for name, points in known.items() if points}
    ats = [at for points in known.values() for at in points]
    if not known or len(known) > _MOST_CURVES or max(map(len, known.values())) < 2:
        return None
    curves = {name: _curve(points) for name, points in known.items()}
    durations = any(not re.fullmatch(r"[\d.]+", str(row["settings"][across])) for row in rows)
    wide = min(ats) > 0 and max(ats) / min(ats) >= _WIDE
    parameter = Quantity(name=across + (" (ms)" if durations else ""), log=wide)
    return sweep_figure(curves, parameter, _quantity(key))


def _curve(points: Mapping[float, Estimate]) -> Curve:
    return Curve(at=sorted(points), estimates=[points[at] for at in sorted(points)])


def _map(rows: Sequence[Summary], axes: Sequence[str], key: str, title: str, sampled: bool) -> Any:
    if len(axes) != 2 or sampled:
        return None
    up, across = axes
    labels = {axis: list(dict.fromkeys(row["settings"][axis] for row in rows)) for axis in axes}
    if len(labels[up]) * len(labels[across]) < 4 or len(labels[up]) > 40 or len(labels[across]) > 40:
        return None
    values = np.full((len(labels[up]), len(labels[across])), nan)
    for row in rows:
        place = labels[up].index(row["settings"][up]), labels[across].index(row["settings"][across])
        value = _estimate(row["metrics"][key], _factor(key)).value
        values[place] = value if np.isfinite(value) else nan
    if not np.isfinite(values).any():
        return None
    return map_figure(values, (across, labels[across]), (up, labels[up]), _quantity(key), title=title)


def _quantity(key: str) -> Quantity:
    measure = MEASURES[key]
    unit = {"s": " (ms)", "%": "", "": ""}.get(measure.unit, f" ({measure.unit})")
    return Quantity(name=measure.label + unit, share=measure.unit == "%")


def _factor(key: str) -> float:
    return 1e3 if MEASURES[key].unit == "s" else 1.0


def _estimate(found: Summary, factor: float) -> Estimate:
    value, low, high = (found.get(name) for name in ("value", "low", "high"))
    if value is None:
        return Estimate(nan, nan, nan)
    return Estimate(value * factor, -inf if low is None else low * factor, inf if high is None else high * factor)


def _numbers(texts: Sequence[str | None]) -> bool:
    return len(set(texts)) > 1 and all(text is not None and np.isfinite(_number(text)) for text in texts)


def _number(text: str) -> float:
    """The number that a text stands for, with a duration in milliseconds. nan for other texts."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return parse_duration(text) / 1e6
    except ValueError:
        return nan


def _named(axis: str, text: str) -> str:
    name = axis.rpartition(".")[2]
    return text if axis in ("algorithm", "scenario") else f"{name} {text}"
