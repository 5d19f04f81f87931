"""Durations: from text such as `150ms` or `1.5m` to whole nanoseconds and back, exactly."""

from __future__ import annotations

import re
from fractions import Fraction

from simulator.protocol import MICROSECOND, MILLISECOND, SECOND, Nanoseconds
from simulator.scenario.text.errors import shown

UNITS: dict[str, Nanoseconds] = {  # The units are in the order in which errors list them.
    "ns": 1,
    "us": MICROSECOND,
    "ms": MILLISECOND,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
}
_SPELLINGS = UNITS | {"µs": MICROSECOND, "μs": MICROSECOND}  # The micro sign, and the Greek letter that looks like it.

DURATION_PATTERN = rf"^(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:{'|'.join(_SPELLINGS)})$"
_DURATION = re.compile(r"(?P<whole>[0-9]*)(?:\.(?P<part>[0-9]*))?(?P<unit>[^0-9.]+)", re.ASCII)
_EXPONENT = re.compile(r"[0-9]*\.?[0-9]+[eE][-+]?[0-9]", re.ASCII)
_LONGEST_TEXT = 40

# 36 years. Instants and draws well beyond it still fit into 64 bits, in which they are drawn.
LONGEST: Nanoseconds = 1 << 60


def parse_duration(text: object) -> Nanoseconds:
    """The nanoseconds in a number with a unit, without rounding. A bare 0 needs no unit.

    Raises ValueError with a sentence that shows the value and says what to write.
    """
    if not isinstance(text, bool) and isinstance(text, int | float):
        return _bare_number(text)
    match = _DURATION.fullmatch(text) if isinstance(text, str) and len(text) <= _LONGEST_TEXT else None
    digits = "" if match is None else match["whole"] + (match["part"] or "")
    if match is None or not digits or match["unit"] not in _SPELLINGS:
        raise ValueError(_complaint(text))
    scale: int = 10 ** len(match["part"] or "")
    duration_ns, rest = divmod(int(digits) * _SPELLINGS[match["unit"]], scale)
    if rest:
        raise ValueError(f"{text} is not a whole number of nanoseconds; write fewer decimals")
    if duration_ns > LONGEST:
        raise ValueError(f"{text} is too long; at most {LONGEST // UNITS['h']}h")
    return duration_ns


def _bare_number(number: float) -> Nanoseconds:
    if number == 0:
        return 0
    if number > 0 and len(shown(number)) < _LONGEST_TEXT:
        raise ValueError(f"{shown(number)} has no unit; write {shown(number)}ms or {shown(number)}s, for example")
    raise ValueError(_complaint(number))


def _complaint(value: object) -> str:
    if shown(value).startswith("-"):
        return f"{shown(value)} is negative; a duration is 0 or more"
    if isinstance(value, str) and _EXPONENT.match(value):
        return f"{shown(value)} has an exponent; write all digits, or another unit: 1500ms or 1.5s"
    return f"{shown(value)} is not a duration; write a number and a unit ({', '.join(UNITS)}), such as 150ms"


def format_duration(duration_ns: Nanoseconds) -> str:
    """The shortest text of exactly that duration, with a number of at least 1: 1.5s, 363.85ms, 90s, 1h.

    Raises ValueError for a negative duration.
    """
    if duration_ns < 0:
        raise ValueError(f"{duration_ns} ns is negative; a duration is 0 or more")
    if duration_ns == 0:
        return "0s"
    texts = [
        number + unit
        for unit, unit_ns in reversed(UNITS.items())  # If several texts are shortest, min takes the smallest number.
        if duration_ns >= unit_ns and (number := _decimal(Fraction(duration_ns, unit_ns))) is not None
    ]
    return min(texts, key=len)


def parse_signed_duration(text: object) -> Nanoseconds:
    """The nanoseconds in a duration that may have a minus sign. Raises ValueError as `parse_duration` does."""
    if isinstance(text, str) and text.startswith("-"):
        return -parse_duration(text[1:])
    return parse_duration(text)


def format_signed_duration(duration_ns: Nanoseconds) -> str:
    """The text of a duration that may be negative."""
    return f"-{format_duration(-duration_ns)}" if duration_ns < 0 else format_duration(duration_ns)


def _decimal(number: Fraction) -> str | None:
    """The decimal text of a number. None if its decimals never end."""
    decimals = 0
    while (scaled := number * 10**decimals).denominator != 1:
        if scaled.denominator % 2 and scaled.denominator % 5:
            return None
        decimals += 1
    digits = str(scaled.numerator).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
