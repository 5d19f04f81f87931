"""Several distributions side by side: in each panel, a simulated one and the one that it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from simulator.report.figures.style import BLACK, GREY, SERIES, style

_PANEL_WIDTH, _PANEL_HEIGHT = 3.6, 2.7  # In inches.
_SHOWN = 0.995  # The part of each distribution that is drawn: one very late value would leave no room for the rest.


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One pair of distributions, of durations in ms. `note` is printed in the panel: the result of the comparison."""

    title: str
    simulated: np.ndarray
    published: np.ndarray  # Samples; or quantiles at equal steps, which draw the same curve with fewer of them.
    note: str = ""
    others: dict[str, np.ndarray] = field(default_factory=dict)  # Further simulated distributions, by name.


def panels_figure(
    panels: Sequence[Panel], *, columns: int, quantity: str, published_by: str, title: str = ""
) -> Figure:
    """The cumulative distributions of every panel, each panel on axes of its own. There must be a panel."""
    rows = -(-len(panels) // columns)
    with style():
        figure = Figure(figsize=(_PANEL_WIDTH * columns, _PANEL_HEIGHT * rows), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False)
        sides = [_draw(axes, panel, published_by) for axes, panel in zip(grid.flat, panels, strict=False)]
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        for axes in grid[-1]:
            axes.set_xlabel(f"{quantity} (ms)")
        grid.flat[0].legend(loc=f"lower {sides[0]}", frameon=True, framealpha=0.9, edgecolor="none")
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    return figure


def _draw(axes: Axes, panel: Panel, published_by: str) -> str:
    """Draw the label on the side that has room: to the left of curves that rise late."""
    right = 0.0
    curves = [(published_by, panel.published, BLACK, 2.2), ("simulated", panel.simulated, SERIES[0], 1.3)]
    curves += [(name, sample, SERIES[1 + number], 1.0) for number, (name, sample) in enumerate(panel.others.items())]
    for name, sample, colour, width in curves:
        rising = np.sort(sample)
        right = max(right, float(rising[np.isfinite(rising)][: max(1, round(_SHOWN * len(rising)))][-1]))
        shares = np.arange(len(rising) + 1) / len(rising)
        times = np.concatenate(([0.0], rising))
        alpha = 0.45 if colour == BLACK else 1.0
        axes.step(times, shares, where="post", color=colour, linewidth=width, alpha=alpha, label=name)
    axes.set_xlim(0, 1.05 * right)
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_title(panel.title)
    axes.grid()
    side, at = ("left", 0.02) if np.median(panel.published) > right / 2 else ("right", 0.98)
    axes.text(at, 0.42, panel.note, transform=axes.transAxes, ha=side, va="bottom", fontsize=8, color=GREY)
    return side
