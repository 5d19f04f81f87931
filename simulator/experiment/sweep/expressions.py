"""Expressions over the fields of a scenario: `10 * algorithm.heartbeat_interval`, `[n / 2, 50ms + n]`.

An expression is parsed as Python and worked out node by node; only the nodes below are known. Nothing is called but
`min`, `max` and `round`, and nothing of a program can be reached. Arithmetic is exact, in fractions, with a unit.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from simulator.scenario.text.units import UNITS, format_duration, parse_duration

Lookup = Callable[[str], Any]  # From the path of a field to its value, as YAML has it.
_DURATION = re.compile(rf"(?<![\w.])(\d+(?:\.\d*)?|\.\d+)({'|'.join(UNITS)}|µs)\b")
_LONGEST = 500  # Characters.
_LARGEST = 10**30
_COMPARED = {"min": min, "max": max}


@dataclass(frozen=True, slots=True)
class _Quantity:
    """A number of nanoseconds to some power: 0 for a plain number, 1 for a duration."""

    number: Fraction
    power: int = 0


def evaluate(expression: str, lookup: Lookup) -> str:
    """The value of an expression as text that YAML reads: a duration, a number, or a list of these.

    Raises ValueError with a sentence that says what is wrong with it.
    """
    if len(expression) > _LONGEST:
        raise ValueError(f"longer than {_LONGEST} characters")
    try:
        tree = ast.parse(_DURATION.sub(lambda found: f"'{found[0]}'", expression.strip()), mode="eval")
    except (SyntaxError, ValueError):
        raise ValueError("is no expression; write one such as 10 * algorithm.heartbeat_interval") from None
    try:
        return _text(_value(tree.body, lookup))
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if value.power == 1:
        if value.number < 0:
            raise ValueError("is a negative duration")
        return format_duration(round(value.number))
    if value.power:
        raise ValueError("is neither a number nor a duration: a duration times or over another one is left")
    return str(value.number) if value.number.denominator == 1 else repr(float(value.number))


def _value(node: ast.expr, lookup: Lookup) -> Any:
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as number):
            return _Quantity(_bounded(Fraction(str(number))))
        case ast.Constant(value=str() as text):
            return _Quantity(Fraction(parse_duration(text)), 1)
        case ast.Name() | ast.Attribute() | ast.Subscript():
            path = _path(node)
            return _of_field(lookup(path), path)
        case ast.List(elts=parts):
            return [_value(part, lookup) for part in parts]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _scalar(operand, lookup)
            return _Quantity(-inner.number, inner.power)
        case ast.BinOp(left=left, op=kind, right=right):
            return _combined(_scalar(left, lookup), kind, _scalar(right, lookup))
        case ast.Call(func=ast.Name(id="min" | "max" as name), args=parts, keywords=[]) if parts:
            return _chosen(name, [_scalar(part, lookup) for part in parts])
        case ast.Call(func=ast.Name(id="round"), args=[part], keywords=[]):
            inner = _scalar(part, lookup)
            return _Quantity(Fraction(round(inner.number)), inner.power)
    raise ValueError(
        "has a part that is not allowed; use fields, numbers, durations, + - * / // **, min, max and round"
    )


def _scalar(node: ast.expr, lookup: Lookup) -> _Quantity:
    found = _value(node, lookup)
    if not isinstance(found, _Quantity):
        raise ValueError("calculates with a list; name one of its parts, such as algorithm.election_timeout[0]")
    return found


def _path(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and type(node.slice.value) is int:
        return f"{_path(node.value)}.{node.slice.value}"
    if isinstance(node, ast.Attribute):
        return f"{_path(node.value)}.{node.attr}"
    if isinstance(node, ast.Name):
        return node.id
    raise ValueError("has a part that is no field")


def _of_field(value: Any, path: str) -> Any:
    if isinstance(value, list):
        return [_of_field(part, path) for part in value]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{path} is neither a number nor a duration")
    if isinstance(value, str):
        try:
            return _Quantity(Fraction(parse_duration(value)), 1)
        except ValueError:
            raise ValueError(f"{path} is neither a number nor a duration") from None
    return _Quantity(Fraction(str(value)))


def _combined(left: _Quantity, kind: ast.operator, right: _Quantity) -> _Quantity:
    a, b = left.number, right.number
    if isinstance(kind, ast.Add | ast.Sub):
        if left.power != right.power:
            raise ValueError("adds a number and a duration; give the number a unit: 50ms")
        return _Quantity(_bounded(a + b if isinstance(kind, ast.Add) else a - b), left.power)
    if isinstance(kind, ast.Mult):
        return _Quantity(_bounded(a * b), left.power + right.power)
    if isinstance(kind, ast.Div | ast.FloorDiv):
        if b == 0:
            raise ValueError("divides by 0")
        quotient = operator.floordiv(a, b) if isinstance(kind, ast.FloorDiv) else a / b
        return _Quantity(_bounded(Fraction(quotient)), left.power - right.power)
    if isinstance(kind, ast.Pow) and right.power == 0 and b.denominator == 1 and abs(b) <= 64 and (a or b >= 0):
        return _Quantity(_bounded(Fraction(a ** int(b))), left.power * int(b))
    raise ValueError("has an operator that is not allowed; use + - * / // and ** with a small whole number")


def _chosen(name: str, values: list[_Quantity]) -> _Quantity:
    if len({value.power for value in values}) > 1:
        raise ValueError(f"takes the {name} of a number and a duration")
    return _Quantity(_COMPARED[name](value.number for value in values), values[0].power)


def _bounded(number: Fraction) -> Fraction:
    if abs(number) > _LARGEST or number.denominator > _LARGEST:
        raise ValueError("has a number that is too large")
    return number
