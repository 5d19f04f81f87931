"""The cells of a study: a scenario for each combination of values, or for each point of a sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from simulator.experiment.sweep.axes import ALGORITHM, SCENARIO, Axis
from simulator.experiment.sweep.expressions import evaluate
from simulator.experiment.sweep.study import Sample, Study, refused
from simulator.scenario import Scenario, ScenarioError, load
from simulator.scenario.export import resolved
from simulator.scenario.overrides import value_of

MOST_CELLS = 10_000


@dataclass(frozen=True, slots=True)
class StudyCell:
    """One cell: the texts of the fields on the axes, those that follow them, and its scenario, or why it has none."""

    number: int  # From 1 on.
    settings: Mapping[str, str]
    linked: Mapping[str, str]
    scenario: Scenario | None
    skipped: str | None = None

    @property
    def name(self) -> str:
        """What progress and messages call it."""
        return name_of(self.settings)


def name_of(settings: Mapping[str, str]) -> str:
    """The name of the cell with these settings: the values, with their fields where a value says too little."""
    return ", ".join(
        value if field in (ALGORITHM, SCENARIO) else f"{field.rpartition('.')[2]} {value}"
        for field, value in settings.items()
    )


def cells_of(study: Study, allow_files: Sequence[Path] = ()) -> list[StudyCell]:
    """All cells, in order. A cell that is no valid scenario has the reason in its place.

    Raises ScenarioError if the study, its scenario or an expression is wrong, or if no cell is valid.
    """
    axes = study.all_axes()
    shared = [f"{field}={_text(value)}" for field, value in study.set.items()]

    @lru_cache(maxsize=256)
    def base(scenario: str, algorithm: str | None) -> dict[str, Any]:
        return resolved(load(scenario, shared, algorithm=algorithm, allow_files=allow_files))

    if not any(SCENARIO in axis.fields for axis in axes):
        base(study.scenario, None)  # A mistake in the base scenario is an error; cells are not skipped for it.
    cells = [
        _cell(study, number, settings, shared, base, allow_files)
        for number, settings in enumerate(_combinations(axes, study.sample), start=1)
    ]
    if all(cell.scenario is None for cell in cells):
        none = f"none of its cells ({len(cells):,}) is a valid scenario; the first: {cells[0].skipped}"
        raise refused("the sweep", none)
    return cells


def _combinations(axes: Sequence[Axis], sample: Sample | None) -> Iterator[dict[str, str]]:
    if sample is not None:
        for point in _points(len(axes), sample):
            chosen = [axis.at(float(share)) for axis, share in zip(axes, point, strict=True)]
            yield _settings(axes, chosen)
        return
    count = 1
    for axis in axes:
        count *= len(axis.values)
    if count > MOST_CELLS:
        raise refused(" × ".join(axis.name for axis in axes), f"{count:,} cells; {MOST_CELLS:,} at most, or --sample")
    for values in product(*(axis.values for axis in axes)):
        yield _settings(axes, values)


def _settings(axes: Sequence[Axis], values: Sequence[Sequence[str]]) -> dict[str, str]:
    chosen = zip(axes, values, strict=True)
    return {field: text for axis, texts in chosen for field, text in zip(axis.fields, texts, strict=True)}


def _points(dimensions: int, sample: Sample) -> Any:
    """Points in the unit cube, shape (points, dimensions)."""
    import warnings

    import numpy as np
    from scipy.stats import qmc

    generator = np.random.default_rng(sample.seed)
    if sample.method == "random":
        return generator.random((sample.points, dimensions))
    kind = qmc.Sobol if sample.method == "sobol" else qmc.LatinHypercube
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # Sobol points are balanced for powers of two only.
        return kind(d=dimensions, rng=generator).random(sample.points)


def _cell(
    study: Study,
    number: int,
    settings: Mapping[str, str],
    shared: Sequence[str],
    base: Callable[[str, str | None], dict[str, Any]],
    allow_files: Sequence[Path],
) -> StudyCell:
    path, algorithm = settings.get(SCENARIO, study.scenario), settings.get(ALGORITHM)
    fields = {field: text for field, text in settings.items() if field not in (SCENARIO, ALGORITHM)}
    linked: dict[str, str] = {}
    try:
        for field, expression in study.link.items():
            known = {**fields, **linked}

            def lookup(name: str, known: Mapping[str, str] = known) -> Any:
                return value_of(name, known, base(path, algorithm))

            try:
                linked[field] = evaluate(expression, lookup)
            except ValueError as error:
                if isinstance(error, ScenarioError):
                    raise
                raise refused(f"link {field}: {expression}", str(error)) from None
        overrides = [*shared, *(f"{field}={text}" for field, text in {**fields, **linked}.items())]
        scenario = load(path, overrides, algorithm=algorithm, allow_files=allow_files)
    except ScenarioError as error:
        return StudyCell(number, settings, linked, None, str(error).splitlines()[0])
    return StudyCell(number, settings, linked, scenario)


def _text(value: object) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
