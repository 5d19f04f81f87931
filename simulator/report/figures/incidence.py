"""The figure of how losses end: another node leads, or the lost leader is back."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from simulator.analysis.statistics.incidence import CompetingSample, incidence_curve
from simulator.report.figures.results import band_points, step_points
from simulator.report.figures.style import SERIES, new_figure, style


def incidence_figure(sample: CompetingSample, *, title: str = "") -> Figure:
    """The cumulative incidences of both ways of ending, with their pointwise 95 % bands; together at most 100 %.

    The sample must not be empty.
    """
    longest = float(sample.values.max())
    unit, factor = ("s", 1.0) if longest >= 10 else ("ms", 1e3)
    right = 1.05 * longest or 0.001
    trials = sample.event.trial_index()[0]
    endings = {"another node leads": sample, "the lost leader is back": sample.swapped()}
    with style():
        figure, axes = new_figure(6.5, 4.2)
        for (name, way), colour in zip(endings.items(), SERIES, strict=False):
            curve = incidence_curve(way)
            times, shares = step_points(curve, right)
            label = f"{name}, {(way.event.censored.size - way.event.censored.sum()):,} of {sample.values.size:,}"
            axes.step(times * factor, shares, where="post", color=colour, linewidth=1.5, label=label)
            at, low, high = band_points(curve, trials, right)
            axes.fill_between(at * factor, low, high, step="post", color=colour, alpha=0.2, linewidth=0)
        axes.set_xlim(0, right * factor)
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel(f"time since the loss ({unit})")
        axes.set_ylabel("cumulative incidence (Aalen–Johansen)")
        axes.grid()
        axes.set_title(title)
        axes.legend(loc="upper left", frameon=True, framealpha=0.9, edgecolor="none")
    return figure
