"""The figure of a tuner: the metric against the rate of false elections, with intervals, and which settings to take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from simulator.analysis.false_elections import MONTH_S
from simulator.analysis.records.registry import MEASURES
from simulator.report.figures.results import save
from simulator.report.figures.style import BLACK, BLUE, GREEN, GREY, VERMILLION, new_figure, style
from simulator.report.tables.sweep import unit_of

Summary = Mapping[str, Any]
_COLOURS = {"keeps": GREEN, "violates": VERMILLION, "not shown": GREY, "open": BLUE}
_MEANINGS = {
    "keeps": "shown to keep the bound",
    "violates": "above the bound",
    "not shown": "not shown to keep the bound",
    "open": "not decided",
}
_NONE_SEEN = "v"  # The marker at the upper limit of a rate of which nothing was seen: it points to lower rates.


def write_tune_figure(found: Summary, directory: Path) -> list[Path]:
    """Write `tune.png` and `tune.svg` into a directory. Returns the paths; none if nothing is known yet."""
    figure = tune_figure(found)
    return [] if figure is None else save(figure, directory / "tune.png")


def tune_figure(found: Summary) -> Figure | None:
    """The settings that were tried, as points with 95 % intervals in both directions; None if there are none.

    If no false election was seen, a triangle stands at the upper limit. The line leads from each setting of the Pareto
    front of the two to the next.
    """
    metric = found["minimise"]
    rows = [row for row in found["candidates"] if _is_known(row, metric)]
    if not rows:
        return None
    unit, factor = unit_of(metric, rows)
    with style():
        figure, axes = new_figure(6.5, 4.2)
        for verdict, colour in _COLOURS.items():
            _draw(axes, [row for row in rows if row["verdict"] == verdict], metric, factor, colour, _MEANINGS[verdict])
        _draw_front(axes, rows, metric, factor)
        bound = next(bound for bound in found["subject_to"] if bound["metric"] == "false_elections")
        axes.axhline(bound["below"] * MONTH_S, color=BLACK, linewidth=0.8, linestyle=(0, (4, 2)), label=bound["text"])
        _mark_recommended(axes, found, rows, metric, factor)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
        axes.set_xlabel(MEASURES[metric].label + (f" ({unit})" if unit else ""))
        axes.set_ylabel("false elections a month")
        axes.set_xlim(0, 1.1 * max(row["metrics"][metric]["value"] for row in rows) * factor)
        axes.grid()
        axes.legend()
    return figure


def _is_known(row: Summary, metric: str) -> bool:
    value = row["metrics"].get(metric, {}).get("value")
    return row["skipped"] is None and row["false_elections"] is not None and value is not None


def _height(row: Summary) -> float:
    """The rate a month; if none was seen, its upper limit."""
    seen = row["false_elections"]
    return float(seen["per_month"]["value"] if seen["count"] else seen["per_month"]["high"])


def _draw(axes: Axes, rows: Sequence[Summary], metric: str, factor: float, colour: str, label: str) -> None:
    for marker, part in (
        ("o", [row for row in rows if row["false_elections"]["count"]]),
        (_NONE_SEEN, [row for row in rows if not row["false_elections"]["count"]]),
    ):
        if not part:
            continue
        values = [row["metrics"][metric] for row in part]
        across = [value["value"] * factor for value in values]
        open_end = 2 * max(across)
        left = [x - (value["low"] or 0.0) * factor for x, value in zip(across, values, strict=True)]
        right = [
            (open_end if v["high"] is None else v["high"] * factor) - x for x, v in zip(across, values, strict=True)
        ]
        up = [_height(row) for row in part]
        rates = [row["false_elections"]["per_month"] for row in part]
        below = [y - max(rate["low"], y * 1e-9) if marker == "o" else 0.0 for y, rate in zip(up, rates, strict=True)]
        above = [rate["high"] - y for y, rate in zip(up, rates, strict=True)]
        name = label if marker == "o" else f"{label}; none seen, upper limit"
        axes.errorbar(across, up, xerr=[left, right], yerr=[below, above], fmt=marker, color=colour, markersize=5,
                      elinewidth=0.8, alpha=0.85, label=name, zorder=3)  # fmt: skip


def _draw_front(axes: Axes, rows: Sequence[Summary], metric: str, factor: float) -> None:
    """Those that no other is as good as in both, and better in one, by what is drawn."""
    points = sorted({(row["metrics"][metric]["value"] * factor, _height(row)) for row in rows})
    front, lowest = [], float("inf")
    for across, up in points:
        if up < lowest:
            front.append((across, up))
            lowest = up
    axes.plot([x for x, _ in front], [y for _, y in front], color=GREY, linewidth=1.0, zorder=2, label="Pareto front")


def _mark_recommended(axes: Axes, found: Summary, rows: Sequence[Summary], metric: str, factor: float) -> None:
    best = found["recommendation"]
    if best is not None:
        row = next(row for row in rows if row["number"] == best["candidate"])
        axes.scatter([row["metrics"][metric]["value"] * factor], [_height(row)], s=140, facecolors="none",
                     edgecolors=BLACK, linewidths=1.3, zorder=5, label="recommended")  # fmt: skip
