"""A block of published figures holds for the values that it was published for.

"`raft-etcd-failover --set cluster.nodes=3` still prints the published figures of five nodes. … any `--set`,
`--algorithm` or `--vary` other than trials, seed, precision, workers, or a field that the block lists as free, leaves
it out, and says so" (issue 13, "Figures beside a changed scenario").
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import simulator
import simulator.results
from simulator.cli import main
from simulator.report.figures.run_figures import primary_metric
from simulator.scenario import ScenarioError, loads
from tests.experiment.test_runner import CRASH

BLOCK = "published: {metric: downtime, quantiles: [[0.5, 100ms]], source: a paper, free: [network.latency]}\n"
TEXT = CRASH + BLOCK
FILE_VALUE = f"cluster.nodes={loads(TEXT).cluster.nodes}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "crash.yaml"
    path.write_text(TEXT)
    return path


def electsim(*words: object) -> Result:
    outcome = CliRunner().invoke(main, [str(word) for word in words])
    assert outcome.exit_code == 0, outcome.output
    return outcome


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("trials=7", "seed=8"),
        ("network.latency={uniform: [1ms, 2ms]}",),
        (FILE_VALUE,),
        ("published.source=another paper",),
        ("cluster.nodes=9", "published.free=[cluster]"),
        ("cluster.nodes=9", "published={metric: failover, source: a paper of nine nodes, mean: 1s}"),
    ],
)
def test_figures_stand_beside_what_they_hold_for(overrides: tuple[str, ...]) -> None:
    """Free fields may change, the file's own value is no change, and a new block is given for the values beside it."""
    scenario = loads(TEXT, "x.yaml", overrides)
    assert scenario.applicable_published is not None
    assert not scenario.applicable_published.changed


@pytest.mark.parametrize(
    ("overrides", "changed"),
    [
        (("cluster.nodes=9",), ("cluster.nodes",)),
        (("network.loss=2%", "trials=9", "cluster.nodes=9"), ("network.loss", "cluster.nodes")),
        (("network={latency: 3ms, loss: 0.5}",), ("network",)),  # Only a part of it is free.
        (("faults.0.at=1001ms",), ("faults.0.at",)),
        (("duration=59s",), ("duration",)),
    ],
)
def test_a_changed_field_leaves_them_out(overrides: tuple[str, ...], changed: tuple[str, ...]) -> None:
    scenario = loads(TEXT, "x.yaml", overrides)
    assert scenario.applicable_published is None
    assert scenario.published is not None
    assert scenario.published.changed == changed


def test_another_algorithm_leaves_them_out_and_the_same_one_does_not() -> None:
    own = loads(TEXT).algorithm.registration.name
    assert loads(TEXT, algorithm=own).applicable_published is not None
    other = loads(TEXT, algorithm="bully")
    assert other.published is not None
    assert other.published.changed == ("algorithm",)


def test_the_summary_says_what_was_changed(file: Path) -> None:
    """`simulator.run(…, overrides)`; the primary metric is then that of a scenario without published figures."""
    result = simulator.run(file, ["cluster.nodes=5"], trials=3)
    assert "published" not in result.summary
    assert result.summary["published_left_out"] == {
        "metric": "downtime",
        "source": "a paper",
        "changed": ["cluster.nodes"],
    }
    assert primary_metric(result) == "failover"
    unchanged = simulator.run(file, trials=3)
    assert "published_left_out" not in unchanged.summary
    assert unchanged.summary["published"]["source"] == "a paper"
    assert primary_metric(unchanged) == "downtime"


def test_saved_results_say_it_too(file: Path, tmp_path: Path) -> None:
    """So does their scenario if it is run again, with or without another override."""
    root = tmp_path / "results"
    shown = electsim("run", file, "--set", "cluster.nodes=5", "--trials", 3, "--workers", 1, "--results", root)
    assert "Published figures are left out" in shown.stdout
    assert "cluster.nodes" in shown.stdout
    assert "Beside published figures" not in shown.stdout
    directory = root / "small-crash-001"
    assert "Published figures are left out" in electsim("show", directory).stdout
    assert "published" not in json.loads(electsim("show", directory, "--json").stdout)
    assert "published" not in simulator.results.load(directory).result().summary
    again = simulator.run(directory / "scenario.yaml", ["network.loss=0.02"], trials=2)
    assert again.summary["published_left_out"]["changed"] == ["cluster.nodes", "network.loss"]


def test_a_comparison_says_it_of_each_variant(file: Path, tmp_path: Path) -> None:
    words = [
        "compare",
        file,
        "--vary",
        f"cluster.nodes=5,{FILE_VALUE.partition('=')[2]}",
        "--trials",
        3,
        "--workers",
        1,
    ]
    words += ["--metric", "failover.median", "--results", tmp_path / "results"]
    assert "without a change of cluster.nodes" in " ".join(electsim(*words).stdout.split())
    comparison = json.loads(electsim(*words, "--json").stdout)
    left_out = [variant.get("published_left_out", {}).get("changed") for variant in comparison["variants"]]
    assert left_out == [["cluster.nodes"], None]


def test_a_free_field_must_exist() -> None:
    with pytest.raises(ScenarioError, match=r"published\.free\.0: cluster\.node: the scenario has no field node"):
        loads(TEXT.replace("network.latency]", "cluster.node]"))
    assert loads(TEXT.replace("network.latency]", "nemesis.mix, faults.0.at]")).published is not None


def test_a_file_that_is_valid_with_its_override_only() -> None:
    """There is nothing to compare the override with, so that it counts as a change."""
    scenario = loads(TEXT.replace("duration:", "# duration:"), overrides=["duration=4s"])
    assert scenario.published is not None
    assert scenario.published.changed == ("duration",)
