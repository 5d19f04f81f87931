"""The command `cluster` of a script: builds a bench from text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import get_type_hints

from simulator.algorithms.registration import Registration
from simulator.protocol import OneOf
from simulator.testing.bench import InteractionBench
from simulator.testing.errors import InteractionError
from simulator.testing.syntax import parse_assignments, parse_option, parse_whole


def build_bench(text: str, registry: Mapping[str, Registration]) -> InteractionBench:
    """Build and start the nodes of `ALGORITHM NODES [logs=1,2,3] [seed=N] [dialect=NAME] [OPTION=VALUE …]`.

    Raises InteractionError for unknown names and for values that the options refuse.
    """
    words = text.split()
    if len(words) < 2:
        raise InteractionError("usage: cluster ALGORITHM NODES [logs=1,2,3] [seed=N] [dialect=NAME] [OPTION=VALUE …]")
    name, nodes, *rest = words
    if name not in registry:
        raise InteractionError(f"unknown algorithm {name!r}; there are: {', '.join(registry)}")
    registration = registry[name]
    settings = parse_assignments(rest)
    logs = [parse_whole(length) for length in settings.pop("logs").split(",")] if "logs" in settings else None
    seed = parse_whole(settings.pop("seed", "0"))
    options = _dialect(registration, settings.pop("dialect", None))
    allowed = [field.name for field in fields(registration.config)]
    if unknown := [option for option in settings if option not in allowed]:
        raise InteractionError(f"{name} has no option {unknown[0]!r}; it has: {', '.join(allowed)}")
    try:
        options |= {option: _option(registration.config, option, value) for option, value in settings.items()}
        config = registration.config(**options)
    except (TypeError, ValueError) as error:
        raise InteractionError(f"{text}: {error}") from error
    return InteractionBench(registration, parse_whole(nodes), config=config, logs=logs, seed=seed)


def _option(config: type, name: str, text: str) -> object:
    """The value of an option. If it is one of several sets of options: `phi`, or `phi(threshold=8,window=100)`."""
    hint = get_type_hints(config, include_extras=True)[name]
    choice = next((mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, OneOf)), None)
    chosen, _, inside = text.partition("(")
    if choice is None or chosen not in choice.forms:
        return parse_option(text)
    assignments = parse_assignments([part for part in inside.removesuffix(")").split(",") if part])
    return choice.forms[chosen](**{part: parse_option(value) for part, value in assignments.items()})


def _dialect(registration: Registration, name: str | None) -> dict[str, object]:
    if name is None:
        return {}
    if name not in registration.dialects:
        known = ", ".join(registration.dialects) or "none"
        raise InteractionError(f"{registration.name} has no dialect {name!r}; there are: {known}")
    return dict(registration.dialects[name])
