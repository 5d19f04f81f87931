"""docs/zookeeper-recipe.md: a reader copies its example, and runs the scenarios that it names."""

from __future__ import annotations

import re
from pathlib import Path

import simulator
from simulator.scenario import advice, loads
from simulator.shipped import shipped

PAGE = (Path(__file__).parents[2] / "docs" / "zookeeper-recipe.md").read_text(encoding="utf-8")


def test_the_example_runs() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    scenario = loads(example)
    assert advice(scenario) == []
    result = simulator.run(scenario, trials=3)
    assert result.violations == []
    assert result.trials["faults_never_struck"].sum() == 0
    assert (result.trials["losses"] >= 1).all()


def test_every_scenario_of_the_recipe_has_its_question_on_the_page() -> None:
    named = {name for name, path in shipped().items() if "name: zookeeper\n" in path.read_text(encoding="utf-8")}
    assert len(named) >= 6
    assert named <= {*re.findall(r"`(zookeeper-[a-z-]+)`", PAGE)}
