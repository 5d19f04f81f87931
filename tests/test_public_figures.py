"""`simulator.figures`, as a notebook uses it (issue 6: "public API only")."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

import simulator
from simulator import figures
from tests.experiment.test_runner import CRASH


@pytest.fixture(scope="module")
def results() -> dict[str, simulator.Result]:
    return {
        name: simulator.run(simulator.loads(CRASH, overrides=[f"cluster.nodes={name}"]), trials=10)
        for name in ("3", "5")
    }


def test_a_distribution_has_a_curve_for_each_result(results: dict[str, simulator.Result]) -> None:
    (axes,) = figures.distribution(results).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["3, n = 10", "5, n = 10"]  # type: ignore[union-attr]
    assert axes.get_xlabel().startswith("failover")
    (axes,) = figures.distribution(results["3"], "detection").axes
    assert axes.get_xlabel().startswith("detection")


def test_what_is_not_measured_is_said(results: dict[str, simulator.Result]) -> None:
    never = simulator.run(simulator.loads(CRASH, overrides=["faults=[]"]), trials=3)
    with pytest.raises(ValueError, match="speed is not a duration that is measured; there are: failover"):
        figures.distribution(results, "speed")
    with pytest.raises(ValueError, match="failover: nothing was measured in simulated"):
        figures.distribution(never, "failover")


def test_a_comparison_shows_the_summary(results: dict[str, simulator.Result]) -> None:
    table = figures.compare(results)
    assert list(table.index) == ["3", "5"]
    median = results["5"].summary["metrics"]["failover"]["median"]["value"]
    assert str(table.loc["5", "failover median, s"]).startswith(f"{median:.3g} [")


def test_a_timeline_is_of_the_trial_asked_for(results: dict[str, simulator.Result]) -> None:
    figure = figures.timeline(results["3"], trial=4)
    assert isinstance(figure, Figure)
    assert "trial 4" in str(figure.get_suptitle())


def test_a_sweep_shows_what_the_summaries_say(results: dict[str, simulator.Result]) -> None:
    # Issue 6: "split-vote rate against timeout range; heat map of two parameters", for notebooks, too.
    by_nodes = {float(name): result for name, result in results.items()}
    (axes,) = figures.sweep({"small": by_nodes}, "failover.median", parameter="nodes").axes
    medians = [result.summary["metrics"]["failover"]["median"]["value"] for result in results.values()]
    assert np.asarray(axes.lines[0].get_xydata()) == pytest.approx(np.column_stack([[3, 5], medians]))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("nodes", "failover, median (s)")
    with pytest.raises(ValueError, match=r"failover\.speed is no statistic of a summary"):
        figures.sweep({"small": by_nodes}, "failover.speed", parameter="nodes")


def test_an_open_end_is_no_end_of_a_sweep(results: dict[str, simulator.Result]) -> None:
    # A p99 of ten trials has no upper end: the band leaves the axes.
    (axes,) = figures.sweep({"small": {3: results["3"], 5: results["5"]}}, "failover.p99", parameter="nodes").axes
    corners = np.asarray(axes.collections[0].get_paths()[0].vertices)
    assert corners[:, 1].max() > axes.get_ylim()[1]


def test_a_heat_map_has_a_cell_for_each_pair(results: dict[str, simulator.Result]) -> None:
    pairs = {("1 %", "3 nodes"): results["3"], ("1 %", "5 nodes"): results["5"], ("2 %", "3 nodes"): results["3"]}
    figure = figures.heat_map(pairs, "split_votes.fraction", across="loss", up="size")
    axes = figure.axes[0]
    cells = np.ma.filled(np.ma.masked_invalid(np.asarray(axes.images[0].get_array(), dtype=float)), -1.0)
    share = {name: result.summary["metrics"]["split_votes"]["fraction"]["value"] for name, result in results.items()}
    assert cells.tolist() == [[share["3"], share["3"]], [share["5"], -1.0]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["3 nodes", "5 nodes"]
