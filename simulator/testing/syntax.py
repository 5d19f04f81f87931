"""Parses the words of a script: links, durations, options, messages. No part of a script is run as code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from simulator.protocol import MICROSECOND, MILLISECOND, SECOND, Message, Nanoseconds, NodeId
from simulator.testing.errors import InteractionError

_UNITS = {"s": SECOND, "ms": MILLISECOND, "us": MICROSECOND, "ns": 1}
_DURATION = re.compile(r"(\d+)(s|ms|us|ns)")
_LINK = re.compile(r"(\d*)->(\d*)")


def parse_whole(text: str) -> int:
    """A whole number: a node, a count or a seed."""
    if not re.fullmatch(r"[0-9]+", text):
        raise InteractionError(f"{text!r} is not a whole number")
    return int(text)


def parse_duration(text: str) -> Nanoseconds:
    """`150ms` in nanoseconds."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise InteractionError(f"{text!r} is not a duration like 150ms")
    return int(match[1]) * _UNITS[match[2]]


def show_duration(duration: Nanoseconds) -> str:
    """A duration as text, in the largest unit that gives a whole number."""
    unit = next(unit for unit, size in _UNITS.items() if duration % size == 0)
    return f"{duration // _UNITS[unit]}{unit}"


def parse_link(text: str) -> tuple[NodeId | None, NodeId | None] | None:
    """The ends of `1->2`, `1->` or `->2`. None if the text is no link."""
    match = _LINK.fullmatch(text)
    if match is None:
        return None
    sender, to = (int(end) if end else None for end in match.groups())
    return sender, to


def parse_option(text: str) -> object:
    """The value of an option, written as in a scenario: `150ms`, `[150ms,300ms]`, `true`, `3`, a word."""
    if text.startswith("[") and text.endswith("]"):
        return tuple(parse_option(part.strip()) for part in text[1:-1].split(","))
    if _DURATION.fullmatch(text):
        return parse_duration(text)
    if text in ("true", "false", "none"):
        return {"true": True, "false": False, "none": None}[text]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def parse_assignments(words: Iterable[str]) -> dict[str, str]:
    """The values of `name=value` by their names."""
    words = list(words)
    for word in words:
        if "=" not in word:
            raise InteractionError(f"{word!r} is not of the form name=value")
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def parse_literal(text: str) -> object:
    """A value in Python's notation: a number, a string, a tuple, …"""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        raise InteractionError(f"{text!r} is not a plain value") from None


def parse_message(text: str, known: Iterable[type]) -> Message:
    """A message written as `describe` shows it. Fields that are left out have their defaults."""
    types = {kind.__name__: kind for kind in known}
    name, values = _parse_call(text)
    if name not in types:
        raise InteractionError(f"unknown message {name!r}; there are: {', '.join(types)}")
    kind: Any = types[name]
    allowed = [field.name for field in fields(kind)]
    if unknown := [field for field in values if field not in allowed]:
        raise InteractionError(f"{name} has no field {unknown[0]!r}; it has: {', '.join(allowed)}")
    try:
        return kind(**values)
    except TypeError as error:
        raise InteractionError(f"{text}: {error}") from None


def _parse_call(text: str) -> tuple[str, dict[str, object]]:
    refusal = InteractionError(f"{text!r} is not a message like RequestVote(term=1)")
    try:
        call = ast.parse(text, mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            raise refusal
        values: dict[str, object] = {}
        for keyword in call.keywords:
            if keyword.arg is None:
                raise refusal
            values[keyword.arg] = ast.literal_eval(keyword.value)
    except (ValueError, SyntaxError):
        raise refusal from None
    return call.func.id, values
