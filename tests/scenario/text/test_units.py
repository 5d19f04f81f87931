"""Durations: exact, since integer time is what keeps results equal between machines (design.md, section 3)."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.scenario.text.units import DURATION_PATTERN, LONGEST, UNITS, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [  # Issue 2, part 5: `150ms`, `2s`, `1.5m`; the others are each unit's definition.
        ("150ms", 150_000_000),
        ("2s", 2_000_000_000),
        ("1.5m", 90_000_000_000),
        ("1h", 3_600_000_000_000),
        ("7ns", 7),
        ("100us", 100_000),
        ("100µs", 100_000),  # U+00B5
        ("100μs", 100_000),  # U+03BC
        (".5s", 500_000_000),
        ("5.s", 5_000_000_000),
        ("0s", 0),
        (0, 0),
        (0.0, 0),
    ],
)
def test_reads_a_number_and_a_unit(text: object, nanoseconds: int) -> None:
    """Issue 2, part 5: durations are written as `150ms`, `2s` or `1.5m`."""
    assert parse_duration(text) == nanoseconds


def test_does_not_round_as_floats_would() -> None:
    """4.35 * 1e9 is 4349999999.999999 in binary floating point, and 2**53 + 1 is no float at all."""
    assert parse_duration("4.35s") == 4_350_000_000
    assert parse_duration("9007199254740993ns") == 2**53 + 1


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (4, "4 has no unit; write 4ms or 4s"),
        (1.5, "1.5 has no unit"),
        (-5, "-5 is negative"),
        ("-5ms", "-5ms is negative"),
        ("0.5ns", "0.5ns is not a whole number of nanoseconds"),
        ("1.0000000001s", "not a whole number of nanoseconds"),
        ("5 ms", "5 ms is not a duration"),
        ("5sec", "5sec is not a duration"),
        ("5", "5 is not a duration"),
        (".ms", ".ms is not a duration"),
        ("ms", "ms is not a duration"),
        ("1.2.3s", "1.2.3s is not a duration"),
        ("١s", "is not a duration"),  # A digit, to Python's str.isdigit, but not to this format.
        (True, "true is not a duration"),
        (None, "null is not a duration"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        ([1], "[1] is not a duration"),
        ("9" * 39 + "h", "is too long"),
        ("9" * 10_000 + "h", "is not a duration"),
    ],
)
def test_refuses_what_is_no_duration(value: object, says: str) -> None:
    """Issue 2, part 5: an error shows the value and says what to write. No value is rounded silently."""
    with pytest.raises(ValueError, match=re.escape(says)):
        parse_duration(value)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (100_000_000, "100ms"),  # Not 0.1s, although that is shorter: a number below 1 asks for a lesser unit.
        (1_500_000_000, "1.5s"),
        (363_850_000, "363.85ms"),
        (2_401_000_000, "2.401s"),
        (60_000_000_000, "1m"),
        (90_000_000_000, "90s"),
        (61_000_000_000, "61s"),  # 61/60 minutes have no finite decimal.
        (1, "1ns"),
    ],
)
def test_writes_the_shortest_text(nanoseconds: int, text: str) -> None:
    """Resolved scenarios and reports are for people: 1.5s, not 1500000000ns."""
    assert format_duration(nanoseconds) == text


def test_has_no_text_for_a_negative_duration() -> None:
    """A negative duration is an error of the program: it must not be written to a file."""
    with pytest.raises(ValueError, match="negative"):
        format_duration(-1)


@given(st.one_of(st.integers(0, LONGEST), st.integers(0, 10**6).map(lambda ms: ms * 1_000_000)))
def test_writes_what_it_reads_back(nanoseconds: int) -> None:
    """A resolved scenario, written beside the results, must be the scenario that was run."""
    text = format_duration(nanoseconds)
    assert parse_duration(text) == nanoseconds
    assert re.search(DURATION_PATTERN, text)


@given(st.from_regex(re.compile(DURATION_PATTERN, re.ASCII), fullmatch=True).map(str.strip))
def test_agrees_with_the_pattern_that_editors_check(text: str) -> None:
    """The JSON Schema must not accept a spelling that the program refuses. A pattern cannot check sizes."""
    match = re.fullmatch(r"([0-9.]+)(\D+)", text)
    assert match
    exact = Fraction(match[1].rstrip(".")) * (UNITS | {"µs": 1000, "μs": 1000})[match[2]]
    try:
        assert parse_duration(text) == exact
    except ValueError as error:
        assert len(text) > 40 or exact.denominator != 1 or exact > LONGEST, error  # noqa: PT017


@given(st.text(alphabet="0123456789.nusmhµe+-_ ", max_size=9))
def test_the_pattern_admits_all_that_is_read(text: str) -> None:
    """An editor must never mark a scenario that runs."""
    try:
        parse_duration(text)
    except ValueError:
        return
    assert re.search(DURATION_PATTERN, text)
