"""Overrides: values that replace those of the file, such as `network.loss=0.01` or `faults.0.at=2s`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from simulator.scenario.text.errors import Path, Problem, ScenarioError, alternatives, field_name, shown
from simulator.scenario.text.tree import Document, parse


def swap_algorithm(name: str, document: Document) -> tuple[str, ...]:
    """Replaces the file's algorithm by another, and returns the names of the options that are dropped with it.

    If it is the file's own algorithm, nothing changes.
    """
    assert isinstance(document.tree, dict)
    own = document.tree.get("algorithm")
    if isinstance(own, dict) and own.get("name") == name:
        return ()
    _put({"name": name}, document.tree, "algorithm", ("algorithm",), f"algorithm={name}", document)
    return tuple(option for option in own if option != "name") if isinstance(own, dict) else ()


def apply(overrides: Iterable[str], document: Document) -> None:
    """Puts each value, read as YAML, in its place. Raises ScenarioError for an override that cannot be read.

    A path that does not exist in the schema is put in place as well: the schema then reports it as an unknown key.
    """
    for override in overrides:
        name, equals, text = override.partition("=")
        keys = name.strip().split(".")
        if not equals or not all(keys):
            raise ScenarioError([Problem(f"override {override}", (), "write a path and a value: network.loss=0.01")])
        _place(keys, _read(text, override), override, document)


def _put(value: Any, holder: Any, step: str | int, path: Path, override: str, document: Document) -> None:
    """Puts the value in its place, and records the override as its origin in place of the lines of the old value."""
    holder[step] = value
    for origins in (document.lines, document.overridden):
        for stale in [old for old in origins if old[: len(path)] == path]:
            del origins[stale]
    document.overridden[path] = override


def _read(text: str, override: str) -> Any:
    try:
        return parse(text, "").tree
    except ScenarioError as error:  # The line number within an override is left out, because it does not help.
        raise ScenarioError(
            Problem(f"override {override}", (), problem.message) for problem in error.problems
        ) from None


def _place(keys: list[str], value: Any, override: str, document: Document) -> None:
    here = document.tree
    path: Path = ()
    for position, key in enumerate(keys):
        step = _step(here, key, path, override)
        path = (*path, step)
        if position == len(keys) - 1:
            _put(value, here, step, path, override, document)
        elif isinstance(here, dict):
            if here.get(key) is None:
                here[key] = {}
                document.overridden[path] = override
            here = here[key]
        else:
            here = here[step]


def _step(here: Any, key: str, path: Path, override: str) -> str | int:
    """The key of a mapping, or the position in a list. Raises ScenarioError if there is no such part."""
    if isinstance(here, dict):
        return key
    if not isinstance(here, list):
        message = f"{shown(here)} has no part called {shown(key)}; override {field_name(path)} as a whole"
    elif key.isascii() and key.isdigit() and len(key) < 10 and int(key) < len(here):
        return int(key)
    else:
        positions = [str(position) for position in range(len(here))]
        message = f"has no entry {shown(key)}; {alternatives(key, positions) if positions else 'it is empty'}"
    raise ScenarioError([Problem(f"override {override}", path, message)])


def value_of(name: str, overrides: Mapping[str, str], tree: Any) -> Any:
    """The value of a field: that of an override of it, read as YAML, or the one in a tree of plain values.

    Raises ValueError if there is no such field.
    """
    keys = name.split(".")
    for length in range(len(keys), 0, -1):
        if (text := overrides.get(".".join(keys[:length]))) is not None:
            return _inside(_read(text, name), keys[length:], name)
    return _inside(tree, keys, name)


def _inside(here: Any, keys: list[str], name: str) -> Any:
    for key in keys:
        if isinstance(here, dict) and key in here:
            here = here[key]
        elif isinstance(here, list) and key.isdigit() and int(key) < len(here):
            here = here[int(key)]
        else:
            known = list(map(str, here)) if isinstance(here, dict) else []
            raise ValueError(f"{name} is no field{'; ' + alternatives(key, known) if known else ''}")
    return here
