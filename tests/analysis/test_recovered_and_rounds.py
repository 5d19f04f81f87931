"""What a summary and its tables say of losses that recovered, and of rounds without terms (issue 13)."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

import simulator
from simulator.analysis.measures import Fraction
from simulator.analysis.records.registry import MEASURES
from simulator.cluster.cluster import run_trial
from simulator.report.figures.run_figures import write_figures
from simulator.report.tables.summary import summary_table

ROUNDS = ("failed_rounds", "split_votes", "failed_round")


def shown(result: simulator.Result) -> str:
    console = Console(width=80, file=StringIO())
    console.print(summary_table(result.summary))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.fixture(scope="module")
def pausing() -> simulator.Result:
    """The leader pauses for about as long as an election takes, so that some losses recover."""
    faults = "faults=[{at: 1s, pause: leader, lasts: 215ms}]"
    return simulator.run("raft-leader-crash", [faults, "duration=1300ms"], trials=60)


def test_a_summary_tells_of_all_losses(pausing: simulator.Result) -> None:
    """ "`failover` stays as design.md defines it and says 'of those that failed over'; beside it stand the share that
    recovered and the Aalen-Johansen cumulative incidence". All losses end within the trial, so it is a plain share."""
    metrics, losses = pausing.summary["metrics"], pausing.elections.query("cause == 'loss'")
    found = metrics["failover_incidence"]
    elected = losses.query("outcome == 'elected'")
    recovered = int((losses["outcome"] == "recovered").sum())
    assert 0 < recovered < 60 and found["censored"] == 0
    assert (found["count"], found["elected"], found["recovered"]["count"]) == (60, len(elected), recovered)
    assert found["recovered"]["fraction"]["value"] == pytest.approx(recovered / 60)
    assert found["by_end"]["value"] == pytest.approx(len(elected) / 60)
    assert metrics["failover"]["count"] == len(elected)
    assert found["median"]["value"] == sorted(elected["failover_s"])[29]  # The 30th of 60 losses.
    assert metrics["failover"]["median"]["value"] < found["median"]["value"]


def test_the_table_and_a_curve_do_too(pausing: simulator.Result, tmp_path: Path) -> None:
    """ "(`metrics.failover_incidence`, a row and a curve)"; without a recovered loss neither stands there."""
    text = " ".join(shown(pausing).split())
    assert "failover of those" in text and "failover of all" in text
    assert "recovered losses" in text and "another node led" in text
    first = run_trial(pausing.scenario.cluster_spec(), pausing.seed, 0)
    assert tmp_path / "incidence.png" in write_figures(pausing, first, tmp_path)
    crashed = simulator.run("raft-leader-crash", trials=5)
    assert "those that" not in shown(crashed) and "recovered losses" not in shown(crashed)
    assert (
        crashed.summary["metrics"]["failover_incidence"]["median"] == crashed.summary["metrics"]["failover"]["median"]
    )
    assert not any("incidence" in path.name for path in write_figures(crashed, first, tmp_path))


@pytest.mark.parametrize("algorithm", ["bully", "priority", "ring", "invitation"])
def test_rounds_without_terms_are_not_said_to_fail(algorithm: str) -> None:
    """ "'failed rounds 0 %' and 'split votes 0 %' of Bully, priority and the like are so by construction … Count what
    really failed, or leave the rows out": absent, and not 0, and no figure of a comparison or of the gate."""
    result = simulator.run("leader-crash", algorithm=algorithm, trials=4)
    assert len(result.rounds) > 0
    metrics = result.summary["metrics"]
    assert not set(ROUNDS) & set(metrics)
    assert "rounds_per_election" in metrics
    text = shown(result)
    assert "failed round" not in text and "split votes" not in text
    for name in ("failed_rounds", "split_votes"):
        measure = MEASURES[name]
        assert isinstance(measure, Fraction)
        assert str(measure.estimate(result.tables).value) == "nan"


def test_rounds_with_terms_are() -> None:
    """A term with candidates and without a winner has failed (docs/metrics.md), also if nobody is ever elected."""
    result = simulator.run("leader-crash", algorithm="raft", trials=4)
    assert set(ROUNDS) <= set(result.summary["metrics"])
    assert "split votes" in shown(result)
    deaf = simulator.run(
        "leader-crash", ["faults=[]", "network.loss=1", "duration=2s", "liveness=null"], algorithm="raft", trials=20
    )
    assert deaf.summary["elections"]["elected"] == 0
    assert deaf.summary["metrics"]["failed_rounds"]["count"] > 0
