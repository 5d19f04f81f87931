"""Values given on the command line or by a program in place of the file's: `network.loss=0.01`, `faults.0.at=2s`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from simulator.scenario.text.errors import Path, Problem, ScenarioError, alternatives, field_name, shown
from simulator.scenario.text.tree import Document, parse


def swap_algorithm(name: str, document: Document) -> tuple[str, ...]:
    """Let another algorithm take the place of the file's own, whose options, the names returned, mean nothing to it.

    Where it is the file's own, nothing changes.
    """
    assert isinstance(document.tree, dict)
    own = document.tree.get("algorithm")
    if isinstance(own, dict) and own.get("name") == name:
        return ()
    _put({"name": name}, document.tree, "algorithm", ("algorithm",), f"algorithm={name}", document)
    return tuple(option for option in own if option != "name") if isinstance(own, dict) else ()


def apply(overrides: Iterable[str], document: Document) -> None:
    """Put each value, read as YAML, in its place. A path that no scenario has is left to the schema to refuse."""
    for override in overrides:
        name, equals, text = override.partition("=")
        keys = name.strip().split(".")
        if not equals or not all(keys):
            raise ScenarioError([Problem(f"override {override}", (), "write a path and a value: network.loss=0.01")])
        _place(keys, _read(text, override), override, document)


def _put(value: Any, holder: Any, step: str | int, path: Path, override: str, document: Document) -> None:
    """The value, and where it came from; whence the old one's parts came is forgotten."""
    holder[step] = value
    for origins in (document.lines, document.overridden):
        for stale in [old for old in origins if old[: len(path)] == path]:
            del origins[stale]
    document.overridden[path] = override


def _read(text: str, override: str) -> Any:
    try:
        return parse(text, "").tree
    except ScenarioError as error:  # The line within an override is of no use.
        raise ScenarioError(Problem(f"override {override}", (), found.message) for found in error.problems) from None


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
    """The key, or the list position that it stands for."""
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
