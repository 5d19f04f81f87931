"""What a tuner was asked for, as `tune.json` keeps it, so that it can be resumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from simulator.experiment.files import StoreError
from simulator.experiment.reading import read_object, reading
from simulator.experiment.result import made_with
from simulator.experiment.sweep.study import Study, refused
from simulator.experiment.tune.fault_free import FaultFree, fault_free
from simulator.experiment.tune.goals import Goal, goal_of
from simulator.experiment.tune.search import Search, search_of
from simulator.experiment.tune.stages import Stages
from simulator.experiment.tune.tuner import Tuner
from simulator.scenario import Scenario, load
from simulator.shipped import find, shipped

TUNE = "tune.json"
TRIALS = 500  # The usual number with the faults: the 99th percentile has an upper end from 368 on.
_FIELDS = {"request": dict, "command": str, "state": str, "candidates": list}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to tune. `fault_free_s` and `points` are None for the usual ones."""

    study: Study
    minimise: str
    subject_to: tuple[str, ...]
    fault_free_s: float | None
    points: int | None
    margin: bool
    allow_files: tuple[str, ...]
    command: str

    def checked(self) -> Request:
        """The request with all that depends on its scenario filled in. Raises ScenarioError."""
        goal, axes = self.goal(), self.study.all_axes(sampled=True)
        scenario = self.scenario()
        seed = scenario.seed if self.study.seed is None else self.study.seed
        if self.study.sample is not None:
            raise refused("sample", "is for electsim sweep; the tuner chooses its points itself")
        search_of(axes, goal, seed, self.points)  # Raises ScenarioError where optuna is needed, and is not there.
        self.plan()
        found = find(self.study.scenario)
        path = str(Path(found).resolve()) if Path(found).is_file() else self.study.scenario
        changes = {"scenario": path, "seed": seed, "trials": self.study.trials or TRIALS}
        changes |= {"name": self.study.name or scenario.name, "about": self.study.about or scenario.about}
        return replace(self, study=self.study.model_copy(update=changes))

    def goal(self) -> Goal:
        """Raises ScenarioError."""
        return goal_of(self.minimise, self.subject_to)

    def plan(self) -> FaultFree:
        """Raises ScenarioError."""
        return fault_free(self.goal().false_elections.below, self.fault_free_s)

    def scenario_name(self, path: str) -> str:
        """The scenario as a command names it: one that is shipped, by its name."""
        return next((name for name, file in shipped().items() if str(file.resolve()) == path), path)

    def scenario(self) -> Scenario:
        """The scenario without the settings that are searched. Raises ScenarioError."""
        sets = [f"{field}={_text(value)}" for field, value in self.study.set.items()]
        return load(self.study.scenario, sets, allow_files=self.allow_files)

    def tuner(self, stages: Stages) -> Tuner:
        """What does it. Raises ScenarioError."""
        goal, axes = self.goal(), self.study.all_axes(sampled=True)
        search: Search = search_of(axes, goal, self.study.seed or 0, self.points)
        return Tuner(
            study=self.study,
            goal=goal,
            plan=self.plan(),
            search=search,
            stages=stages,
            with_margin=self.margin,
            allow_files=[Path(folder) for folder in self.allow_files],
        )

    def head(self) -> dict[str, Any]:
        """What `tune.json` keeps of it."""
        own = {field.name: getattr(self, field.name) for field in fields(self)} | {"study": self.study.model_dump()}
        del own["command"]
        return {
            "command": self.command,
            "request": {**own, "scenario_sha256": self.scenario_hash()},
            "versions": made_with(),
        }

    def scenario_hash(self) -> str | None:
        """The SHA-256 of the scenario's file; None if it is shipped."""
        path = Path(self.study.scenario)
        return sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def read_request(directory: Path) -> Request:
    """What an unfinished tuner was asked for. Raises StoreError if it cannot go on."""
    file = directory / TUNE
    found = read_tune_json(directory)
    now = made_with()
    if changed := [name for name, version in found["versions"].items() if now.get(name) != version]:
        name = changed[0]
        raise StoreError(
            f"{directory}: was begun with {name} {found['versions'][name]}, and this is {name} {now.get(name)}: "
            "digests may differ; resume it with the versions that began it, or tune again"
        )
    with reading(file):
        kept: Mapping[str, Any] = found["request"]
        request = Request(
            study=Study.model_validate(kept["study"]),
            minimise=kept["minimise"],
            subject_to=tuple(kept["subject_to"]),
            fault_free_s=kept["fault_free_s"],
            points=kept["points"],
            margin=kept["margin"],
            allow_files=tuple(kept["allow_files"]),
            command=found["command"],
        )
    if request.scenario_hash() != kept["scenario_sha256"]:
        raise StoreError(f"{request.study.scenario}: was changed since; restore it, or tune again")
    return request


def read_tune_json(directory: Path) -> dict[str, Any]:
    """What `tune.json` says. Raises StoreError."""
    return read_object(directory / TUNE, _FIELDS)


def _text(value: object) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
