"""Figures of results: matplotlib figures from samples and traces, and their files."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, NullLocator, PercentFormatter, StrMethodFormatter

from simulator.analysis.statistics.bootstrap import TAIL
from simulator.analysis.statistics.estimates import Sample, quantiles
from simulator.analysis.statistics.survival import Ecdf, ecdf
from simulator.experiment.files import write_whole
from simulator.printable import printable
from simulator.report.figures.style import BLACK, GREY, SERIES, new_figure, short, style
from simulator.report.figures.timeline import timeline_figure

__all__ = ["ecdf_figure", "measured_figure", "save", "timeline_figure"]

_MARKS = {"median": 0.5, "p99": 0.99}
_LONG_TAIL = 20  # Times the median.
# A fraction of the axes' width. To the right of this position, a label stands to the left of its mark.
_RIGHT_SIDE = 0.85
_FEW_POINTS = 30
_MOST_TICKS = 200  # Marks of censored values on a curve; more would hide the curve.


def ecdf_figure(
    samples: Sample | Mapping[str, Sample],
    published: Mapping[float, float] | None = None,
    *,
    title: str = "",
    quantity: str = "failover",
    published_by: str = "published",
) -> Figure:
    """The distribution of one or several samples of durations: Kaplan–Meier where censored, with its 95 % band.

    `published` gives quantiles in seconds by their p, to be compared with. Samples must not be empty.
    """
    by_name = {"simulated": samples} if isinstance(samples, Sample) else dict(samples)
    unit, factor = _unit(by_name.values())
    with style():
        figure, axes = new_figure(6.5, 4.2)
        right = _right_end(by_name.values(), published) * factor
        axes.set_xlim(0, right)
        _spread_long_tail(axes, by_name.values(), factor)
        for (name, sample), colour in zip(by_name.items(), _colours(len(by_name)), strict=True):
            _draw_curve(axes, name, sample, colour, factor, right)
            _draw_marks(axes, sample, colour, (unit, factor), labelled=len(by_name) == 1)
        if published:
            points = sorted(published.items())
            x, y = [seconds * factor for _, seconds in points], [p for p, _ in points]
            size = 4.5 if len(points) <= _FEW_POINTS else 2.2  # Many marks would cover the curve.
            axes.plot(x, y, "o", markerfacecolor="white", color=BLACK, markersize=size, label=published_by, zorder=5)
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel(f"{quantity} ({unit})")
        axes.set_ylabel(_share_name(by_name.values()))
        axes.grid()
        axes.set_title(title)
        _add_legend(axes)
    return figure


def measured_figure(samples: Mapping[str, Sample], beside: Mapping[str, Any], *, title: str, quantity: str) -> Figure:
    """Simulated and measured distributions in one figure, with their largest distance marked (`summary.measured`)."""
    figure = ecdf_figure(samples, title=title, quantity=quantity)
    (axes,) = figure.axes
    _, factor = _unit(samples.values())
    at, ends = beside["furthest_s"] * factor, (beside["simulated_over"], beside["measured_over"])
    with style():
        label = f"largest distance, {beside['distance']:.3f}"
        axes.plot([at, at], ends, color=BLACK, linewidth=1.5, solid_capstyle="butt", label=label, zorder=6)
        _add_legend(axes)
    return figure


def _add_legend(axes: Axes) -> None:
    axes.legend(loc="lower right", frameon=True, framealpha=0.9, edgecolor="none")


def _unit(samples: Iterable[Sample]) -> tuple[str, float]:
    return ("s", 1.0) if max(sample.values.max() for sample in samples) >= 10 else ("ms", 1e3)


def _share_name(samples: Iterable[Sample]) -> str:
    return "cumulative share of " + ("trials" if all(sample.one_per_trial for sample in samples) else "elections")


def _spread_long_tail(axes: Axes, samples: Collection[Sample], factor: float) -> None:
    """Make the axis logarithmic if the longest duration would leave little room for the others."""
    longest = max(float(sample.values.max()) for sample in samples)
    least = min(float(sample.values.min()) for sample in samples)
    if least > 0 and longest > _LONG_TAIL * min(float(np.median(sample.values)) for sample in samples):
        axes.set_xscale("log")
        axes.set_xlim(least * factor / 1.1, longest * factor * 1.2)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.xaxis.set_minor_locator(NullLocator())


def _colours(count: int) -> list[str]:
    return [SERIES[number % len(SERIES)] for number in range(count)]


def _right_end(samples: Iterable[Sample], published: Mapping[float, float] | None) -> float:
    ends = [float(sample.values.max()) for sample in samples]
    # All values are equal, so any width of the axis will do.
    return 1.05 * max([*ends, *(published or {}).values()]) or 0.001


def _draw_curve(axes: Axes, name: str, sample: Sample, colour: str, factor: float, right: float) -> None:
    curve = ecdf(sample)
    censored = int(sample.censored.sum())
    label = f"{name}, n = {sample.values.size:,}"
    if censored:
        label += f", of which {censored:,} censored ({100 * censored / sample.values.size:.2f} %)"
    times, shares = step_points(curve, right / factor)
    axes.step(times * factor, shares, where="post", color=colour, linewidth=1.5, label=label, zorder=4)
    at, low, high = band_points(curve, sample.trial_index()[0], right / factor)
    axes.fill_between(at * factor, low, high, step="post", color=colour, alpha=0.2, linewidth=0)
    if 0 < censored <= _MOST_TICKS:
        ends = sample.values[sample.censored]
        heights = np.append(0.0, curve.probabilities)[np.searchsorted(curve.times, ends, side="right")]
        axes.plot(ends * factor, heights, "|", color=colour, markersize=7, zorder=4)


def step_points(curve: Ecdf, until: float) -> tuple[np.ndarray, np.ndarray]:
    """The corners of the curve, from (0, 0) on until the right edge of the figure; shape (steps + 2,) each."""
    times = np.concatenate(([0.0], curve.times, [until]))
    return times, np.concatenate(([0.0], curve.probabilities, curve.probabilities[-1:]))


def band_points(curve: Ecdf, trials: int, until: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The corners of the band, likewise: instants, lower and upper ends. Before the first duration is over, the upper
    end of the band is the proportion that this many trials would fail to show with a probability of 2.5 %.
    """
    at = np.concatenate(([0.0], curve.band_times, [until]))
    low = np.concatenate(([0.0], curve.low, curve.low[-1:]))
    return at, low, np.concatenate(([1 - TAIL ** (1 / trials)], curve.high, curve.high[-1:]))


