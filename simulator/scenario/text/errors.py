"""Errors in a scenario: where the value is, what is wrong with it, and what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

Path: TypeAlias = tuple[str | int, ...]  # The keys and list positions that lead to a value.
FieldErrors: TypeAlias = Iterator[tuple[Path, str]]  # The path of a bad value, and what is wrong with it.

_LONGEST_SHOWN = 60
_MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """An error in a scenario. `where` is the file and line, or the override, that holds the value."""

    where: str
    path: Path
    message: str

    def __str__(self) -> str:
        parts = (self.where, field_name(self.path), self.message)
        return ": ".join(one_line(part) for part in parts if part)


class ScenarioError(ValueError):
    """A scenario that cannot be used. The text of the error has a line for each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [str(problem) for problem in self.problems[:_MOST_PROBLEMS]]
        if len(self.problems) > _MOST_PROBLEMS:
            lines.append(f"… and {len(self.problems) - _MOST_PROBLEMS} more problems")
        super().__init__("\n".join(lines))

    # An exception is pickled by its text by default, but this one is made from the list of problems.
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)


def field_name(path: Path) -> str:
    """The text of a path in errors and overrides: `faults.0.at`."""
    return ".".join(shown(part) for part in path)


def shown(value: object) -> str:
    """The text of a value in errors: one short line, close to how its author wrote it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and value.bit_length() > 256:
        return "a huge number"  # Python refuses to print the largest integers.
    text = one_line(value if isinstance(value, str) else _flow(value))
    text = text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
    return text or "''"


def one_line(text: str) -> str:
    """The text, with an escape in place of each character that does not print, such as a line break."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _flow(value: object) -> str:
    """The text of a value. Mappings and lists are in YAML's flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{shown(key)}: {shown(part)}" for key, part in list(value.items())[:9]) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(shown, value[:9])) + "]"
    return str(value)


def alternatives(value: object, known: Sequence[str]) -> str:
    """A sentence that names the known words near to `value`, or all known words if none is near."""
    near = difflib.get_close_matches(str(value)[:_LONGEST_SHOWN], known, n=2)
    return f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"


def below(path: Path, errors: Iterable[tuple[Path, str]]) -> FieldErrors:
    """The errors of a part of a scenario, with the path of that part put before theirs."""
    for inner, message in errors:
        yield (*path, *inner), message


def reject(errors: Iterable[tuple[Path, str]]) -> None:
    """Raises ValidationError if there are errors. Called in a model's validator, with paths below that model."""
    if errors := list(errors):
        raise ValidationError.from_exception_data(
            "scenario",
            [
                InitErrorDetails(
                    type=PydanticCustomError("scenario", "{message}", {"message": message}), loc=path, input=None
                )
                for path, message in errors
            ],
        )
