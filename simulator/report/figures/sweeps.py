"""What a parameter does to a metric: curves with their intervals, and a map over two parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, PercentFormatter, StrMethodFormatter

from simulator.analysis.statistics.estimates import Estimate
from simulator.report.figures.style import BLACK, SERIES, new_figure, short, style

MARKERS = "osD^vPX"
_DASHES = ((4, 2), (1, 1.5), (6, 2, 1, 2))  # The dash patterns of theoretical curves, which are all black.
MOST_CELLS_WITH_NUMBERS = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A metric at each value of a parameter. `exact` are the values expected by theory, drawn as a line."""

    at: Sequence[float]
    estimates: Sequence[Estimate]
    exact: Sequence[float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """An axis: its name with the unit; whether its numbers are proportions, and whether it is logarithmic."""

    name: str
    share: bool = False
    log: bool = False


def sweep_figure(curves: Mapping[str, Curve], parameter: Quantity, metric: Quantity, *, title: str = "") -> Figure:
    """A curve for each name, with its 95 % intervals as a band; an open interval reaches to the edge."""
    with style():
        figure, axes = new_figure(6.5, 4.0)
        for number, (name, curve) in enumerate(curves.items()):
            _draw(axes, name, curve, number)
        _prepare(axes, curves, parameter, metric)
        axes.set_title(title)
        if len(curves) > 1 or any(curve.exact is not None for curve in curves.values()):
            axes.legend()
    return figure


def _draw(axes: Axes, name: str, curve: Curve, number: int) -> None:
    colour, marker = SERIES[number % len(SERIES)], MARKERS[number % len(MARKERS)]
    values = [estimate.value for estimate in curve.estimates]
    finite = max(value for value in values if np.isfinite(value))
    low = [estimate.low if np.isfinite(estimate.low) else 0.0 for estimate in curve.estimates]
    high = [estimate.high if np.isfinite(estimate.high) else 10 * finite for estimate in curve.estimates]
    axes.plot(curve.at, values, color=colour, marker=marker, markersize=5, linewidth=1.3, label=name, zorder=4)
    axes.fill_between(curve.at, low, high, color=colour, alpha=0.18, linewidth=0)
    if curve.exact is not None:
        label = f"{name}, by theory"
        dashes = (0, _DASHES[number % len(_DASHES)])
        axes.plot(curve.at, curve.exact, color=BLACK, linewidth=1.0, linestyle=dashes, label=label, zorder=5)


def _prepare(axes: Axes, curves: Mapping[str, Curve], parameter: Quantity, metric: Quantity) -> None:
    highest = max(e.value for curve in curves.values() for e in curve.estimates if np.isfinite(e.value))
    ends = [e.high for curve in curves.values() for e in curve.estimates if np.isfinite(e.high)]
    if metric.log:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    else:
        axes.set_ylim(0, 1.08 * min(max([highest, *ends]), 3 * highest) or 1)
    if parameter.log:
        axes.set_xscale("log")
        ticks = sorted({x for curve in curves.values() for x in curve.at})
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.xaxis.set_minor_formatter(NullFormatter())
    if metric.share:
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel(parameter.name)
    axes.set_ylabel(metric.name)
    axes.grid()


def map_figure(
    values: np.ndarray,
    across: tuple[str, Sequence[str]],
    up: tuple[str, Sequence[str]],
    metric: Quantity,
    *,
    title: str = "",
) -> Figure:
    """A metric over two parameters. `values` has the shape (values of the vertical one, values of the horizontal one).

    Darker is more, in grey print too. NaN (nothing was measured) is hatched.
    """
    across_name, across_labels = across
    up_name, up_labels = up
    with style():
        figure, axes = new_figure(1.6 + 0.75 * len(across_labels), 1.4 + 0.5 * len(up_labels))
        axes.patch.set(hatch="///", edgecolor="#BBBBBB")
        image = axes.imshow(values, cmap="cividis_r", origin="lower", aspect="auto")
        axes.set_xticks(range(len(across_labels)), across_labels)
        axes.set_yticks(range(len(up_labels)), up_labels)
        axes.set_xlabel(across_name)
        axes.set_ylabel(up_name)
        bar = figure.colorbar(image, ax=axes, label=metric.name)
        if metric.share:
            bar.ax.yaxis.set_major_formatter(PercentFormatter(1))
        if values.size <= MOST_CELLS_WITH_NUMBERS:
            write_numbers(axes, values, metric.share, (np.nanmin(values) + np.nanmax(values)) / 2)
        axes.set_title(title)
    return figure


def write_numbers(axes: Axes, values: np.ndarray, share: bool, middle: float) -> None:
    """Write each value into its place on a map: light on dark beyond `middle`, dark on light before it."""
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            text = f"{100 * value:.3g} %" if share else short(value)
            colour = "white" if value > middle else BLACK
            axes.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)
