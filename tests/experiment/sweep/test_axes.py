"""The values of an axis: lists and ranges (issue 14: "`cluster.nodes=3..101:log8`: eight points")."""

from __future__ import annotations

import pytest

from simulator.experiment.sweep.axes import axis_of


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("3..101:log8", ["3", "5", "8", "14", "22", "37", "61", "101"]),  # 3 * (101/3)^(k/7), rounded.
        ("3..7", ["3", "4", "5", "6", "7"]),
        ("1..9:lin3", ["1", "5", "9"]),
        ("50ms..2s:log3", ["50ms", "316ms", "2s"]),  # sqrt(50 * 2000) = 316.2
        ("0..10%:lin3", ["0", "0.05", "0.1"]),
        ("0.01..0.04:lin4", ["0.01", "0.02", "0.03", "0.04"]),
        ("1..2:log9", ["1", "2"]),  # Whole numbers that are equal count once.
    ],
)
def test_a_range_has_its_points(text: str, values: list[str]) -> None:
    assert [value for (value,) in axis_of("field", [text]).values] == values


def test_a_list_is_what_is_written() -> None:
    assert axis_of("algorithm", ["raft", "bully"]).values == (("raft",), ("bully",))
    assert axis_of("x", ["[150ms, 300ms]"]).values == (("[150ms, 300ms]",),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("9..3", "is empty"),
        ("0..5:log3", "begins at 0"),
        ("a..b", "is no range"),
        ("3..50ms", "is no range"),
        ("3..9:log1", "2 at least"),
        ("3..9:lin99999", "10000 at most"),
    ],
)
def test_a_range_that_means_nothing_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        axis_of("field", [text])
    with pytest.raises(ValueError, match="3 is there twice"):
        axis_of("field", ["3", "5", "3"])
