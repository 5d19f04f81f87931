"""The figures of a run go to its directory, under the names that docs/results.md gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.cluster.cluster import run_trial
from simulator.experiment.runner import run
from simulator.report.pages import headline_metric, write_figures
from simulator.scenario import load

SCENARIOS = Path(__file__).parents[2] / "scenarios"


@pytest.mark.parametrize(
    ("name", "metric"), [("raft-leader-crash", "failover"), ("raft-availsim-wan", "stabilisation")]
)
def test_a_run_leaves_its_distribution_and_its_first_trial(name: str, metric: str, tmp_path: Path) -> None:
    # docs/results.md: "the ECDF of failover, or of the scenario's published metric", and the first trial's timeline.
    scenario = load(SCENARIOS / f"{name}.yaml")
    result = run(scenario, trials=3)
    first = run_trial(scenario.cluster_spec(), result.seed, 0, journal=True)
    written = write_figures(result, first, tmp_path)
    assert [path.name for path in written] == ["failover.png", "failover.svg", "timeline.png", "timeline.svg"]
    assert sorted(tmp_path.iterdir()) == sorted(written)
    assert headline_metric(result) == metric
