"""docs/etcd-election.md: a reader copies its example, and runs the scenarios that it names."""

from __future__ import annotations

import re
from pathlib import Path

import simulator
from simulator.algorithms.etcd.config import EtcdElectionConfig
from simulator.scenario import advice, loads
from simulator.shipped import shipped

PAGE = (Path(__file__).parents[2] / "docs" / "etcd-election.md").read_text(encoding="utf-8")


def test_the_example_runs() -> None:
    """A page of the documentation shows what works (CONTRIBUTING.md)."""
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    scenario = loads(example)
    assert advice(scenario) == []
    result = simulator.run(scenario, trials=2)
    assert result.violations == []
    assert result.trials["faults_never_struck"].sum() == 0
    assert (result.trials["losses"] >= 1).all()


def test_every_scenario_of_the_recipe_has_its_question_on_the_page() -> None:
    """Issue 16: "a page each: how it works, how long, how long two, what to set, how right"."""
    named = {name for name, path in shipped().items() if "name: etcd-election\n" in path.read_text(encoding="utf-8")}
    assert len(named) >= 5
    assert named <= {*re.findall(r"`(etcd-election-[a-z-]+)`", PAGE)}


def test_the_table_of_times_to_live_follows_from_the_rules() -> None:
    """client/v3/lease.go: keep-alives come at the first multiple of 0.5 s above a third of the TTL."""
    rows = re.findall(r"^\| (\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)
    assert len(rows) >= 4
    for ttl, period, best, mean, worst in rows:
        expected = (int(ttl) * 2 // 3 + 1) / 2
        assert float(period) == expected
        assert float(best) == int(ttl) - expected and float(worst) == int(ttl) + 0.5
        assert float(mean) == int(ttl) - expected / 2 + 0.25


def test_the_page_names_the_options() -> None:
    """A reader looks up what to set."""
    missing = {name for name in EtcdElectionConfig.__dataclass_fields__ if f"`{name}`" not in PAGE}
    assert missing == set()
