"""Which settings to try: all points of a small grid, or those that a sampler of optuna proposes, batch by batch."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import product
from math import inf
from typing import Any, Protocol

from simulator.experiment.sweep.axes import Axis
from simulator.experiment.sweep.study import refused
from simulator.experiment.tune.candidates import Candidate
from simulator.experiment.tune.goals import Goal

Point = dict[str, str]
LARGEST_GRID = 64
BATCH = 16
_WORST = 1e30  # What a sampler is told of a value that is not known: it orders values only.


class Search(Protocol):
    """Proposes points, and learns what was found."""

    name: str

    def propose(self) -> list[Point]:
        """The next points to try; none if the search has ended."""

    def learn(self, found: Sequence[Candidate]) -> None:
        """What was found at the points that were proposed last."""


class Grid:
    """All combinations of the values, in one batch."""

    name = "grid"

    def __init__(self, axes: Sequence[Axis]) -> None:
        self._points = [point_of(axes, values) for values in product(*(axis.values for axis in axes))]

    def propose(self) -> list[Point]:
        """See Search."""
        points, self._points = self._points, []
        return points

    def learn(self, found: Sequence[Candidate]) -> None:
        """See Search: a grid learns nothing."""


class Sampler:
    """Points that optuna's multi-objective TPE sampler asks for, in batches of `BATCH`, with a seed.

    The objectives are the metric and the rate of false elections. The sampler's seed and what it was told determine
    what it asks for.
    """

    name = "optuna"

    def __init__(self, axes: Sequence[Axis], goal: Goal, seed: int, most: int) -> None:
        optuna = _optuna()
        self._axes, self._goal, self._left = axes, goal, most
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of options that it calls experimental.
            sampler = optuna.samplers.TPESampler(seed=seed % 2**32, n_startup_trials=BATCH, constant_liar=True)
        self._study = optuna.create_study(directions=["minimize", "minimize"], sampler=sampler)
        self._failed = optuna.trial.TrialState.FAIL
        self._space = {
            axis.name: optuna.distributions.FloatDistribution(0.0, 1.0)
            if axis.range is not None and not axis.values
            else optuna.distributions.IntDistribution(0, len(axis.values) - 1)
            for axis in axes
        }
        self._asked: list[Any] = []

    def propose(self) -> list[Point]:
        """See Search. A point that was asked for before is proposed once more only if it differs in its values."""
        size = min(BATCH, self._left)
        self._left -= size
        self._asked = [self._study.ask(self._space) for _ in range(size)]
        return [point_of(self._axes, [self._value(axis, trial) for axis in self._axes]) for trial in self._asked]

    def _value(self, axis: Axis, trial: Any) -> Sequence[str]:
        chosen = trial.params[axis.name]
        return axis.values[chosen] if axis.values else axis.at(chosen)

    def learn(self, found: Sequence[Candidate]) -> None:
        """See Search."""
        for trial, candidate in zip(self._asked, found, strict=True):
            if candidate.skipped is not None or candidate.false_elections is None:
                self._study.tell(trial, state=self._failed)
                continue
            seen = candidate.false_elections
            rate = (seen.count + 0.5) / max(seen.observed_s, 1e-9)  # Above 0, so that longer observation counts.
            value = candidate.value(self._goal.minimise)
            self._study.tell(trial, [_WORST if value == inf else value, rate])


def search_of(axes: Sequence[Axis], goal: Goal, seed: int, most: int | None) -> Search:
    """A grid if all axes have values and there are few combinations, else a sampler of `most` points.

    Raises ScenarioError if optuna is needed and is not there.
    """
    count = 1
    for axis in axes:
        count *= len(axis.values)
    if most is None and 0 < count <= LARGEST_GRID:
        return Grid(axes)
    return Sampler(axes, goal, seed, LARGEST_GRID if most is None else most)


def point_of(axes: Sequence[Axis], values: Sequence[Sequence[str]]) -> Point:
    """The text of each field, from the values of each axis."""
    chosen = zip(axes, values, strict=True)
    return {field: text for axis, texts in chosen for field, text in zip(axis.fields, texts, strict=True)}


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        remedy = 'pip install "electsim[study]", or vary so few values that a grid of them is tried'
        raise refused("tune", f"a search beyond {LARGEST_GRID} points needs optuna; {remedy}") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
