"""Panels: each simulated distribution over the one that it is held against."""

from __future__ import annotations

import numpy as np

from simulator.report.figures.panels import Panel, panels_figure


def test_each_panel_draws_both_distributions_to_the_end() -> None:
    # An empty corner of the grid must not show as empty axes, nor an unfinished trial as a curve that ends at one.
    panels = [
        Panel(title="a", simulated=np.array([1.0, 2.0]), published=np.array([1.5]), note="KS 0.5"),
        Panel(title="b", simulated=np.array([1.0, np.inf]), published=np.array([1.0, 2.0])),
        Panel(title="c", simulated=np.array([3.0]), published=np.array([3.0]), others={"again": np.array([2.0])}),
    ]
    figure = panels_figure(panels, columns=2, quantity="downtime", published_by="measured")
    first, second, third, empty = figure.axes
    assert [axes.get_title(loc="left") for axes in (first, second, third)] == ["a", "b", "c"]
    assert not empty.get_visible()
    assert [line.get_label() for line in third.lines] == ["measured", "simulated", "again"]
    for axes in (first, second, third):
        for line in axes.lines:
            heights = np.asarray(line.get_ydata(), dtype=float)
            assert (heights[0], heights[-1]) == (0, 1)
    assert second.get_xlim()[1] < 3
