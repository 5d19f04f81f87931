"""Overlap incidents on a time axis (issue 6): every incident is there, at its time, and its kind is visible."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

import simulator
from simulator import figures
from simulator.cluster.cluster import run_trial
from simulator.metrics.leadership import leadership
from simulator.report.figures.overlaps import TrialOverlaps, overlaps_figure, trials_with_overlaps

TRIALS = pd.DataFrame({"trial": [4, 5, 6, 7], "end_s": [10.0, 10.0, 9.0, 12.0]})
OVERLAPS = pd.DataFrame(
    [
        (5, 1, "stale_leader", 1.0, 3.5, False),
        (5, 2, "same_term", 4.0, 4.25, False),
        (7, 1, "no_term", 2.0, 11.0, True),
    ],
    columns=["trial", "overlap", "kind", "start_s", "end_s", "effective"],
)


def boxes(axes: Axes) -> list[tuple[float, float, float]]:
    """Each bar: from when, until when, and around which line."""
    found = []
    for bar in axes.collections:
        assert isinstance(bar, PolyCollection)
        for path in bar.get_paths():
            (left, bottom), (right, top) = path.get_extents().get_points().tolist()
            found.append((left, right, round((bottom + top) / 2, 9)))
    return found


def test_each_trial_with_an_incident_has_its_line() -> None:
    groups = trials_with_overlaps(TRIALS, OVERLAPS, most=50)
    assert [trial_overlaps.trial for trial_overlaps in groups] == [5, 7]
    (axes,) = overlaps_figure({"both": groups}).axes
    assert set(boxes(axes)) == {(1.0, 3.5, 1.0), (4.0, 4.25, 1.0), (2.0, 11.0, 2.0)}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["5", "7"]
    assert axes.get_xlim() == (0, 12)
    assert [trial_overlaps.trial for trial_overlaps in trials_with_overlaps(TRIALS, OVERLAPS, most=1)] == [5]


def test_the_legend_names_what_is_there_and_no_more() -> None:
    def names(*rows: int) -> list[str]:
        shown = trials_with_overlaps(TRIALS, OVERLAPS.iloc[list(rows)], most=9)
        return [text.get_text() for text in overlaps_figure({"some": shown}).legends[0].get_texts()]

    assert names(0) == ["two leaders of different terms: the older one is known by its term"]
    assert names(1) == ["two leaders of one term"]
    assert names(2) == [
        "two leaders, and nothing tells which is the older",
        "… and other nodes follow both at one instant",
    ]


def test_the_table_of_a_run_is_what_each_trace_says() -> None:
    # Every trial again, from its trace: the same incidents at the same instants.
    scenario = simulator.load("raft-partition", ["algorithm.check_quorum=false"])
    result = simulator.run(scenario, trials=3)
    overlaps = [leadership(run_trial(scenario.cluster_spec(), result.seed, trial)).overlaps for trial in range(3)]
    rows = [(trial, str(one.kind), one.start_ns, one.end_ns) for trial, found in enumerate(overlaps) for one in found]
    table = result.overlaps
    for column, values in zip(("trial", "kind"), zip(*((row[0], row[1]) for row in rows), strict=True), strict=True):
        assert tuple(table[column]) == values
    assert table[["start_s", "end_s"]].to_numpy() * 1e9 == pytest.approx(np.array([row[2:] for row in rows]))
    assert (table["claimants"].str.count("n") == 2).all() and (table["most_at_once"] == 2).all()
    assert table["effective"].sum() == result.trials["overlaps_effective"].sum()


def test_a_partition_lies_behind_the_incident_that_it_made() -> None:
    scenario = simulator.load("raft-partition", ["algorithm.check_quorum=false"])
    trial_overlaps = TrialOverlaps.of(run_trial(scenario.cluster_spec(), scenario.seed, 0))
    ((start_ns, end_ns), *_) = trial_overlaps.partitions
    assert start_ns < trial_overlaps.incidents[0].start_ns < end_ns
    (axes,) = overlaps_figure({"one": [trial_overlaps]}).axes
    assert (start_ns / 1e9, end_ns / 1e9, 1.0) in boxes(axes)


def test_a_notebook_gets_a_panel_for_each_result() -> None:
    partition = simulator.load("raft-partition", ["algorithm.check_quorum=false"])
    split, never = simulator.run(partition, trials=2), simulator.run("raft-leader-crash", trials=2)
    assert [axes.get_title(loc="left") for axes in figures.overlaps({"split": split, "never": never}).axes] == [
        "split",
        "never",
    ]
    with pytest.raises(ValueError, match="two nodes never led at once in raft-leader-crash"):
        figures.overlaps(never)
