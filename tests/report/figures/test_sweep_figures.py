"""Figures that fit the axes of a sweep (issue 14: "curves with intervals, heat maps, small multiples")."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from simulator.report.figures import sweep_figures


def study(sample: str | None = None, **axes: Any) -> dict[str, Any]:
    """The median failover of a cell is 100 ms times its number, known to within 10 ms."""
    cells = []
    for number, chosen in enumerate(product(*axes.values()), start=1):
        estimate = {"value": 0.1 * number, "low": 0.1 * number - 0.01, "high": 0.1 * number + 0.01}
        settings = dict(zip(axes, chosen, strict=True))
        cells.append({"number": number, "settings": settings, "metrics": {"failover.median": estimate}})
    fields = [[axis] for axis in axes]
    return {"name": "sizes", "axes": fields, "metrics": ["failover.median"], "cells": cells, "sample": sample}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, Figure]:
    """The figures that are saved, by the name of their file."""
    found: dict[str, Figure] = {}

    def save(figure: Figure, path: Path) -> list[Path]:
        found[path.name] = figure
        return [path]

    monkeypatch.setattr(sweep_figures, "save", save)
    return found


def test_one_axis_is_a_curve_with_a_band(drawn: dict[str, Figure]) -> None:
    sweep_figures.write_sweep_figures(study(nodes=["3", "5", "9"]), Path())
    (figure,) = drawn.values()
    (axes,) = figure.axes
    np.testing.assert_allclose(np.asarray(axes.lines[0].get_xydata()), [[3, 100], [5, 200], [9, 300]])
    corners = np.asarray(axes.collections[0].get_paths()[0].vertices)
    assert corners[:, 1].min() == pytest.approx(90)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["3", "5", "9"]
    assert figure.get_suptitle() == "sizes"


def test_an_axis_of_words_has_points_that_are_not_joined(drawn: dict[str, Figure]) -> None:
    """A line between two algorithms would claim something in between."""
    sweep_figures.write_sweep_figures(study(algorithm=["raft", "bully"]), Path())
    (axes,) = drawn["failover-median.png"].axes
    assert axes.lines[0].get_linestyle() == "None"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["raft", "bully"]


def test_two_axes_are_curves_over_the_last_one_and_a_map(drawn: dict[str, Figure]) -> None:
    """`0` and `5%` are numbers; the intervals of two curves stand side by side, so that both are seen."""
    sweep_figures.write_sweep_figures(study(nodes=["3", "5"], loss=["0", "5%"]), Path())
    (axes,) = drawn["failover-median.png"].axes
    assert axes.get_xlabel() == "loss"
    assert axes.get_legend_handles_labels()[1] == ["nodes 3", "nodes 5"]
    first, second = (np.asarray(line.get_xydata()) for line in axes.lines)
    assert (first[:, 0] < second[:, 0]).all()
    np.testing.assert_allclose((first[:, 0] + second[:, 0]) / 2, [0, 0.05])
    heat = drawn["failover-median-map.png"].axes[0]
    assert {text.get_text() for text in heat.texts} == {"100", "200", "300", "400"}


def test_three_axes_are_small_multiples(drawn: dict[str, Figure]) -> None:
    axes: dict[str, Any] = {"algorithm": ["raft", "bully", "ring"], "nodes": ["3", "5"], "loss": ["0", "5%"]}
    sweep_figures.write_sweep_figures(study(**axes), Path())
    curves = drawn["failover-median.png"].axes
    assert [panel.get_title(loc="left") for panel in curves] == ["raft", "bully", "ring"]
    assert {panel.get_ylim() for panel in curves} == {curves[0].get_ylim()}
    maps = drawn["failover-median-map.png"].axes[:3]
    assert [panel.get_title(loc="left") for panel in maps] == ["raft", "bully", "ring"]
    assert {text.get_text() for text in maps[2].texts} == {"900", "1,000", "1,100", "1,200"}


def test_the_points_of_a_sample_are_drawn_over_each_axis(drawn: dict[str, Figure]) -> None:
    sweep_figures.write_sweep_figures(study("sobol", nodes=["3", "8"], interval=["20ms", "173ms"]), Path())
    (figure,) = drawn.values()
    assert [axes.get_xlabel() for axes in figure.axes] == ["nodes", "interval"]
    assert all(axes.lines[0].get_linestyle() == "None" for axes in figure.axes)


def test_values_far_apart_are_on_a_logarithmic_axis(drawn: dict[str, Figure]) -> None:
    """Otherwise all but the largest lie on the axis."""
    found = study(algorithm=["raft", "zookeeper"], nodes=["3", "5"])
    for row in found["cells"][2:]:
        row["metrics"]["failover.median"] = {"value": 6.4, "low": 6.0, "high": None}
    sweep_figures.write_sweep_figures(found, Path())
    (axes,) = drawn["failover-median.png"].axes
    assert axes.get_yscale() == "log"
    assert axes.get_ylim()[0] < 90
