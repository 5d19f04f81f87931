"""electsim: a discrete-event simulator of leader election.

    import simulator

    scenario = simulator.load("scenarios/raft-leader-crash.yaml")
    result = simulator.run(scenario, trials=200, seed=7)
    result.elections["failover_s"].describe()

The documentation describes each name that may be imported in docs/api.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.experiment.runner import Result, run
    from simulator.experiment.store import StoreError, save
    from simulator.experiment.sweep.api import SweepResult, sweep
    from simulator.experiment.trial import TrialError
    from simulator.experiment.tune.api import TuneResult, tune
    from simulator.scenario import Scenario, ScenarioError, load, loads, register

__all__ = [
    "Result",
    "Scenario",
    "ScenarioError",
    "StoreError",
    "SweepResult",
    "TrialError",
    "TuneResult",
    "load",
    "loads",
    "register",
    "run",
    "save",
    "sweep",
    "tune",
]

_HOMES = {
    "Result": "simulator.experiment.runner",
    "Scenario": "simulator.scenario",
    "ScenarioError": "simulator.scenario",
    "StoreError": "simulator.experiment.store",
    "SweepResult": "simulator.experiment.sweep.api",
    "TrialError": "simulator.experiment.trial",
    "TuneResult": "simulator.experiment.tune.api",
    "load": "simulator.scenario",
    "loads": "simulator.scenario",
    "register": "simulator.scenario",
    "run": "simulator.experiment.runner",
    "save": "simulator.experiment.store",
    "sweep": "simulator.experiment.sweep.api",
    "tune": "simulator.experiment.tune.api",
}


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: `electsim --help` needs none of it."""
    if name == "__version__":
        from importlib.metadata import version

        return version("electsim")
    from importlib import import_module

    if name in ("figures", "results"):
        return import_module(f"simulator.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'simulator' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
