"""Failover decomposed as stacked bars (issue 6): what is drawn is what was measured, and the parts make the whole."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

import simulator
from simulator import figures
from simulator.report.figures.decomposition import PARTS, Failovers, decomposition_figure
from tests.experiment.test_runner import CRASH, NO_QUORUM


def table(*rows: tuple[float, float, float, float]) -> pd.DataFrame:
    """Failovers of one trial each: detection, failed rounds, winning round, announcement; none has pre-votes."""
    frame = pd.DataFrame(rows, columns=["detection_s", "earlier_rounds_s", "winning_round_s", "announced_majority_s"])
    return frame.assign(trial=range(len(rows)), cause="loss", outcome="elected", before_rounds_s=0.0)


def bars(figure: Figure) -> np.ndarray:
    """The segments as drawn: starts and lengths; shape (parts, bars, 2)."""
    (axes,) = figure.axes
    segments = [container for container in axes.containers if isinstance(container, BarContainer)]
    return np.array([[(patch.get_x(), patch.get_width()) for patch in container] for container in segments])


def test_the_parts_of_a_bar_are_means_and_lie_end_to_end() -> None:
    # Two failovers: detection 100 and 300 ms; failed rounds 0 and 200; winning rounds 20; announcements 10 and 30.
    # Means: 200, 100, 20, 20; of pre-votes, which nobody asked for, there is no segment.
    found = Failovers.of(table((0.1, 0, 0.02, 0.01), (0.3, 0.2, 0.02, 0.03)))
    assert bars(decomposition_figure({"two": found}))[:, 0] == pytest.approx(
        np.array([(0, 200), (200, 100), (300, 20), (320, 20)])
    )


def test_a_failover_that_was_not_seen_to_its_end_is_left_out_and_counted() -> None:
    # The mean of the finished ones flatters the slow; so it must be said how many are missing.
    rows = table((0.1, 0, 0.02, 0.01), (0.3, 0.2, 0.02, float("nan")))
    found = Failovers.of(rows)
    assert (len(found.parts), found.unfinished) == (1, 1)
    (axes,) = decomposition_figure({"one": found}).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["one\nn = 1, 1 not seen to their end"]


def test_the_whole_is_what_the_summary_says_of_failover_and_announcement() -> None:
    result = simulator.run(simulator.loads(CRASH), trials=40)
    found, metrics = Failovers.of(result.elections), result.summary["metrics"]
    assert found.unfinished == 0
    parts = dict(zip(PARTS, found.parts.mean(axis=0), strict=True))
    assert parts["detection"] == pytest.approx(metrics["detection"]["mean"]["value"])
    assert parts["earlier rounds"] + parts["winning round"] == pytest.approx(metrics["election"]["mean"]["value"])
    assert parts["announcement to a majority"] == pytest.approx(metrics["announcement_majority"]["mean"]["value"])
    failed = result.elections.query("cause == 'loss'")["failed_rounds"].to_numpy() > 0
    assert ((found.parts[:, 2] > 0) == failed).all()
    assert parts["pre-votes"] == 0


def test_pre_votes_have_a_segment_where_there_are_any() -> None:
    found = Failovers.of(
        simulator.run(simulator.loads(CRASH, overrides=["algorithm.pre_vote=true"]), trials=10).elections
    )
    assert (found.parts[:, 1] > 0).all()  # A round trip, at least, between suspicion and candidacy.
    assert len(bars(decomposition_figure({"all": found}))) >= 4


def test_tenths_are_sorted_and_share_out_all_failovers() -> None:
    found = Failovers.of(simulator.run(simulator.loads(CRASH), trials=50).elections)
    tenths = found.by_length()
    names = list(tenths)
    assert (names[0], names[-1]) == ("shortest 0–10 %", "longest 90–100 %")
    assert [len(tenth.parts) for tenth in tenths.values()] == [5] * 10
    wholes = np.concatenate([tenth.parts.sum(axis=1) for tenth in tenths.values()])
    assert (wholes == np.sort(found.parts.sum(axis=1))).all()


@pytest.mark.parametrize(("failovers", "groups"), [(0, 0), (1, 1), (9, 1), (10, 2), (24, 4), (49, 5)])
def test_few_failovers_make_fewer_groups(failovers: int, groups: int) -> None:
    found = Failovers.of(table(*[(0.1, 0, 0.02, 0.01)] * failovers))
    assert len(found.by_length()) == groups


def test_a_whisker_is_the_interval_of_the_whole() -> None:
    found = Failovers.of(simulator.run(simulator.loads(CRASH), trials=20).elections)
    (axes,) = decomposition_figure({"all": found}).axes
    (whisker,) = axes.lines
    assert list(np.asarray(whisker.get_xdata())) == pytest.approx([1e3 * found.whole.low, 1e3 * found.whole.high])
    assert decomposition_figure({"all": found}, intervals=False).axes[0].lines[:] == []


def test_parts_differ_in_colour_and_neighbours_in_hatch() -> None:
    # "Colour-blind safe, readable in print" (issue 6).
    assert len({colour for colour, _ in PARTS.values()}) == len(PARTS)
    hatches = [hatch for _, hatch in PARTS.values()]
    assert all(one != other for one, other in pairwise(hatches))


def test_no_failover_makes_no_figure() -> None:
    never = simulator.run(simulator.loads(NO_QUORUM), trials=3)
    with pytest.raises(ValueError, match="no failover was seen to its end in small-crash"):
        figures.decomposition(never)
    with pytest.raises(ValueError, match="no failover was seen to its end in never"):
        figures.decomposition({"never": never})
