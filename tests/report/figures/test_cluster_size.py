"""The figure of cluster sizes: marks where it was measured, lines where theory is, on logarithmic axes (issue 5)."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.container import ErrorbarContainer

from simulator.analysis.statistics.estimates import Estimate
from simulator.report.figures.cluster_size import Size, Theory, cluster_size_figure
from studies.cluster_size import THEORY, election, table

SIZES = [
    Size(3, Estimate(4, 4, 4), Estimate(0.03, 0.03, 0.03)),
    Size(30, Estimate(50, 40, 70), Estimate(0.5, 0.4, 0.7)),
]


def test_marks_are_measured_and_lines_are_theory() -> None:
    figure = cluster_size_figure({"ring": SIZES}, {"ring": Theory(lambda n: 2 * n, None)})
    messages, seconds = figure.axes
    for axes, values in ((messages, [4, 50]), (seconds, [0.03, 0.5])):
        (bars,) = [one for one in axes.containers if isinstance(one, ErrorbarContainer)]
        assert list(bars[0].get_ydata()) == values
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert np.array_equal(messages.lines[-1].get_ydata(), [6, 60]) and messages.lines[-1].get_linestyle() == "-"
    assert np.array_equal(seconds.lines[-1].get_ydata(), [0.03, 0.5]) and seconds.lines[-1].get_linestyle() == ":"


def test_a_bound_is_dashed() -> None:
    figure = cluster_size_figure({"hs": SIZES}, {"hs": Theory(lambda n: n**2, lambda n: n, bound=True)})
    assert {axes.lines[-1].get_linestyle() for axes in figure.axes} == {"--"}


@pytest.mark.parametrize("nodes", [3, 10, 30])
@pytest.mark.parametrize("name", ["ring", "bully"])
def test_what_does_not_depend_on_chance_is_what_theory_says(name: str, nodes: int) -> None:
    """The reference's closed forms; m = n - 1 nodes of the ring are left: 2m messages, 2m - 1 in a row."""
    messages, seconds = election(name, nodes, trial=0)
    expected = THEORY[name]
    assert expected.messages is not None and expected.seconds is not None
    assert messages == expected.messages(nodes)
    assert seconds == pytest.approx(expected.seconds(nodes))


def test_the_table_has_a_row_for_each_size() -> None:
    assert [*table({"ring": SIZES})][2:] == ["| 3 | 4, 0.03 s |", "| 30 | 50, 0.50 s |"]
