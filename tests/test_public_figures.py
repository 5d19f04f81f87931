"""`simulator.figures`, as a notebook uses it (issue 6: "public API only")."""

from __future__ import annotations

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
