"""The axes of a sweep: the values that a field takes, one after the other, or between two ends."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from simulator.scenario.text.units import format_duration, parse_duration

ALGORITHM, SCENARIO = "algorithm", "scenario"  # The names of axes that are not fields.
MOST_VALUES = 10_000
_RANGE = re.compile(r"(?P<low>[^\s:,\[\]{}]+?)\.\.(?P<high>[^\s:,\[\]{}]+)(?::(?P<scale>log|lin)(?P<points>\d{0,5}))?")
_DIGITS = 3  # The significant digits of the points of a range. The ends keep the digits with which they were written.


@dataclass(frozen=True, slots=True)
class Range:
    """All values between two ends: whole numbers, numbers with decimals, or durations; evenly or by ratio."""

    low: Fraction
    high: Fraction
    kind: str  # "whole", "number" or "duration" (in nanoseconds).
    log: bool

    def at(self, share: float) -> str:
        """The value at a position from 0 (the first end) to 1 (the other end), as YAML text."""
        if self.log:
            found = float(self.low) * (float(self.high) / float(self.low)) ** share
        else:
            found = float(self.low) + (float(self.high) - float(self.low)) * share
        if share in (0, 1):
            return self._text(self.low if share == 0 else self.high)
        if self.kind == "whole":
            return str(round(found))
        return self._text(Fraction(f"{found:.{_DIGITS}g}"))

    def _text(self, value: Fraction) -> str:
        if self.kind == "duration":
            return format_duration(round(value))
        return str(value.numerator) if value.denominator == 1 else repr(float(value))


@dataclass(frozen=True, slots=True)
class Axis:
    """Fields that change together. Each value has a text for each of them; an axis of a range may be sampled."""

    fields: tuple[str, ...]
    values: tuple[tuple[str, ...], ...] = ()
    range: Range | None = None

    @property
    def name(self) -> str:
        """What tables call it."""
        return ", ".join(self.fields)

    def at(self, share: float) -> tuple[str, ...]:
        """The value at a position from 0 to 1 (exclusive). The entries of a list have equal parts of this range."""
        if self.range is not None:
            return (self.range.at(share),)
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]


def axis_of(field: str, texts: Sequence[str]) -> Axis:
    """An axis of one field. A single text may be a range: `3..101:log8`, `0..5%:lin6`, `50ms..2s:log` (to be sampled).

    Raises ValueError.
    """
    if len(texts) == 1 and (found := _RANGE.fullmatch(texts[0])):
        return _of_range(field, found["low"], found["high"], found["scale"] or "lin", found["points"])
    if twice := [text for number, text in enumerate(texts) if text in texts[:number]]:
        raise ValueError(f"{twice[0]} is there twice")
    return Axis((field,), tuple((text,) for text in texts))


def _of_range(field: str, low: str, high: str, scale: str, points: str | None) -> Axis:
    kind, ends = _kind_of(low, high)
    if ends[0] >= ends[1]:
        raise ValueError(f"{low}..{high} is empty: its first end must be the smaller one")
    if scale == "log" and ends[0] <= 0:
        raise ValueError(f"{low}..{high} begins at 0, which no ratio leads to; write lin, or a first end above 0")
    found = Range(ends[0], ends[1], kind, scale == "log")
    if not points:
        if kind == "whole" and scale == "lin" and points is None:
            values = [str(number) for number in range(int(ends[0]), int(ends[1]) + 1)[: MOST_VALUES + 1]]
            return Axis((field,), tuple((value,) for value in values), found)
        return Axis((field,), (), found)
    if not 2 <= int(points) <= MOST_VALUES:
        raise ValueError(f"{points} points: write 2 at least, and {MOST_VALUES} at most")
    values = list(dict.fromkeys(found.at(number / (int(points) - 1)) for number in range(int(points))))
    return Axis((field,), tuple((value,) for value in values), found)


def _kind_of(low: str, high: str) -> tuple[str, tuple[Fraction, Fraction]]:
    if all(re.fullmatch(r"\d+", end) for end in (low, high)):
        return "whole", (Fraction(low), Fraction(high))
    try:
        if all(re.fullmatch(r"\d*\.?\d+%?", end) for end in (low, high)):
            low_share, high_share = (
                Fraction(end.rstrip("%")) / (100 if end.endswith("%") else 1) for end in (low, high)
            )
            return "number", (low_share, high_share)
        return "duration", (Fraction(parse_duration(_zero(low))), Fraction(parse_duration(_zero(high))))
    except ValueError:
        raise ValueError(
            f"{low}..{high} is no range of numbers or durations; write 3..101, 0..5% or 50ms..2s"
        ) from None


def _share(text: str) -> Fraction:
    return Fraction(text.removesuffix("%")) / 100 if text.endswith("%") else Fraction(text)


def _zero(text: str) -> str | int:
    return 0 if text == "0" else text
