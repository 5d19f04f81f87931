"""Checks that the state of an algorithm is plain attributes: it can be copied and compared (`simulator.protocol`)."""

from __future__ import annotations

import enum
import random
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, TypeVar

from simulator.protocol import Algorithm
from simulator.testing.errors import InteractionError

AnyAlgorithm = TypeVar("AnyAlgorithm", bound=Algorithm)

_ATOMS = (type(None), bool, int, float, complex, str, bytes, enum.Enum, type)
_SETS = (set, frozenset)
_SEQUENCES = (list, tuple, deque)
_REFUSED: Mapping[Any, str] = {  # `Iterator` includes generators, files and `itertools`.
    Iterator: "an iterator or generator",
    FunctionType: "a function",
    BuiltinFunctionType: "a function",
    MethodType: "a bound method",
    partial: "a function",
    random.Random: "a source of random numbers: ask the host for its own",
}


def check_state(algorithm: Algorithm) -> None:
    """Check that the attributes of an algorithm, and all that they hold, can be copied and compared.

    Raises InteractionError that names the first attribute that is a function, bound method, iterator, generator or
    source of random numbers, or that cannot be copied; or whose copy differs from it.
    """
    name = type(algorithm).__name__
    for path, value in _walk(algorithm):
        refused = next((what for kind, what in _REFUSED.items() if isinstance(value, kind)), None)
        if refused is None and not _is_known(value):
            refused = _why_not_copied(value)
        if refused is not None:
            raise InteractionError(f"{name}{path} is {refused}; an algorithm's state must be plain attributes")
    if difference := state_difference(algorithm, copy_state(algorithm)):
        raise InteractionError(f"{name}: a copy of its state differs in {difference}")


def copy_state(algorithm: AnyAlgorithm) -> AnyAlgorithm:
    """A copy of an algorithm object that shares only the host and the options with it."""
    shared = (algorithm.host, algorithm.config)
    return deepcopy(algorithm, {id(kept): kept for kept in shared})


def state_difference(one: Algorithm, other: Algorithm) -> str | None:
    """The path of the first attribute in which the states of two algorithm objects differ; None if they are equal.

    Objects are compared attribute by attribute, whatever their own `==` does. Hosts and options are not compared.
    """
    return first_difference(picture(one), picture(other))


def picture(algorithm: Algorithm) -> Mapping[str, object]:
    """What the state is now, by path: the value of each atom and set, and the type of everything else.

    An object that is reached a second time is shown as the path at which it was reached first.
    """
    shown: dict[str, object] = {}
    first_paths: dict[int, str] = {id(algorithm.host): "the host", id(algorithm.config): "the options"}
    stack: list[tuple[str, Any]] = [("", algorithm)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, _ATOMS):
            shown[path] = type(value), repr(value) if value != value else value  # A NaN is not equal to itself.
        elif id(value) in first_paths:
            shown[path] = first_paths[id(value)]
        else:
            first_paths[id(value)] = path
            shown[path] = type(value), frozenset(value) if isinstance(value, _SETS) else None
            parts = [] if isinstance(value, _SETS) else list(_parts(value))
            stack += [(path + name, part) for name, part in reversed(parts)]
    return shown


def first_difference(before: Mapping[str, object], after: Mapping[str, object]) -> str | None:
    """The first path at which two pictures differ; None if they are equal."""
    for (path, value), (other_path, other_value) in zip(before.items(), after.items(), strict=False):
        if path != other_path or value != other_value:
            return path
    longer = max(before, after, key=len)
    return None if len(before) == len(after) else list(longer)[min(len(before), len(after))]


def check_view(algorithm: Algorithm) -> None:
    """Check that the view of an algorithm holds plain values only.

    Raises InteractionError that names the first value that is not plain.
    """
    name = type(algorithm).__name__
    stack: list[tuple[str, object]] = [(f"[{key!r}]", value) for key, value in algorithm.view().items()]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict) and all(isinstance(key, str | int | float) for key in value):
            stack += [(f"{path}[{key!r}]", inner) for key, inner in value.items()]
        elif isinstance(value, list | tuple):
            stack += [(f"{path}[{index}]", inner) for index, inner in enumerate(value)]
        elif not isinstance(value, str | int | float | None):
            raise InteractionError(
                f"{name}.view(){path} is a {type(value).__name__}; use numbers, text, None, tuples, lists and dicts"
            )


def _walk(algorithm: Algorithm) -> Iterator[tuple[str, Any]]:
    """Every value that the state holds, each object once, with its path; the host and the options are left out."""
    seen = {id(algorithm.host), id(algorithm.config)}
    stack: list[tuple[str, Any]] = [("", algorithm)]
    while stack:
        path, value = stack.pop()
        if id(value) in seen:
            continue
        if not isinstance(value, _ATOMS):
            seen.add(id(value))
            yield path, value
        if not isinstance(value, tuple(_REFUSED)):
            stack += [(path + name, part) for name, part in reversed(list(_parts(value)))]


def _parts(value: Any) -> Iterable[tuple[str, Any]]:
    """The values that a value holds, each with what to append to the path."""
    if isinstance(value, _ATOMS):
        return
    if isinstance(value, Mapping):
        for number, (key, inner) in enumerate(value.items()):
            shown = repr(key) if isinstance(key, str | int) else f"key {number}"
            if not isinstance(key, _ATOMS):
                yield f"[{shown}]'s key", key
            yield f"[{shown}]", inner
    elif isinstance(value, (*_SEQUENCES, *_SETS)):
        yield from ((f"[{index}]", inner) for index, inner in enumerate(value))
    yield from ((f".{name}", inner) for name, inner in _attributes(value).items())


def _attributes(value: Any) -> Mapping[str, Any]:
    slots = (name for kind in type(value).__mro__ for name in _names(getattr(kind, "__slots__", ())))
    held = {
        name: getattr(value, name) for name in slots if name not in ("__dict__", "__weakref__") and hasattr(value, name)
    }
    return {**held, **getattr(value, "__dict__", {})}


def _names(slots: str | Iterable[str]) -> Iterable[str]:
    return (slots,) if isinstance(slots, str) else slots


def _is_known(value: Any) -> bool:
    """Whether a value is a plain container, or an object whose attributes are walked."""
    return isinstance(value, (dict, *_SEQUENCES, *_SETS)) or bool(_attributes(value))


def _why_not_copied(value: Any) -> str | None:
    """Why a value of an unknown kind cannot be copied; None if it can."""
    try:
        deepcopy(value)
    except Exception as error:  # The class of the value may raise anything.
        return f"a {type(value).__name__}, which cannot be copied ({error})"
    return None
