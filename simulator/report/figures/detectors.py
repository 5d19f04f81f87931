"""The trade-off of failure detectors: how often they are wrong against how long they take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.analysis.statistics.estimates import Estimate
from simulator.report.figures.style import SERIES, new_figure, style

_MARKERS = "os^Dv"
_PER_HOUR = 3600


class Tuned(NamedTuple):
    """A detector at one value of the parameter that is tuned: seconds, and mistakes of a pair of nodes per second."""

    detection: Estimate
    mistakes: Estimate


def trade_off_figure(
    curves: Mapping[str, Sequence[Tuned]],
    title: str = "",
    *,
    time: str = "mean detection time",
    mistakes: str = "mistakes of one node about another",
) -> Figure:
    """A curve per detector: mean detection time against mistakes per hour, with 95 % intervals; or, under other names,
    what else is the slower the more seldom it is wrong.

    Further down and to the left is better. Where a detector made no mistake, an open mark stands at the upper end of
    the interval.
    """
    with style():
        figure, axes = new_figure(6.5, 4.4)
        axes.set_yscale("log")
        for number, (name, points) in enumerate(curves.items()):
            _draw(axes, name, sorted(points), SERIES[number % len(SERIES)], _MARKERS[number % len(_MARKERS)])
        axes.set_ylim(_spread(point.mistakes for points in curves.values() for point in points))
        axes.set_xlabel(f"{time} (ms)")
        axes.set_ylabel(f"{mistakes}, per hour")
        axes.set_title(title)
        axes.grid()
        axes.legend(loc="upper right")
    return figure


def _spread(mistakes: Iterable[Estimate]) -> tuple[float, float]:
    """From below the lowest positive end of an interval to above the highest. Each release of matplotlib has margins of
    its own for a logarithmic axis."""
    ends = [_PER_HOUR * end for estimate in mistakes for end in estimate if end > 0]
    return min(ends) / 1.3, max(ends) * 1.3


def _draw(axes: Axes, name: str, points: Sequence[Tuned], colour: str, marker: str) -> None:
    made = [point for point in points if point.mistakes.value > 0]
    none = [point for point in points if point.mistakes.value == 0]
    x, y = [1e3 * point.detection.value for point in made], [_PER_HOUR * point.mistakes.value for point in made]
    axes.errorbar(
        x,
        y,
        xerr=_ends([point.detection for point in made], 1e3),
        yerr=_ends([point.mistakes for point in made], _PER_HOUR),
        color=colour,
        marker=marker,
        markersize=4.5,
        linewidth=1.3,
        elinewidth=0.8,
        label=name,
    )
    bounds = [_PER_HOUR * point.mistakes.high for point in none]
    places = [1e3 * point.detection.value for point in none]
    axes.plot(places, bounds, marker, markerfacecolor="white", color=colour, markersize=4.5, linestyle="none")


def _ends(estimates: Sequence[Estimate], factor: float) -> tuple[list[float], list[float]]:
    """How far the intervals reach below and above the values."""
    below = [factor * (estimate.value - estimate.low) for estimate in estimates]
    return below, [factor * (estimate.high - estimate.value) for estimate in estimates]
