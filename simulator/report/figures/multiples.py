"""Small multiples of a sweep: the same curves, or the same map, in a panel for each value of a further axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, log10

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator, PercentFormatter, StrMethodFormatter

from simulator.report.figures.style import SERIES, style
from simulator.report.figures.sweeps import MARKERS, MOST_CELLS_WITH_NUMBERS, Curve, Quantity, write_numbers

_COLUMNS = 3
_MOST_TICKS = 8
_WIDE = 30.0  # Largest over smallest value, beyond which the metric is on a logarithmic axis.
_LEAST_GAP = 0.05  # Between two ticks that are written, as a share of the axis.
_DODGE = 0.012  # How far the intervals of two curves stand apart, as a share of the axis.
_BETWEEN_CATEGORIES = 0.12  # The same between two curves over categories.


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The axis along which the curves of a panel go. `labels` has the text of each value.

    `numeric` is false for categories: their values are 0, 1, 2, …, and points are not joined. `unit` is that of values
    whose texts have one.
    """

    name: str
    labels: Mapping[float, str]
    unit: str = ""
    numeric: bool = True
    log: bool = False
    joined: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel: its title, its curves by name, and their axis."""

    title: str
    curves: Mapping[str, Curve]
    axis: Axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """One heat map: its title, and its values, shape (values of the vertical axis, values of the horizontal one)."""

    title: str
    values: np.ndarray


def curves_figure(panels: Sequence[Panel], metric: Quantity, *, title: str) -> Figure:
    """A panel of curves each, with 95 % intervals: a band for a single curve, bars side by side for several.

    An open interval reaches to the edge. All panels have the same vertical axis.
    """
    columns, rows = _grid(len(panels))
    single = len(panels) == 1
    with style():
        size = (6.5, 4.0) if single else (3.1 * columns + 0.6, 2.5 * rows + 0.9)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
        bottom, top = _ends([curve for panel in panels for curve in panel.curves.values()])
        for axes, panel in zip(grid.flat, panels, strict=False):
            if bottom:
                axes.set_yscale("log")
                axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                axes.yaxis.set_minor_locator(NullLocator())
            axes.yaxis.set_major_formatter(PercentFormatter(1) if metric.share else StrMethodFormatter("{x:,g}"))
            axes.set_ylim(bottom, top)
            _draw_panel(axes, panel, bottom, top)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        for row in grid:
            row[0].set_ylabel(metric.name)
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        names = list(dict.fromkeys(name for panel in panels for name in panel.curves))
        if len(names) > 1:
            handles, labels = grid.flat[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower center", ncols=min(len(names), 4 if single else 7))
    return figure


def maps_figure(
    maps: Sequence[Map],
    across: tuple[str, Sequence[str]],
    up: tuple[str, Sequence[str]],
    metric: Quantity,
    *,
    title: str,
) -> Figure:
    """A heat map in each panel, all with the same colours. NaN (nothing was measured) is hatched."""
    columns, rows = _grid(len(maps))
    known = np.concatenate([part.values.ravel() for part in maps])
    low, high = float(np.nanmin(known)), float(np.nanmax(known))
    wide = low > 0 and high > _WIDE * low
    colours, middle = (LogNorm(low, high), (low * high) ** 0.5) if wide else (Normalize(low, high), (low + high) / 2)
    width, height = 1.0 + 0.75 * len(across[1]), 0.9 + 0.5 * len(up[1])
    with style():
        figure = Figure(figsize=(columns * width + 1.2, rows * height + 0.5), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for axes, part in zip(grid.flat, maps, strict=False):
            axes.patch.set(hatch="///", edgecolor="#BBBBBB")
            image = axes.imshow(part.values, cmap="cividis_r", origin="lower", aspect="auto", norm=colours)
            axes.set_xticks(range(len(across[1])), across[1])
            axes.set_yticks(range(len(up[1])), up[1])
            axes.set_title(part.title)
            if part.values.size <= MOST_CELLS_WITH_NUMBERS:
                write_numbers(axes, part.values, metric.share, middle)
        for axes in grid.flat[len(maps) :]:
            axes.set_visible(False)
        bar = figure.colorbar(image, ax=grid, label=metric.name)
        if wide:
            bar.ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            bar.ax.yaxis.set_minor_locator(NullLocator())
        bar.ax.yaxis.set_major_formatter(PercentFormatter(1) if metric.share else StrMethodFormatter("{x:,g}"))
        figure.supxlabel(across[0], fontsize=9)
        figure.supylabel(up[0], fontsize=9)
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure


def _grid(count: int) -> tuple[int, int]:
    columns = 2 if count == 4 else min(count, _COLUMNS)
    return columns, -(-count // columns)


def _ends(curves: Sequence[Curve]) -> tuple[float, float]:
    """The ends of the vertical axis: from 0 to above all intervals that are not very wide.

    If values differ by more than a factor of 30, the lower end is above 0: the axis is then logarithmic.
    """
    found = [estimate for curve in curves for estimate in curve.estimates]
    values = [estimate.value for estimate in found]
    highs = [estimate.high for estimate in found if isfinite(estimate.high)]
    if min(values) > 0 and max(values) > _WIDE * min(values):
        lows = [estimate.low for estimate in found if isfinite(estimate.low) and estimate.low > 0]
        return max(min([*values, *lows]), min(values) / 3) / 1.3, 1.3 * min(max([*values, *highs]), 3 * max(values))
    return 0.0, 1.08 * min(max([*values, *highs]), 3 * max(values)) or 1.0


def _draw_panel(axes: Axes, panel: Panel, bottom: float, top: float) -> None:
    span = _span(panel)
    for number, (name, curve) in enumerate(panel.curves.items()):
        place = number - (len(panel.curves) - 1) / 2
        _draw_curve(axes, name, curve, panel, (place * span, place), number, (bottom, 1.5 * top))
    axes.set_xlabel(panel.axis.name)
    _ticks(axes, panel.axis)
    axes.set_title(panel.title)
    axes.grid(axis="both" if panel.axis.numeric else "y")


def _span(panel: Panel) -> float:
    places = [_place(panel.axis, at) for at in panel.axis.labels]
    return max(places) - min(places) or 1.0


def _draw_curve(
    axes: Axes,
    name: str,
    curve: Curve,
    panel: Panel,
    place: tuple[float, float],
    number: int,
    ends: tuple[float, float],
) -> None:
    """One curve. `place` says how far it stands beside the middle: on an axis of numbers, and over categories."""
    colour, marker = SERIES[number % len(SERIES)], MARKERS[number % len(MARKERS)]
    values = [estimate.value for estimate in curve.estimates]
    lows = [max(estimate.low, ends[0]) for estimate in curve.estimates]
    highs = [min(estimate.high, ends[1]) for estimate in curve.estimates]
    shift = place[0] * _DODGE if panel.axis.numeric else place[1] * _BETWEEN_CATEGORIES
    at = [_unplaced(panel.axis, _place(panel.axis, x) + shift) for x in curve.at]
    line = "-" if panel.axis.numeric and panel.axis.joined else "none"
    axes.plot(at, values, color=colour, marker=marker, markersize=4, linewidth=1.2, ls=line, label=name, zorder=4)
    if len(panel.curves) == 1 and line == "-":
        axes.fill_between(at, lows, highs, color=colour, alpha=0.18, linewidth=0)
    else:
        axes.vlines(at, lows, highs, color=colour, alpha=0.7, linewidth=1.2, zorder=3)


def _place(axis: Axis, at: float) -> float:
    return log10(at) if axis.log else at


def _unplaced(axis: Axis, place: float) -> float:
    return 10.0**place if axis.log else place


def _ticks(axes: Axes, axis: Axis) -> None:
    """Ticks at the values themselves, as they were written, where there is room for them."""
    if axis.log:
        axes.set_xscale("log")
    values = sorted(axis.labels)
    places = [_place(axis, at) for at in values]
    if not axis.numeric:
        axes.set_xlim(-0.5, len(values) - 0.5)
    elif places[-1] > places[0] and (
        len(values) > _MOST_TICKS or min(np.diff(places)) < _LEAST_GAP * (places[-1] - places[0])
    ):
        axes.set_xlabel(f"{axis.name} ({axis.unit})" if axis.unit else axis.name)
        if not axis.log and all(at == int(at) for at in values):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        return
    axes.set_xticks(values, [axis.labels[at] for at in values])
    axes.xaxis.set_minor_formatter(NullFormatter())