def _draw_marks(axes: Axes, sample: Sample, colour: str, unit: tuple[str, float], *, labelled: bool) -> None:
    """A drop line at the median and the 99th percentile where they are reached, labelled where there is room."""
    name_of_unit, factor = unit
    for (name, p), estimate in zip(_MARKS.items(), quantiles(sample, list(_MARKS.values())), strict=True):
        if not math.isfinite(estimate.value):
            continue
        x = estimate.value * factor
        axes.plot([x, x], [0, p], color=colour, linewidth=0.8, linestyle=(0, (3, 2)), zorder=3)
        axes.plot([x], [p], "o", color=colour, markersize=4, zorder=5)
        if labelled:
            spread = f"[{_number(max(estimate.low, 0.0) * factor)} – {_number(estimate.high * factor, ']')}"
            text = f"{name} {_number(x)} {name_of_unit}\n{spread}"
            across, _ = axes.transAxes.inverted().transform(axes.transData.transform((x, p)))
            axes.annotate(
                text,
                (x, p),
                (6 if across < _RIGHT_SIDE else -6, -4),
                textcoords="offset points",
                ha="left" if across < _RIGHT_SIDE else "right",
                va="top",
                fontsize=8,
                color=GREY,
            )


def _number(value: float, closing: str = "") -> str:
    return "∞)" if math.isinf(value) else f"{short(value)}{closing}"


def save(figure: Figure, path: Path, formats: Sequence[str] = ("png", "svg")) -> list[Path]:
    """Write a figure once per format, `path` with that suffix; the same bytes each time. Returns the paths."""
    metadata = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
    written = [path.with_suffix(f".{name}") for name in formats]
    for text in figure.findobj(Text):
        text.set_text(printable(text.get_text()))  # An SVG holds it as text, and XML allows no control characters.
    with style():
        for name, file in zip(formats, written, strict=True):
            drawn = BytesIO()  # A full disk or a kill leaves no half-written figure.
            figure.savefig(drawn, format=name, metadata=metadata.get(name))
            write_whole(file, drawn.getvalue())
    return written
