"""A study: which scenario, which axes, and how many trials of each cell. From a file, or from options and arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError

from simulator.analysis.records.registry import MEASURES
from simulator.experiment.sweep.axes import Axis, axis_of
from simulator.scenario import ScenarioError
from simulator.scenario.text import explain
from simulator.scenario.text.errors import Problem, alternatives, shown
from simulator.scenario.text.fields import Integer, Model, Probability
from simulator.scenario.text.tree import parse

_SHARED = ("trials", "seed")


def _texts(values: object) -> object:
    """Values of an axis as the text that stands for each in YAML. A text that is a range stays one."""
    if isinstance(values, str):
        return (values,)
    if not isinstance(values, list) or not values:
        raise ValueError(f"{shown(values)} is neither a list of values nor a range such as 3..101:log8")
    return tuple(_yaml(value) for value in values)


def _rows(values: object) -> object:
    if not isinstance(values, list) or not values or not all(isinstance(row, list) for row in values):
        raise ValueError(
            f"{shown(values)} is no list of lists: write the values of all fields together, a list for each"
        )
    return tuple(tuple(map(_yaml, row)) for row in values)


def _yaml(value: object) -> str:
    """A value in YAML's flow style, which JSON is; text as it is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class AxisForm(Model):
    """One axis: a field and its values, several fields that change together, scenario files, or algorithms."""

    field: str | None = Field(default=None, description="The path of a field, such as cluster.nodes.")
    fields: tuple[str, ...] | None = Field(default=None, description="Fields that change together.")
    values: Any = Field(description="A list of values, or a range: 3..101:log8. With `fields`, a list of lists.")

    def axis(self) -> Axis:
        """Raises ValueError."""
        if (self.field is None) == (self.fields is None):
            raise ValueError("an axis has either a field or fields")
        if self.fields is None:
            texts = _texts(self.values)
            assert isinstance(texts, tuple)
            return axis_of(str(self.field), texts)
        rows = _rows(self.values)
        assert isinstance(rows, tuple)
        if any(len(row) != len(self.fields) for row in rows):
            raise ValueError(f"each list must have {len(self.fields)} values, one for each of {', '.join(self.fields)}")
        return Axis(self.fields, rows)


class Sample(Model):
    """Points at random between the ends of the axes, in place of every combination of their values."""

    method: Literal["random", "latin-hypercube", "sobol"] = Field(description="How the points are spread.")
    points: Annotated[Integer, Field(ge=2, le=10_000)] = Field(description="How many cells.")
    seed: Annotated[Integer, Field(ge=0)] = Field(default=1, description="The seed of the points.")


class Study(Model):
    """What a sweep runs."""

    version: Literal[1] = Field(default=1, description="The version of this format.")
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")] | None = Field(
        default=None, description="A short name. The directory of the results is called by it."
    )
    about: str = Field(default="", description="The question that this study answers.")
    scenario: str = Field(
        description="A scenario: a file beside the study, or the name of one that comes with electsim."
    )
    set: Mapping[str, Any] = Field(default={}, description="Fields that have other values in all cells.")
    axes: tuple[AxisForm, ...] = Field(default=(), description="What is varied. The last axis changes fastest.")
    link: Mapping[str, str] = Field(
        default={}, description="Fields that follow others, by an expression: 10 * algorithm.heartbeat_interval."
    )
    sample: Sample | None = Field(default=None, description="Points at random between the ends of the axes.")
    trials: Annotated[Integer, Field(ge=1, le=10**9)] | None = Field(
        default=None, description="Trials of each cell; with a precision, the most. By default the scenario's."
    )
    seed: Annotated[Integer, Field(ge=0)] | None = Field(
        default=None, description="The seed, the same in all cells, so that they share their random numbers."
    )
    precision: Annotated[Probability, Field(gt=0, lt=1)] | None = Field(
        default=None, description="End a cell as soon as its primary statistic is known to within this, such as 5%."
    )
    precision_of: Literal["median", "p95", "p99"] = Field(default="median", description="Which quantile that is.")
    metrics: tuple[str, ...] = Field(
        default=(), description="What tables and figures show, as `electsim compare --metric` names it."
    )

    def all_axes(self, *, sampled: bool = False) -> list[Axis]:
        """The axes. A range without a number of points is for points of a sample only. Raises ScenarioError."""
        sampled = sampled or self.sample is not None
        found: list[Axis] = []
        for number, form in enumerate(self.axes):
            try:
                axis = form.axis()
            except ValueError as error:
                raise refused(f"axes.{number}", str(error)) from None
            found.append(axis)
        names = [field for axis in found for field in axis.fields] + list(self.link)
        if twice := [name for number, name in enumerate(names) if name in names[:number]]:
            raise refused(twice[0], "is varied twice; write all its values on one axis")
        if shared := [name for name in names if name in _SHARED]:
            raise refused(shared[0], f"all cells have the same {shared[0]}; give --{shared[0]}")
        for axis in found:
            if not sampled and not axis.values:
                raise refused(axis.name, "a range without a number of points is for --sample; write 50ms..2s:log8")
        for name in self.metrics:
            if name not in MEASURES:
                raise refused(f"metric {name}", f"not known; {alternatives(name, list(MEASURES))}")
        if not found:
            raise refused("axes", "is empty; write a field and its values: --vary cluster.nodes=3,5,9")
        return found


def refused(where: str, message: str) -> ScenarioError:
    """The error for something in a study or in an option."""
    return ScenarioError([Problem(where, (), message)])


def read_study(path: Path, changes: Mapping[str, Any]) -> Study:
    """The study in a file, or that of a scenario without one; `changes` replace what it says. Raises ScenarioError.

    `axes` and `link` of `changes` are added to those of the file.
    """
    text = path.read_text(encoding="utf-8-sig") if path.is_file() else None
    document = None if text is None else parse(text, str(path))
    if document is None or not isinstance(document.tree, dict) or "scenario" not in document.tree:
        return _validated({"scenario": str(path), **changes}, None)
    tree = document.tree
    beside = path.parent / str(tree["scenario"])
    merged = {**tree, **changes}
    merged["axes"] = [*(tree.get("axes") or []), *changes.get("axes", [])]
    merged["link"] = {**(tree.get("link") or {}), **changes.get("link", {})}
    merged["set"] = {**(tree.get("set") or {}), **changes.get("set", {})}
    merged["scenario"] = str(beside) if beside.is_file() else tree["scenario"]
    document.tree = merged
    return _validated(merged, document)


def _validated(tree: dict[str, Any], document: Any) -> Study:
    known_keys: dict[int, tuple[str, ...]] = {}
    try:
        return Study.model_validate(tree, context=known_keys)
    except ValidationError as error:
        found = parse("{}", "study") if document is None else document
        found.tree = tree
        raise ScenarioError(explain.problems(error, found, known_keys)) from None


def study_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a study file."""
    schema = Study.model_json_schema()
    schema["required"] = ["version", "scenario", "axes"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
