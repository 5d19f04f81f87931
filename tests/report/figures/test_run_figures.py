"""The figures of a run go to its directory, under the names that docs/results.md gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.cluster.cluster import run_trial
from simulator.experiment.runner import run
from simulator.report.figures.run_figures import primary_metric, write_figures
from simulator.scenario import load

SCENARIOS = Path(__file__).parents[3] / "scenarios"


@pytest.mark.parametrize(
    ("name", "metric"), [("raft-leader-crash", "failover"), ("raft-availsim-wan", "stabilisation")]
)
def test_a_run_leaves_its_distribution_and_its_first_trial(name: str, metric: str, tmp_path: Path) -> None:
    # docs/results.md: "the ECDF of failover, or of the scenario's published metric", and the first trial's timeline.
    scenario = load(SCENARIOS / f"{name}.yaml")
    result = run(scenario, trials=3)
    first = run_trial(scenario.cluster_spec(), result.seed, 0, journal=True)
    written = write_figures(result, first, tmp_path)
    names = ("failover", "decomposition", "timeline")
    assert [path.name for path in written] == [f"{name}.{ending}" for name in names for ending in ("png", "svg")]
    assert sorted(tmp_path.iterdir()) == sorted(written)
    assert primary_metric(result) == metric


def test_the_decomposition_says_of_what_it_is(tmp_path: Path) -> None:
    """ "`decomposition.png` says of what it is" (issue 12, C8): its title does."""
    scenario = load(SCENARIOS / "raft-leader-crash.yaml")
    result = run(scenario, trials=3)
    write_figures(result, run_trial(scenario.cluster_spec(), result.seed, 0, journal=True), tmp_path)
    title = "raft-leader-crash: mean parts of 3 failovers"
    assert title in (tmp_path / "decomposition.svg").read_text()


def test_two_leaders_at_once_have_a_figure(tmp_path: Path) -> None:
    # docs/results.md: `overlaps`, where there were any.
    scenario = load(SCENARIOS / "raft-partition.yaml", ["algorithm.check_quorum=false"])
    result = run(scenario, trials=3)
    first = run_trial(scenario.cluster_spec(), result.seed, 0, journal=True)
    written = {path.stem for path in write_figures(result, first, tmp_path)}
    assert len(result.overlaps) == 3
    assert written == {"failover", "decomposition", "overlaps", "timeline"}
