"""What the tables and the figure say of failure detectors: what was measured, and only where there is one."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.container import ErrorbarContainer
from rich.console import Console

import simulator
from simulator.analysis.statistics.estimates import Estimate, rate
from simulator.experiment.runner import Result
from simulator.report.figures.detectors import Tuned, trade_off_figure
from simulator.report.figures.results import save
from simulator.report.tables.summary import summary_table

SCENARIO = """
version: 1
name: watching
algorithm: {name: omega, detector: {heartbeat: {interval: 100ms, timeout: 150ms}}}
cluster: {nodes: 3}
network: {latency: 20ms, loss: 0.1}
faults:
  - {at: 20s, crash: leader}
duration: 21s
trials: 10
seed: 4
"""


@pytest.fixture(scope="module")
def result() -> Result:
    return simulator.run(simulator.loads(SCENARIO, "x.yaml"))


def printed(summary: Any) -> str:
    out = io.StringIO()
    Console(file=out, width=80).print(summary_table(summary))
    return out.getvalue()


def test_the_summary_is_made_of_the_trials(result: Result) -> None:
    # docs/results.md. Watched: 3 nodes, two pairs each, 20 s, and one pair each way for the last second, in ten trials.
    # A lost heartbeat is a mistake: p (1 - p) per interval, and lasts 50 ms, or 100 ms more for each one lost after it.
    detector, trials = result.summary["metrics"]["detector"], result.trials
    assert detector["watched_s"] == pytest.approx(10 * (6 * 20 + 2 * 1))
    assert detector["mistakes"]["count"] == trials["mistakes"].sum()
    expected = rate(int(trials["mistakes"].sum()), detector["watched_s"])
    assert detector["mistakes"]["per_second"] == pytest.approx(expected._asdict())
    assert expected.low < 0.9 < expected.high
    lasts = 0.05 + 0.1 * 0.1 / 0.9
    duration = detector["mistake_duration"]["mean"]
    assert duration["low"] < lasts < duration["high"]
    accuracy = detector["query_accuracy"]
    assert accuracy["low"] < 1 - 0.9 * lasts < accuracy["high"]
    # The crash at 20 s is the leader's; its last heartbeat was sent at 19.9 s and arrived at 19.92 s, or was lost.
    assert detector["detection"]["count"] == 20 and detector["detection"]["undetected"] == 0
    assert detector["detection"]["max"]["value"] == pytest.approx(0.07)
    assert 0 < detector["detection"]["mean"]["value"] <= 0.07


def test_a_crash_that_was_not_detected_leaves_no_mean() -> None:
    # docs/metrics.md: the mean of what was detected would flatter the slow.
    text = SCENARIO.replace("timeout: 150ms", "timeout: 950ms").replace("duration: 21s", "duration: 20800ms")
    detection = simulator.run(simulator.loads(text, "x.yaml"), trials=3).summary["metrics"]["detector"]["detection"]
    assert detection["undetected"] > 0 and detection["mean"]["value"] is None


def test_false_suspicions_are_counted(result: Result) -> None:
    found = result.summary["metrics"]["false_suspicions"]
    assert found["count"] == result.trials["false_suspicions"].sum() > 0
    per_second = rate(found["count"], float(result.trials["observed_s"].sum()))
    assert found["per_second"] == pytest.approx(per_second._asdict())


def test_the_table_says_what_the_summary_says(result: Result) -> None:
    text, detector = printed(result.summary), result.summary["metrics"]["detector"]
    assert "Failure detectors" in text and "20 detected" in text
    assert f"{3600 * detector['mistakes']['per_second']['value']:,.0f}" in text
    assert f"{100 * detector['query_accuracy']['value']:.4f} %" in text
    assert f"{detector['mistakes']['count']:,} in all" in text


def test_without_a_detector_there_is_no_table() -> None:
    text = SCENARIO.replace("{name: omega, detector: {heartbeat: {interval: 100ms, timeout: 150ms}}}", "{name: raft}")
    summary = simulator.run(simulator.loads(text, "x.yaml"), trials=2).summary
    assert summary["metrics"]["detector"] is None
    assert "Failure detectors" not in printed(summary)


def test_the_figure_shows_every_point_once(tmp_path: Path) -> None:
    # Mistakes of none have no place on a logarithmic axis: an open mark at the upper end of the interval.
    def tuned(ms: float, count: int) -> Tuned:
        return Tuned(Estimate(ms / 1e3, ms / 1.1e3, ms / 0.9e3), rate(count, 3600))

    curves = {"chen": [tuned(300, 4), tuned(200, 50), tuned(400, 0)], "phi": [tuned(300, 9), tuned(200, 70)]}
    figure = trade_off_figure(curves, "Five nodes")
    (axes,) = figure.axes
    lines = [container.lines[0] for container in axes.containers if isinstance(container, ErrorbarContainer)]
    assert np.concatenate([line.get_xydata() for line in lines]) == pytest.approx(
        np.array([(200, 50), (300, 4), (200, 70), (300, 9)])
    )
    bounds = np.concatenate([line.get_xydata() for line in axes.lines if line.get_markerfacecolor() == "white"])
    assert bounds == pytest.approx(np.array([(400, 3.689)]), abs=0.001)  # -ln 0.025, of no mistake in an hour.
    legend = axes.get_legend()
    assert legend is not None and [text.get_text() for text in legend.get_texts()] == ["chen", "phi"]
    assert axes.get_title(loc="left") == "Five nodes"
    first, second = (save(trade_off_figure(curves), tmp_path / name, ("png",))[0] for name in "ab")
    assert first.read_bytes() == second.read_bytes()
