"""`scenarios/leader-crash.yaml` "runs with each of them (`--algorithm NAME`), and each elects again in every trial".

Issue 5, common ground. Whatever is registered is tried, so that a new algorithm needs no line here.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import simulator
from simulator.algorithms.registry import REGISTRY
from simulator.cli import main
from simulator.scenario import ScenarioError, dropped_options
from tests.support.scenarios import RICH

TRIALS = 10


@pytest.mark.parametrize("name", REGISTRY)
def test_it_elects_again_in_every_trial_and_keeps_its_promises(name: str) -> None:
    scenario = simulator.load("leader-crash", algorithm=name)
    assert scenario.algorithm.registration is REGISTRY[name]
    result = simulator.run(scenario, trials=TRIALS)
    losses = result.elections[result.elections["cause"] == "loss"]
    crashes = losses[losses["loss_cause"] == "crash"]
    assert list(crashes["trial"]) == list(range(TRIALS))  # The leader of each trial crashes, once.
    again = losses[losses["outcome"] == "elected"]
    assert set(again["trial"]) == set(range(TRIALS))
    # It ends with a leader that has led for 5 s (stable_after), and not because its time is over.
    assert (result.trials["end_s"] < scenario.duration / 1e9).all()
    assert result.violations == []
    assert result.summary["algorithm"] == name


def test_the_faults_and_the_luck_of_others_are_the_same() -> None:
    # "Swaps the algorithm under the same faults and the same luck": whoever leads, it is struck at the same instants.
    injected = {
        name: simulator.run(simulator.load("leader-crash", algorithm=name), trials=5).elections
        for name in ("raft", "bully")
    }
    instants = [list(found.loc[found["loss_cause"] == "crash", "start_s"]) for found in injected.values()]
    assert instants[0] == instants[1]
    assert len(set(instants[0])) == 5


def test_the_options_of_the_other_algorithm_are_dropped_and_those_of_this_may_be_set() -> None:
    given = ["algorithm.answer_timeout=70ms", "cluster.logs=same"]  # Bully keeps no logs, whose lengths RICH gives.
    scenario = simulator.loads(RICH, overrides=given, algorithm="bully")
    other = simulator.loads(RICH, overrides=["algorithm={name: bully, answer_timeout: 70ms}", "cluster.logs=same"])
    assert scenario.model_copy(update={"published": other.published}) == other  # It names what was overridden.
    assert simulator.loads(RICH, algorithm="raft") == simulator.loads(RICH)  # It is its own.


def test_a_mistake_is_laid_at_its_door() -> None:
    with pytest.raises(ScenarioError, match=r"override algorithm=buly: algorithm.name: .*did you mean bully"):
        simulator.load("leader-crash", algorithm="buly")
    with pytest.raises(ScenarioError, match=r"cluster.logs: bully keeps no log; leave this out"):
        simulator.loads(RICH, algorithm="bully")


@pytest.mark.usefixtures("no_run_figures")
def test_the_command_says_what_it_drops_and_can_be_repeated(tmp_path: Path) -> None:
    words = ["run", "raft-leader-crash", "--algorithm", "bully", "--trials", "3", "--json", "--results", str(tmp_path)]
    first = CliRunner().invoke(main, words)
    assert first.stderr.splitlines()[0] == (
        "raft-leader-crash: the options of raft are dropped (election_timeout, heartbeat_interval); "
        "those of bully have their defaults, unless --set algorithm.OPTION=VALUE gives another"
    )
    summary = json.loads(first.stdout)
    assert dropped_options("raft-leader-crash", "bully") == ("raft", ("election_timeout", "heartbeat_interval"))
    again = CliRunner().invoke(main, [*summary["command"].split()[1:], "--json", "--results", str(tmp_path)])
    assert json.loads(again.stdout)["digest"] == summary["digest"]
    kept = simulator.load(tmp_path / "raft-leader-crash-001" / "scenario.yaml")
    assert kept == simulator.load("raft-leader-crash", algorithm="bully")
