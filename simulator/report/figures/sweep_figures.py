"""The figures of a sweep: which curves and which heat maps fit its axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf, isfinite, nan
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from simulator.analysis.records.registry import MEASURES
from simulator.analysis.statistics.estimates import Estimate
from simulator.report.figures.multiples import Axis, Map, Panel, curves_figure, maps_figure
from simulator.report.figures.results import save
from simulator.report.figures.sweeps import Curve, Quantity
from simulator.scenario.text.units import parse_duration

Summary = Mapping[str, Any]
_MOST_CURVES, _MOST_PANELS = 7, 12
_MOST_OF_A_MAP = 40  # Rows, or columns.
_WIDE = 10.0  # An axis is logarithmic if its largest value is at least this multiple of its smallest.


def write_sweep_figures(found: Summary, directory: Path) -> list[Path]:
    """Write the figures that fit the axes, for each metric that is not 0 in all cells. Returns the paths.

    Curves go over the last axis of numbers or durations (points over categories, if there is none), one for each value
    of the last other axis (7 at most), in a panel for each combination of the remaining ones (12 at most). Two axes or
    more give a heat map, with a panel likewise. The points of a sample have a panel for each axis.
    """
    rows = [row for row in found["cells"] if "metrics" in row]
    axes = [_values(str(fields[0]), rows) for fields in found["axes"]]
    axes = [axis for axis in axes if len(axis.texts) > 1]
    written: list[Path] = []
    for key in found["metrics"]:
        if not axes or not any(row["metrics"][key]["value"] for row in rows):
            continue
        title, file = str(found["name"]), directory / f"{key.replace('.', '-')}.png"
        if found.get("sample") is not None:
            panels = [_points(axis, rows, key) for axis in axes]
        else:
            panels = _panels(axes, rows, key)
            if (heat := _maps(axes, rows, key, title)) is not None:
                written += save(heat, file.with_stem(f"{file.stem}-map"))
        panels = [panel for panel in panels if panel.curves]
        if panels:
            written += save(curves_figure(panels, _quantity(key), title=title), file)
    return written


@dataclass(frozen=True, slots=True)
class _Values:
    """An axis of the sweep: its field, and the texts of its values in order."""

    field: str
    texts: Sequence[str]

    @property
    def numeric(self) -> bool:
        """Whether all values are numbers or durations."""
        return all(isfinite(_number(text)) for text in self.texts)

    def at(self, text: str) -> float:
        """Where a value is on the axis: a number, milliseconds, or its place among the categories."""
        return _number(text) if self.numeric else float(self.texts.index(text))

    def axis(self, *, joined: bool = True) -> Axis:
        """As the figure draws it."""
        labels = {self.at(text): text for text in self.texts}
        wide = self.numeric and min(labels) > 0 and max(labels) / min(labels) >= _WIDE
        plain = all(text.removesuffix("%").replace(".", "").isdigit() for text in self.texts)
        unit = "" if plain or not self.numeric else "ms"
        return Axis(name=self.field, labels=labels, unit=unit, numeric=self.numeric, log=wide, joined=joined)


def _values(field: str, rows: Sequence[Summary]) -> _Values:
    return _Values(field, list(dict.fromkeys(str(row["settings"].get(field)) for row in rows)))


def _panels(axes: Sequence[_Values], rows: Sequence[Summary], key: str) -> list[Panel]:
    """A panel for each combination of the values of the axes that are neither horizontal nor told by colour."""
    across = next((axis for axis in reversed(axes) if axis.numeric), axes[-1])
    others = [axis for axis in axes if axis is not across]
    series, further = (others[-1], others[:-1]) if others else (None, [])
    count = int(np.prod([len(axis.texts) for axis in further]))
    if count > _MOST_PANELS or (series is not None and len(series.texts) > _MOST_CURVES):
        return []
    panels = []
    for chosen in product(*(axis.texts for axis in further)):
        there = {axis.field: text for axis, text in zip(further, chosen, strict=True)}
        inside = [row for row in rows if there.items() <= row["settings"].items()]
        curves = {
            "" if name is None else _named(series, name): _curve(across, inside, key, series, name)
            for name in ([None] if series is None else series.texts)
        }
        panels.append(
            Panel(
                title=", ".join(_named(axis, text) for axis, text in zip(further, chosen, strict=True)),
                curves={name: curve for name, curve in curves.items() if curve.at},
                axis=across.axis(),
            )
        )
    return panels


def _curve(across: _Values, rows: Sequence[Summary], key: str, series: _Values | None, name: str | None) -> Curve:
    inside = [row for row in rows if series is None or row["settings"].get(series.field) == name]
    found = {across.at(str(row["settings"][across.field])): _estimate(row, key) for row in inside}
    known = {at: estimate for at, estimate in sorted(found.items()) if isfinite(estimate.value)}
    return Curve(at=list(known), estimates=list(known.values()))


def _points(axis: _Values, rows: Sequence[Summary], key: str) -> Panel:
    """The points of a sample over one of its axes."""
    found = [(axis.at(str(row["settings"][axis.field])), _estimate(row, key)) for row in rows]
    known = [(at, estimate) for at, estimate in found if isfinite(estimate.value)]
    curve = Curve(at=[at for at, _ in known], estimates=[estimate for _, estimate in known])
    return Panel(title="", curves={"": curve} if known else {}, axis=axis.axis(joined=False))


def _maps(axes: Sequence[_Values], rows: Sequence[Summary], key: str, title: str) -> Figure | None:
    """Heat maps over the last two axes, one for each combination of the others."""
    if len(axes) < 2 or any(len(axis.texts) > _MOST_OF_A_MAP for axis in axes[-2:]):
        return None
    *further, up, across = axes
    if int(np.prod([len(axis.texts) for axis in further])) > _MOST_PANELS:
        return None
    maps = []
    for chosen in product(*(axis.texts for axis in further)):
        there = {axis.field: text for axis, text in zip(further, chosen, strict=True)}
        values = np.full((len(up.texts), len(across.texts)), nan)
        for row in rows:
            if there.items() <= row["settings"].items():
                place = up.texts.index(row["settings"][up.field]), across.texts.index(row["settings"][across.field])
                value = _estimate(row, key).value
                values[place] = value if isfinite(value) else nan
        name = ", ".join(_named(axis, text) for axis, text in zip(further, chosen, strict=True))
        maps.append(Map(title=name, values=values))
    if not any(np.isfinite(part.values).any() for part in maps):
        return None
    return maps_figure(maps, (across.field, across.texts), (up.field, up.texts), _quantity(key), title=title)


def _quantity(key: str) -> Quantity:
    measure = MEASURES[key]
    unit = {"s": " (ms)", "%": "", "": ""}.get(measure.unit, f" ({measure.unit})")
    return Quantity(name=measure.label + unit, share=measure.unit == "%")


def _estimate(row: Summary, key: str) -> Estimate:
    """The estimate of a cell, durations in milliseconds; open ends are infinite."""
    found, factor = row["metrics"][key], 1e3 if MEASURES[key].unit == "s" else 1.0
    value, low, high = (found.get(name) for name in ("value", "low", "high"))
    if value is None:
        return Estimate(nan, nan, nan)
    return Estimate(value * factor, -inf if low is None else low * factor, inf if high is None else high * factor)


def _number(text: str) -> float:
    """A number, a percentage as a share, or a duration in milliseconds; nan if it is none of these."""
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        pass
    try:
        return parse_duration(text) / 1e6
    except ValueError:
        return nan


def _named(axis: _Values | None, text: str) -> str:
    if axis is None or axis.field in ("algorithm", "scenario"):
        return text
    return f"{axis.field.rpartition('.')[2]} {text}"
