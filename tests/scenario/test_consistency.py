"""A scenario that a program has built or changed is checked as one that is loaded."""

from __future__ import annotations

import pytest

import simulator
from simulator.scenario import check
from simulator.scenario.schema import Scenario

SMALL = """
version: 1
name: small
algorithm: {name: raft}
cluster: {nodes: 3}
faults:
  - {at: 1s, crash: leader}
duration: 2s
"""


def test_a_model_does_not_run_the_checks() -> None:
    """ "No circles: `scenario/{schema,checks,demands}`" (house plan, section 1): models know nothing of the checks."""
    late = {"version": 1, "name": "late", "algorithm": {"name": "raft"}, "cluster": {"nodes": 3}, "duration": "2s"}
    built = Scenario.model_validate({**late, "faults": [{"at": "3s", "crash": "leader"}]})
    with pytest.raises(simulator.ScenarioError, match=r"^late: faults\.0\.at: 3s is not before the trial's end at 2s"):
        check(built)


def test_a_changed_scenario_is_checked_when_it_runs() -> None:
    """The check left the model (house plan, section 1), and pydantic's `model_copy` never ran it: `run` does."""
    changed = simulator.loads(SMALL).model_copy(update={"duration": 500_000_000})
    with pytest.raises(simulator.ScenarioError, match=r"^small: faults\.0\.at: 1s is not before the trial's end"):
        simulator.run(changed, trials=1)


def test_a_scenario_that_was_loaded_passes() -> None:
    """`check` finds nothing in what `load` has found right, and so a run may repeat it."""
    check(simulator.loads(SMALL))
