"""Sizes of memory: exact, and with a remedy for what is no size (house rule: an error says what to write)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.scenario.text.sizes import format_size, parse_size


@pytest.mark.parametrize(
    ("written", "size"),
    [("4GiB", 4 << 30), ("0.5GiB", 1 << 29), ("500MB", 500_000_000), ("1024KiB", 1 << 20), (2_000_000, 2_000_000)],
)
def test_a_size_is_a_number_and_a_unit(written: object, size: int) -> None:
    """Decimal units are powers of 1000, binary ones of 1024 (IEC 80000-13)."""
    assert parse_size(written) == size


@pytest.mark.parametrize(
    ("written", "error"),
    [
        ("4", "4 is not a size of memory; write a number and a unit, such as 4GiB"),
        ("4 GiB", "4 GiB is not a size of memory; write a number and a unit, such as 4GiB"),
        ("4Gib", "4Gib is not a size of memory; write a number and a unit, such as 4GiB"),
        (4.5, "4.5 is not a size of memory; write a number and a unit, such as 4GiB"),
        (True, "true is not a size of memory; write a number and a unit, such as 4GiB"),
        (None, "null is not a size of memory; write a number and a unit, such as 4GiB"),
        ("-1GiB", "-1GiB is not a size of memory; write a number and a unit, such as 4GiB"),
        (4, "4 is not between 1MiB and 1024TiB"),
        ("1000000TiB", "1000000TiB is not between 1MiB and 1024TiB"),
    ],
)
def test_what_is_no_size_is_refused_with_what_to_write(written: object, error: str) -> None:
    """A number without its unit is the likely slip: 4 bytes would refuse every scenario."""
    with pytest.raises(ValueError, match=f"^{error}$"):
        parse_size(written)


@given(st.integers(1 << 20, 1 << 50))
def test_a_size_is_written_exactly(size: int) -> None:
    """A stored scenario must repeat its result, with the same limit."""
    assert parse_size(format_size(size)) == size
