"""Runs that end when enough is known (issue 6: "runs until the interval is that narrow and says why it stopped")."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner

import simulator
import simulator.results
from simulator.analysis.precision import Precision, interim_analyses, interim_estimate, relative_error
from simulator.analysis.records.registry import sample
from simulator.analysis.statistics.estimates import Estimate, quantile
from simulator.cli import main
from tests.experiment.test_runner import CRASH
from tests.report.tables.test_summary import printed


def scenario() -> simulator.Scenario:
    return simulator.loads(CRASH, "test.yaml")


def test_looks_grow_until_the_last() -> None:
    # Each at least 100 trials on, then a fifth more: all together cost a constant times the last.
    assert list(interim_analyses(90)) == [90]
    assert list(interim_analyses(100)) == [100]
    assert list(interim_analyses(1000)) == [100, 200, 300, 400, 500, 600, 720, 864, 1000]
    assert len(list(interim_analyses(100_000))) < 40


@pytest.mark.parametrize(
    ("estimate", "error"),
    [
        (Estimate(2.0, 1.9, 2.04), 0.05),
        (Estimate(2.0, 1.98, 2.2), 0.1),
        (Estimate(0.0, 0.0, 0.0), 0.0),
        (Estimate(0.0, 0.0, 0.1), math.inf),
        (Estimate(2.0, 1.9, math.inf), math.inf),
        (Estimate(math.inf, 3.0, math.inf), math.inf),
        (Estimate(math.nan, math.nan, math.nan), math.inf),
    ],
)
def test_the_further_end_counts_as_a_share_of_the_value(estimate: Estimate, error: float) -> None:
    assert relative_error(estimate) == pytest.approx(error)


def test_a_run_ends_at_the_first_look_that_is_narrow_enough() -> None:
    # What a run of exactly so many trials has found is the outside truth: enough at this look, and not at the one
    # before, by the intervals that hold over all nine looks together (tests/analysis/statistics/test_interim.py).
    result = simulator.run(scenario(), trials=1000, precision=0.05)
    finished = len(result.trials)
    assert finished in list(interim_analyses(1000))[1:-1]
    assert (result.stopped_by, result.summary["trials"]["requested"]) == ("precision", 1000)
    looks = tuple(interim_analyses(1000))
    for trials in looks[: looks.index(finished) + 1]:
        durations = sample(simulator.run(scenario(), trials=trials).elections, "failover")
        found = interim_estimate(durations, 0.5, looks, trials)
        alone = quantile(durations, 0.5)
        assert found.low <= alone.low < alone.high <= found.high
        error = relative_error(found)
        assert (error <= 0.05) == (trials == finished)
        if trials == finished:
            assert result.precision is not None and result.precision.reached == error
            assert result.precision.estimate == found


def test_it_is_the_run_of_that_many_trials_whatever_the_workers() -> None:
    # Issue 2: "the same result to the byte" for any number of workers, though they run ahead.
    alone, together = (simulator.run(scenario(), trials=600, precision=0.08, workers=count) for count in (1, 2))
    plain = simulator.run(scenario(), trials=len(alone.trials))
    assert alone.digest == together.digest == plain.digest
    assert alone.summary == together.summary
    assert f"--trials {len(alone.trials)} " in alone.command


def test_trials_are_the_most(tmp_path: Path) -> None:
    result = simulator.run(scenario(), trials=120, precision=0.001)
    assert (len(result.trials), result.stopped_by) == (120, "trials")
    text = printed(result.summary)
    assert "after all 120 trials, not ±0.1 %; give more --trials" in text
    assert "stopped early" not in text
    kept = simulator.results.load(simulator.save(result, tmp_path))
    assert kept.result().summary == result.summary


def test_a_p99_that_has_no_upper_end_yet_is_not_known() -> None:
    # 0.99**n exceeds 2.5 % up to n = 367: no number of trials below bounds it.
    result = simulator.run(scenario(), trials=150, precision=0.5, precision_of="p99")
    found = result.summary["precision"]
    assert (found["asked"], found["metric"], found["statistic"]) == (0.5, "failover", "p99")
    assert (found["reached"], found["interval"]["high"]) == (None, None)
    assert (found["analyses"], found["confidence"]) == (2, 0.95)
    assert "failover, p99: not bounded yet after all 150 trials" in printed(result.summary)


@pytest.mark.parametrize(("precision", "of"), [(0.0, "median"), (1.0, "median"), (math.nan, "median"), (0.1, "mean")])
def test_what_is_no_precision_is_refused(precision: float, of: str) -> None:
    with pytest.raises(ValueError, match="a share above 0 and below 1, of median, p95, p99"):
        simulator.run(scenario(), trials=1, precision=precision, precision_of=of)


def test_the_command_line_says_why_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(CRASH)
    arguments = [
        "run",
        str(path),
        "--results",
        str(tmp_path / "out"),
        "--trials",
        "900",
        "--precision",
        "12%",
        "--json",
    ]
    outcome = CliRunner().invoke(main, arguments)
    assert outcome.exit_code == 0, outcome.output
    summary = json.loads(outcome.stdout)
    assert summary["stopped_by"] == "precision"
    assert summary["precision"]["reached"] <= 0.12
    ends = summary["precision"]["interval"]
    assert ends["low"] < summary["metrics"]["failover"]["median"]["low"] < ends["value"] < ends["high"]
    assert "an interval that holds with 95 % over all 9 interim analyses" in " ".join(printed(summary).split())
    assert CliRunner().invoke(main, ["run", str(path), "--precision", "12"]).exit_code == 2


def test_the_precision_of_an_earlier_version_is_read() -> None:
    # Results of 0.3.0 and earlier keep no interval: it held at one look only.
    kept = {"asked": 0.05, "metric": "failover", "statistic": "median", "reached": None}
    found = Precision.of_summary(kept)
    assert (found.reached, found.estimate) == (math.inf, None)
    assert found.summary() == kept
