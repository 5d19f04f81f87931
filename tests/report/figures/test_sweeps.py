"""Curves over a parameter and maps over two: issue 6, "split-vote rate against timeout range; heat map of two"."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.colors import to_rgba

from simulator.analysis.statistics.estimates import Estimate
from simulator.report.figures.style import BLACK
from simulator.report.figures.sweeps import Curve, Quantity, map_figure, sweep_figure

WIDTH, SPLIT = Quantity(name="width (ms)", log=True), Quantity(name="split votes", share=True)


def test_a_curve_has_its_values_its_band_and_theory_beside_it() -> None:
    found = [Estimate(0.5, 0.4, 0.6), Estimate(0.1, 0.05, 0.2)]
    figure = sweep_figure({"five": Curve(at=[20, 40], estimates=found, exact=[0.5, 0.1035])}, WIDTH, SPLIT)
    (axes,) = figure.axes
    measured, exact = axes.lines
    np.testing.assert_array_equal(measured.get_xydata(), [[20, 0.5], [40, 0.1]])
    np.testing.assert_array_equal(exact.get_xydata(), [[20, 0.5], [40, 0.1035]])
    (band,) = axes.collections
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices.tolist()}  # type: ignore[union-attr]
    assert {(20, 0.4), (20, 0.6), (40, 0.05), (40, 0.2)} <= corners
    assert [label.get_text() for label in axes.get_xticklabels()] == ["20", "40"]


def test_an_open_interval_reaches_beyond_the_edge() -> None:
    """A p99 of few trials has no upper end: a band that stopped anywhere would claim one."""
    found = [Estimate(1.0, 0.5, math.inf), Estimate(2.0, 1.0, 3.0)]
    (axes,) = sweep_figure({"p99": Curve(at=[1, 2], estimates=found)}, Quantity(name="x"), Quantity(name="s")).axes
    highest = max(corner[1] for corner in axes.collections[0].get_paths()[0].vertices.tolist())  # type: ignore[union-attr]
    assert highest > axes.get_ylim()[1] > 3.0


def test_a_map_writes_its_numbers_light_on_dark_and_dark_on_light() -> None:
    values = np.array([[0.0, 0.5], [1.0, math.nan]])
    figure = map_figure(values, ("latency", ["1", "2"]), ("width", ["10", "20"]), SPLIT)
    axes = figure.axes[0]
    written = {text.get_text(): to_rgba(text.get_color()) for text in axes.texts}
    assert written == {"0 %": to_rgba(BLACK), "50 %": to_rgba(BLACK), "100 %": to_rgba("white")}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["10", "20"]
