"""Reads a scenario from YAML, or raises a `ScenarioError` that says what is wrong, and in which line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path as FilePath

from pydantic import ValidationError

from simulator.scenario import overrides as overriding
from simulator.scenario.changes import mark_changes
from simulator.scenario.consistency.check import errors_of
from simulator.scenario.schema import Scenario
from simulator.scenario.text import explain
from simulator.scenario.text.errors import Problem, ScenarioError, reject, shown
from simulator.scenario.text.files import PathLike, file_access
from simulator.scenario.text.tree import LARGEST_BYTES, Document, parse
from simulator.shipped import find, shipped


def load(
    path: PathLike,
    overrides: Iterable[str] = (),
    *,
    algorithm: str | None = None,
    allow_files: Iterable[PathLike] = (),
) -> Scenario:
    """The scenario in a file, with some values replaced: `load("x.yaml", ["network.loss=0.01", "faults.0.at=2s"])`.

    `path` may also be the name of a scenario that comes with electsim (`raft-leader-crash`). If `algorithm` is given,
    it replaces the scenario's own; its options have their defaults, except those that `overrides` give. Files that the
    scenario names are read from its own folder, and from the folders in `allow_files`.

    Raises ScenarioError if the scenario is not valid, or if it or a file that it names cannot be read.
    """
    source, text = _read(path)
    return loads(text, source, overrides, algorithm=algorithm, folder=FilePath(source).parent, allow_files=allow_files)


def dropped_options(path: PathLike, algorithm: str) -> tuple[str, tuple[str, ...]]:
    """The scenario's own algorithm, and those of its options that are dropped if `algorithm` replaces it.

    Raises ScenarioError.
    """
    document = _document(*reversed(_read(path)))
    own = document.tree.get("algorithm")
    return str(own.get("name") if isinstance(own, dict) else own), overriding.swap_algorithm(algorithm, document)


def _read(path: PathLike) -> tuple[str, str]:
    """The path of the file, and its text. Raises ScenarioError if it cannot be read."""
    source = find(path)
    try:
        with FilePath(source).open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path.
        message = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ScenarioError([Problem(source, (), f"cannot be read: {message}{_suggestion(source)}")]) from None
    if len(content) > LARGEST_BYTES:
        raise ScenarioError([Problem(source, (), f"larger than {LARGEST_BYTES} bytes, which no scenario needs")])
    try:
        return source, content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ScenarioError([Problem(f"{source}:{line}", (), "not UTF-8; save the file in that encoding")]) from None


def _suggestion(name: str) -> str:
    """What may have been meant, if the name has no folder: a shipped scenario of a similar name."""
    if os.path.dirname(name):
        return ""
    near = get_close_matches(name.removesuffix(".yaml"), shipped(), n=1)
    return (
        f"; did you mean {near[0]}, which comes with electsim?"
        if near
        else "; `electsim scenarios` lists those that come with electsim"
    )


def loads(
    text: str,
    source: str = "scenario",
    overrides: Iterable[str] = (),
    *,
    algorithm: str | None = None,
    folder: PathLike | None = None,
    allow_files: Iterable[PathLike] = (),
) -> Scenario:
    """The scenario in a YAML text, which errors call `source`.

    Without `folder`, it must not name files. With it, files must be in that folder or in the folders of `allow_files`.
    `overrides` and `algorithm` are those of `load`. Raises ScenarioError.
    """
    document = _document(text, source)
    if algorithm is not None:
        overriding.swap_algorithm(algorithm, document)
    overriding.apply(overrides, document)
    known_keys: dict[int, tuple[str, ...]] = {}
    try:
        with file_access(folder, allow_files):
            scenario = Scenario.model_validate(document.tree, context=known_keys)
            if scenario.published is not None and document.overridden:
                scenario = mark_changes(scenario, _as_written(text, source), document.overridden)
        reject(errors_of(scenario))
    except ValidationError as error:
        raise ScenarioError(explain.problems(error, document, known_keys)) from None
    return scenario


def _as_written(text: str, source: str) -> Scenario | None:
    """The scenario of a text without overrides; None if it is not valid by itself."""
    try:
        return Scenario.model_validate(_document(text, source).tree)
    except ValidationError:
        return None


def check(scenario: Scenario) -> None:
    """Checks whether the parts of a scenario fit together, as `load` does.

    A program needs it for a scenario that it has built or changed itself. Raises ScenarioError.
    """
    problems = [Problem(scenario.name, path, message) for path, message in errors_of(scenario)]
    if problems:
        raise ScenarioError(problems)


def _document(text: str, source: str) -> Document:
    """The parsed text, which must be a mapping. Raises ScenarioError."""
    document = parse(text, source)
    if document.tree is None:
        raise ScenarioError([Problem(source, (), "empty; a scenario is a mapping that begins with version: 1")])
    if not isinstance(document.tree, dict):
        message = f"{shown(document.tree)} is not a scenario, which is a mapping that begins with version: 1"
        raise ScenarioError([Problem(document.where(()), (), message)])
    return document
