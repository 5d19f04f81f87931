"""Which overrides change what a scenario's published figures hold for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from simulator.scenario.export import resolved
from simulator.scenario.schema import Scenario
from simulator.scenario.text.errors import Path

_ALWAYS_FREE = ("trials", "seed", "published")


def mark_changes(scenario: Scenario, as_written: Scenario | None, overridden: Mapping[Path, str]) -> Scenario:
    """The scenario, with the fields in `published.changed` that overrides have changed.

    `overridden` has the override of each path. An override with the value of the file changes nothing. An override of a
    free field counts as no change, either. Without the scenario as it was written (it may not be valid by itself), each
    override of another field counts as a change. A block that an override has given as a whole holds for the overridden
    values.
    """
    published = scenario.published
    if published is None or ("published",) in overridden:
        return scenario
    free = (*_ALWAYS_FREE, *published.free)
    before, after = None if as_written is None else resolved(as_written), resolved(scenario)
    found = dict.fromkeys(
        override.partition("=")[0].strip()
        for path, override in overridden.items()
        if any(not _is_free(changed, free) for changed in _changes(before, after, path))
    )
    if not found:
        return scenario
    changed = tuple(dict.fromkeys((*published.changed, *found)))
    return scenario.model_copy(update={"published": published.model_copy(update={"changed": changed})})


def _changes(before: Any, after: Any, path: Path) -> Iterator[Path]:
    """The paths at or below a path at which two resolved scenarios differ."""
    if before is None:
        yield path
        return
    here: Path = ()
    for step in path:  # The path is the path of the override. It may be longer than the path of the value in the file.
        if not (_has(before, step) and _has(after, step)):
            break
        here, before, after = (*here, step), before[step], after[step]
    yield from _differences(before, after, here)


def _has(value: Any, step: str | int) -> bool:
    if isinstance(value, dict):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)


def _differences(before: Any, after: Any, path: Path) -> Iterator[Path]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            if key in before and key in after:
                yield from _differences(before[key], after[key], (*path, key))
            else:
                yield (*path, key)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for position, pair in enumerate(zip(before, after, strict=True)):
            yield from _differences(*pair, (*path, position))
    elif before != after:
        yield path


def _is_free(path: Path, free: Iterable[str]) -> bool:
    """Whether a free field is the field of this path, or one that it is a part of."""
    name = ".".join(map(str, path))
    return any(name == field or name.startswith(f"{field}.") for field in free)
