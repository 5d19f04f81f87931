"""The table and the figures of a comparison (issue 6: "one table, one figure per metric")."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from simulator.report.figures.comparison import comparison_figure, write_comparison_figures
from simulator.report.tables.comparison import comparison_table

ROW = {
    "against": "raft, nodes 3",
    "difference": {"value": 0.1, "low": 0.05, "high": 0.15},
    "ratio": {"value": 1.5, "low": 1.2, "high": 1.8},
    "p": 0.001,
    "p_corrected": 0.003,
    "verdict": "worse",
    "equivalent": False,
}
BEST = {"name": "raft, nodes 3", "value": 0.2, "low": 0.19, "high": 0.21, "against": None}
NEVER = {"value": 0.0, "low": 0.0, "high": 0.02}
NAMES = ("raft, nodes 3", "raft, nodes 5", "bully, nodes 3", "bully, nodes 5")


def comparison() -> dict[str, Any]:
    """Two algorithms, two sizes; the p99 of the last is hidden by censoring, and nothing is known of its median."""
    rows = [BEST, *({"name": name, "value": 0.3, "low": 0.25, "high": 0.35, **ROW} for name in NAMES[1:])]
    hidden = copy.deepcopy(rows)
    hidden[3] |= {"value": None, "low": 2.0, "high": None, "difference": {"value": None, "low": 1.8, "high": None}}
    hidden[2] |= {"verdict": None, "difference": {"value": 0.1, "low": None, "high": None}, "equivalent": True}
    rows[3] = {"name": NAMES[3], "value": None, "low": None, "high": None, "against": None}
    metrics: dict[str, dict[str, Any]] = {
        "failover.median": {"label": "failover, median", "unit": "s", "best": NAMES[0], "winner": NAMES[0]},
        "failover.p99": {"label": "failover, p99", "unit": "s", "best": NAMES[0], "winner": None},
        "leaders_overlap": {"label": "leaders overlap, of the trials", "unit": "%", "best": NAMES[0], "winner": None},
    }
    variants = (rows, hidden, [{"name": name, **NEVER, "against": None} for name in NAMES])
    whole = {"name": NAMES[1], "against": NAMES[0]}
    return {
        "scenario": "leader-crash",
        "version": "0.1.0",
        "seed": 7,
        "command": "electsim compare …",
        "stopped_by": None,
        "reference": None,
        "equivalent": 0.05,
        "family": 18,
        "variants": [
            {
                "name": name,
                "settings": dict(zip(("algorithm", "cluster.nodes"), name.split(", nodes "), strict=True)),
                "trials": {"run": 200, "censored": 3 if name == NAMES[3] else 0},
            }
            for name in NAMES
        ],
        "metrics": {
            key: {**metric, "variants": found} for (key, metric), found in zip(metrics.items(), variants, strict=True)
        },
        "tests": {
            "failover": [
                {
                    **whole,
                    "kolmogorov_smirnov": {"distance": 0.25, "p": 0.001, "p_corrected": 0.00001},
                    "mann_whitney": {"chance_longer": 0.625, "p": 0.01, "p_corrected": 0.03},
                }
            ]
        },
    }


def written(found: dict[str, Any], *, tests: bool = False) -> str:
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(comparison_table(found, tests=tests), crop=False)
    return console.export_text()


def lines_of(text: str, name: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line.strip().startswith(name)]


def test_the_table_has_a_block_for_each_metric_and_a_row_for_each_variant() -> None:
    text = written(comparison())
    assert "failover, median, ms" in text
    assert lines_of(text, "raft, nodes 3") == [
        ["raft,", "nodes", "3", "200", "best"],
        ["raft,", "nodes", "3", "200", "reference"],  # The lowest, but not distinguished.
    ]
    assert lines_of(text, "raft, nodes 5")[0] == ["raft,", "nodes", "5", "300", "+100", "1.50", "worse"]
    assert "[250 – 350]" in text
    assert "[+50 – +150]" in text


def test_what_is_not_known_is_said_in_words() -> None:
    text = written(comparison())
    assert ["bully,", "nodes", "5", "no", "data"] in lines_of(text, "bully, nodes 5")
    assert ["bully,", "nodes", "5", "not", "reached", "–", "1.50", "worse"] in lines_of(text, "bully, nodes 5")
    assert "[unbounded]" in text
    assert "[2,000 – ∞)" in text
    assert "3 of 200 trials censored" in text
    assert "equal ±5 %" in text
    assert "0 in every trial of all variants: leaders overlap" in text


def test_tests_stand_below_only_if_asked_for() -> None:
    assert "KS distance" not in written(comparison())
    text = written(comparison(), tests=True)
    assert ["raft,", "nodes", "5", "raft,", "nodes", "3", "0.250", "<0.0001", "62.5", "%", "0.0300"] in lines_of(
        text, "raft, nodes 5"
    )


def test_no_line_is_cut() -> None:
    # Rich marks what it cuts; a figure that is cut in the middle would be another figure.
    found = comparison()
    found["command"] = "electsim compare"
    assert "…" not in written(found, tests=True)


def test_a_figure_has_a_point_and_an_interval_for_each_variant() -> None:
    figure = comparison_figure(comparison(), "failover.median")
    (axes,) = figure.axes
    points = [line for line in axes.lines if line.get_marker() != "None"]
    spans = [line for line in axes.lines if line.get_marker() == "None"]
    at = [tuple(np.asarray(point.get_xydata())[0].tolist()) for point in points]
    assert [round(y) for _, y in at] == [200, 300, 300]
    assert [round(x) for x, _ in at] == [0, 1, 0]  # At its own size; Raft's left of Bully's.
    assert at[0][0] < 0 < at[2][0]
    assert np.asarray(spans[0].get_ydata()).tolist() == [190, 210]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["3", "5"]
    assert axes.get_ylabel() == "failover, median (ms)"
    assert [text.get_text() for text in axes.texts] == ["no data"]


def test_a_value_that_censoring_hides_is_a_hollow_mark_at_the_edge() -> None:
    (axes,) = comparison_figure(comparison(), "failover.p99").axes
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
    assert [float(np.asarray(line.get_ydata())[0]) for line in hollow] == [axes.get_ylim()[1]]


def test_a_metric_that_is_never_more_than_0_has_no_figure(tmp_path: Path) -> None:
    names = {path.name for path in write_comparison_figures(comparison(), tmp_path)}
    assert names == {f"failover-{which}.{ending}" for which in ("median", "p99") for ending in ("png", "svg")}


def test_a_family_that_is_too_large_for_a_bootstrap_is_said_to_be() -> None:
    # The least p value of 20 000 resamples is 2 / 20 001: times 501 it is above 5 %, and nothing is ever told apart.
    assert "tells nothing apart" not in written(comparison() | {"family": 500})
    assert "name a --reference" in written(comparison() | {"family": 501})
