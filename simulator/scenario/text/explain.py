"""Turns the errors of pydantic into problems: the path and the line in the author's file, and a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from simulator.scenario.text.errors import Path, Problem, alternatives, one_line, shown
from simulator.scenario.text.tree import Document

KnownKeys = Mapping[int, tuple[str, ...]]  # The keys of each model, by the `id` of the mapping that was validated.


def problems(error: ValidationError, document: Document, known_keys: KnownKeys) -> Iterator[Problem]:
    """A problem for each error of pydantic that comes from the file or from an override."""
    for detail in error.errors(include_url=False):
        if detail["type"] == "default_factory_not_called":
            continue  # The default depends on a field whose error is reported.
        path, value = _locate(document.tree, detail["loc"])
        if detail["type"] == "missing":
            path, message = (*path, detail["loc"][-1]), "is missing"
        elif detail["type"] == "extra_forbidden":
            parent = _locate(document.tree, path[:-1])[1]
            message = f"unknown key; {alternatives(path[-1], known_keys.get(id(parent), ()))}"
        elif detail["type"] == "scenario":
            if detail["loc"] and detail["loc"][-1] in known_keys.get(id(value), ()):
                path = (*path, detail["loc"][-1])  # The file leaves this field at its default.
            message = detail["msg"]
        else:
            message = _sentence(detail, value)
        yield Problem(document.where(path), path, one_line(message))


def _locate(tree: Any, location: Path) -> tuple[Path, Any]:
    """The path in the file, and the value there. Pydantic's locations hold tags of models too, which the file lacks."""
    path: Path = ()
    for part in location:
        inside = isinstance(tree, dict) and part in tree
        if inside or (isinstance(tree, list) and isinstance(part, int) and 0 <= part < len(tree)):
            path, tree = (*path, part), tree[part]
    return path, tree


def _not_one_of(context: Mapping[str, Any], value: object) -> str:
    known = [word.strip(" '") for word in str(context["expected"]).replace(" or ", ",").split(",")]
    return f"{shown(value)} is not known here; {alternatives(value, known)}"


def _bound(number: float) -> str:
    """The text of a bound. Pydantic gives bounds as floats; a whole number is written without decimals."""
    return str(int(number)) if number == int(number) else str(number)


_SENTENCES: dict[str, Callable[[Mapping[str, Any], object], str]] = {
    "value_error": lambda context, value: str(context["error"]),
    "int_type": lambda context, value: f"{shown(value)} is not a whole number; write digits, such as 5",
    "float_type": lambda context, value: f"{shown(value)} is not a number; write one, such as 0.5",
    "finite_number": lambda context, value: f"{shown(value)} is not a finite number",
    "bool_type": lambda context, value: f"{shown(value)} is not true or false; write one of the two",
    "string_type": lambda context, value: f"{shown(value)} is not text; put it in quotes if it is meant as text",
    "string_too_short": lambda context, value: "is empty",
    "string_pattern_mismatch": lambda context, value: (
        f"{shown(value)} is not a name; write letters, digits, dots, hyphens and underscores, 80 at most"
    ),
    "model_type": lambda context, value: f"{shown(value)} is not a mapping; write keys and values",
    "model_attributes_type": lambda context, value: f"{shown(value)} is not a mapping; write keys and values",
    "tuple_type": lambda context, value: f"{shown(value)} is not a list; write [one, another]",
    "too_short": lambda context, value: f"holds {context['actual_length']}; give at least {context['min_length']}",
    "too_long": lambda context, value: f"holds more than {context['max_length']}",
    "greater_than": lambda context, value: f"{shown(value)} is not above {_bound(context['gt'])}",
    "less_than": lambda context, value: f"{shown(value)} is not below {_bound(context['lt'])}",
    "greater_than_equal": lambda context, value: f"{shown(value)} is below {_bound(context['ge'])}, the least allowed",
    "less_than_equal": lambda context, value: f"{shown(value)} is above {_bound(context['le'])}, the greatest allowed",
    "literal_error": _not_one_of,
    "enum": _not_one_of,
}


def _sentence(detail: Any, value: object) -> str:
    sentence = _SENTENCES.get(detail["type"])
    if sentence is None:
        return f"{shown(value)}: {detail['msg']}"
    return sentence(detail.get("ctx", {}), value)
