"""A baseline: the primary values of every trial of a scenario, as they were when somebody accepted them, and why.

One JSON file for each scenario. Its differences are easy to read: the file begins with what was accepted, and each
column has a line of its own.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from simulator.analysis.records.registry import SAMPLES
from simulator.analysis.statistics.estimates import Sample
from simulator.experiment.files import write_whole
from simulator.experiment.runner import Result, made_with
from simulator.gate.trial_figures import COUNTED, TrialFigures, trial_figures
from simulator.scenario.text.errors import Path as Keys
from simulator.scenario.text.errors import field_name, one_line, shown

DEFAULT_TOLERANCE, DEFAULT_ALPHA = 0.05, 0.001
_MOST = 1 << 63
_MISSING = object()


class BaselineError(ValueError):
    """A baseline that is missing, cannot be read, or is of another scenario: one line, which says what to do."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Durations(_Part):
    """The primary durations of all trials, in their order."""

    metric: str
    trial: list[int]  # The number, from 0 on, of the trial that each duration belongs to.
    seconds: list[Annotated[float, Field(ge=0, allow_inf_nan=False)]]
    censored: list[int]  # The positions of the durations that were unfinished at the end of their trial.


class Baseline(_Part):
    """The file, field by field (docs/gate.md)."""

    format: Literal[1] = 1
    reason: Annotated[str, Field(min_length=1)]
    tolerance: Annotated[float, Field(ge=0, lt=1)] = DEFAULT_TOLERANCE
    alpha: Annotated[float, Field(gt=0, lt=1)] = DEFAULT_ALPHA
    command: str  # The command that repeats the run.
    versions: dict[str, str]
    platform: str
    # The scenario as its author wrote it: a new option with a default then changes nothing here.
    scenario: dict[str, Any]
    digest: str
    durations: Durations
    trials: dict[str, list[int] | list[str]]  # `digest` and COUNTED.

    @model_validator(mode="after")
    def _check(self) -> Baseline:
        if sorted(self.trials) != sorted(("digest", *COUNTED)):
            raise ValueError(f"trials: has {', '.join(self.trials)} in place of digest, {', '.join(COUNTED)}")
        for name, column in self.trials.items():
            kind = str if name == "digest" else int
            if not all(type(value) is kind for value in column):
                raise ValueError(f"trials: {name} is to hold {'text' if kind is str else 'whole numbers'} only")
        if not all(0 <= count < _MOST for name in COUNTED for count in self.trials[name] if isinstance(count, int)):
            raise ValueError("trials: a count is out of range")
        if self.durations.metric not in SAMPLES:
            raise ValueError(f"durations: {shown(self.durations.metric)} is no duration that is measured")
        if len({len(column) for column in self.trials.values()}) != 1:
            raise ValueError("trials: its columns differ in length")
        if len(self.durations.trial) != len(self.durations.seconds):
            raise ValueError("durations: its columns differ in length")
        if not all(0 <= trial < len(self.trials["digest"]) for trial in self.durations.trial):
            raise ValueError("durations: names a trial that is not there")
        if not all(0 <= at < len(self.durations.seconds) for at in self.durations.censored):
            raise ValueError("durations: names a censored duration that is not there")
        return self

    def trial_figures(self) -> TrialFigures:
        """The figures of the accepted trials."""
        found = self.durations
        censored = np.zeros(len(found.seconds), dtype=np.bool_)
        censored[found.censored] = True
        return TrialFigures(
            digest=self.digest,
            digests=[str(digest) for digest in self.trials["digest"]],
            duration=found.metric,
            durations=Sample.of(found.seconds, censored, found.trial),
            counts={name: np.array(self.trials[name], dtype=np.int64) for name in COUNTED},
        )


def accepted(
    result: Result,
    scenario: Mapping[str, Any],
    reason: str,
    *,
    tolerance: float = DEFAULT_TOLERANCE,
    alpha: float = DEFAULT_ALPHA,
) -> Baseline:
    """A baseline from a run of a scenario, from its trial 0 on. `scenario` is the content of its file."""
    found = trial_figures(result)
    return Baseline(
        reason=reason,
        tolerance=tolerance,
        alpha=alpha,
        command=result.command,
        versions=made_with(),
        platform=platform.platform(),
        scenario=dict(scenario),
        digest=found.digest,
        durations=Durations(
            metric=found.duration,
            trial=found.durations.trials.tolist(),
            seconds=found.durations.values.tolist(),
            censored=np.flatnonzero(found.durations.censored).tolist(),
        ),
        trials={"digest": list(found.digests), **{name: found.counts[name].tolist() for name in COUNTED}},
    )


# --- Files


def baseline_file(directory: Path, name: str) -> Path:
    """Where the baseline of the scenario with this name lies."""
    return directory / f"{name}.json"


def write(baseline: Baseline, path: Path) -> None:
    """Write the file whole, or leave an earlier one as it is. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, _text(baseline))


def read(path: Path) -> Baseline:
    """Raises BaselineError."""
    try:
        return Baseline.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise BaselineError(f"{path}: there is no baseline; accept what is there now with {REMEDY}") from None
    except OSError as error:
        raise BaselineError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = f"{field_name(first['loc'])}: " if first["loc"] else ""
        message = one_line(f"{path}: not a baseline: {where}{first['msg'].removeprefix('Value error, ')}")
        raise BaselineError(f"{message}; restore it, or accept a new one with {REMEDY}") from None


REMEDY = '--accept "why"'


def _text(baseline: Baseline) -> str:
    plain = baseline.model_dump(mode="json")
    columns = {name: plain.pop(name) for name in ("durations", "trials")}
    head = json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False)[:-2]
    parts = [f' "{name}": {{\n{_columns(table)}\n }}' for name, table in columns.items()]
    return ",\n".join([head, *parts]) + "\n}\n"


def _columns(table: Mapping[str, Any]) -> str:
    rows = (f'  "{name}": {json.dumps(column, separators=(",", ":"))}' for name, column in table.items())
    return ",\n".join(rows)


# --- A scenario that is no longer what it was


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What differs between two scenarios as they are written: `network.loss was 0.01, and is 0.02`.

    The field `about` is not compared, because it changes nothing in a run.
    """
    return [
        f"{field_name(keys)} {'is new' if old is _MISSING else f'was {shown(old)}'}, and is {_now(new)}"
        for keys, old, new in _differences(_asked(before), _asked(after), ())
    ]


def _asked(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in tree.items() if key != "about"}


def _now(value: object) -> str:
    return "left out" if value is _MISSING else shown(value)


def _differences(before: object, after: object, keys: Keys) -> Iterator[tuple[Keys, object, object]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _differences(before.get(key, _MISSING), after.get(key, _MISSING), (*keys, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(old, new, (*keys, at))
    elif before != after:
        yield keys, before, after
