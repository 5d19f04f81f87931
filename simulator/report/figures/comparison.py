"""A comparison of variants as figures: a point with its interval for each, grouped by what was varied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from simulator.report.figures.results import save
from simulator.report.figures.style import GREY, SERIES, new_figure, style

Summary = Mapping[str, Any]
_MARKERS = "osD^vPX"
_GROUP = 0.6  # The part of the space between two values on the axis that the points of one value take.
_WIDE = 30.0  # The axis is logarithmic if the largest value exceeds this multiple of the smallest.


def write_comparison_figures(comparison: Summary, directory: Path) -> list[Path]:
    """Write a PNG and an SVG for each metric that is not 0 in all variants. Returns the paths."""
    written = []
    for key, metric in comparison["metrics"].items():
        if any(row["value"] for row in metric["variants"]):
            figure = comparison_figure(comparison, key)
            written += save(figure, directory / f"{key.replace('.', '-')}.png")
    return written


def comparison_figure(comparison: Summary, metric: str) -> Figure:
    """One metric over all variants. The x axis has the values of the last varied field; the others give the series.

    An unbounded interval reaches the edge. A value that censoring hides is a hollow mark at the upper edge.
    """
    found = comparison["metrics"][metric]
    settings = {variant["name"]: variant["settings"] for variant in comparison["variants"]}
    across = list(next(iter(settings.values())))[-1]
    ticks = list(dict.fromkeys(of[across] for of in settings.values()))
    series: dict[str, list[Summary]] = {}
    for row in found["variants"]:
        others = [value for field, value in settings[row["name"]].items() if field != across]
        series.setdefault(", ".join(others), []).append(row)
    unit, factor = _unit(found)
    with style():
        figure, axes = new_figure(max(3.6, 1.4 + 0.35 * len(ticks) * max(2, len(series))), 3.6)
        top = _prepare(axes, found, factor)
        for number, (name, rows) in enumerate(series.items()):
            at = [ticks.index(settings[row["name"]][across]) + _offset(number, len(series)) for row in rows]
            _draw(axes, name, at, rows, factor, top, number)
        axes.set_xticks(range(len(ticks)), ticks)
        axes.set_xlim(-0.6, len(ticks) - 0.4)
        axes.set_xlabel(across)
        axes.set_ylabel(found["label"] + (f" ({unit})" if unit else ""))
        axes.grid(axis="y")
        axes.set_title(comparison["scenario"])
        if len(series) > 1:
            figure.legend(loc="outside lower center", ncols=min(4, len(series)))
    return figure


def _unit(metric: Summary) -> tuple[str, float]:
    if metric["unit"] == "%":
        return "%", 100.0
    if metric["unit"] != "s":
        return metric["unit"], 1.0
    return ("s", 1.0) if max(row["value"] or 0.0 for row in metric["variants"]) >= 10 else ("ms", 1e3)


def _offset(number: int, count: int) -> float:
    return _GROUP * ((number + 0.5) / count - 0.5)


def _prepare(axes: Axes, metric: Summary, factor: float) -> float:
    """Set the upward axis, and return its upper end."""
    values = [row["value"] * factor for row in metric["variants"] if row["value"]]
    ends = [row["high"] * factor for row in metric["variants"] if row["high"] is not None]
    lows = [row["low"] * factor for row in metric["variants"] if row["low"]]
    zero = any(row["value"] == 0 for row in metric["variants"])
    if not zero and max(values) > _WIDE * min(values):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.yaxis.set_minor_locator(NullLocator())
        top = 1.3 * max([*values, *ends])
        axes.set_ylim(min([*values, *lows]) / 1.3, top)
    else:
        top = 1.06 * min(max([*values, *ends]), 3 * max(values))
        axes.set_ylim(0, top)
    return float(top)


def _draw(
    axes: Axes, name: str, at: Sequence[float], rows: Sequence[Summary], factor: float, top: float, number: int
) -> None:
    colour, marker = SERIES[number % len(SERIES)], _MARKERS[number % len(_MARKERS)]
    label: str | None = name
    for x, row in zip(at, rows, strict=True):
        if row["value"] is None and row["low"] is None:
            axes.text(x, 0.02, "no data", transform=axes.get_xaxis_transform(), rotation=90, fontsize=7, color=GREY)
            continue
        low = 0.0 if row["low"] is None else row["low"] * factor
        high = top if row["high"] is None else row["high"] * factor
        bottom = axes.get_ylim()[0]
        axes.plot([x, x], [max(low, bottom), min(high, top)], color=colour, linewidth=1.4, alpha=0.75, zorder=3)
        hidden = row["value"] is None
        y = top if hidden else row["value"] * factor
        face = "white" if hidden else colour
        axes.plot(
            [x], [y], marker, color=colour, markerfacecolor=face, markersize=5, label=label, linestyle="none",
            clip_on=False, zorder=4,
        )  # fmt: skip
        label = None
