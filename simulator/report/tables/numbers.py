"""How the tables write numbers, intervals and rows of facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

Row = tuple[str, tuple[str, str], str]  # One row: the statistic's name, its value and interval, and a remark.


def interval(low: float | None, high: float | None, show: Callable[[float], str]) -> str:
    """`[low – high]`. An end that is missing is open; what the tables show is never negative."""
    return f"[{show(0.0) if low is None else show(low)} – {'∞)' if high is None else show(high) + ']'}"


def unit_of(seconds: float) -> tuple[str, float]:
    """The unit in which such a duration reads well, and how many there are to a second."""
    return ("s", 1.0) if seconds >= 10 else ("ms", 1e3)


def written(seconds: float, factor: float) -> Callable[[float], str]:
    """The format for a duration and for the durations in the same row."""
    digits = _digits(seconds * factor)
    return lambda value: f"{value * factor:,.{digits}f}"


def with_unit(seconds: float) -> str:
    """A duration with three significant digits, in ms or s."""
    unit, factor = unit_of(seconds)
    return f"{written(seconds, factor)(seconds)} {unit}"


def _digits(value: float) -> int:
    """Decimals that leave three significant digits."""
    return next((digits for digits, bound in enumerate((100, 10, 1, 0.1)) if value >= bound), 4 if value else 0)


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def value_of(statistic: object) -> float | None:
    """The value of a statistic, or of a bare number."""
    found = statistic.get("value") if isinstance(statistic, Mapping) else statistic
    return None if found is None else float(found)  # type: ignore[arg-type]


def with_interval(statistic: Mapping[str, Any], show: Callable[[float], str], unit: str = "") -> tuple[str, str]:
    """A statistic's value with its unit, and its interval; a dash if the value is not known."""
    value = value_of(statistic)
    if value is None:
        return "–", ""
    return show(value) + unit, interval(statistic["low"], statistic["high"], show)


def percentage(statistic: Mapping[str, Any]) -> tuple[str, str]:
    """A proportion and its interval in percent. An end without bound is 100 %."""
    high = statistic["high"]
    return with_interval({**statistic, "high": 1.0 if high is None else high}, _percent, " %")


def titled_table(title: str) -> Table:
    """An empty table with a heading."""
    return Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False
    )


def duration(statistic: Mapping[str, Any]) -> tuple[str, str]:
    """A duration and its interval, in ms or s."""
    typical = value_of(statistic) or 0.0
    unit, factor = unit_of(typical)
    return with_interval(statistic, written(typical, factor), f" {unit}")


def stacked(first: str, second: str) -> Text:
    """A cell of two lines, the second one dim."""
    return Text(first).append(f"\n{second}" if second else "", style="dim")


def facts_table(title: str, rows: Iterable[Row]) -> Table:
    """A table without a header: for each row its name, value, interval and remark."""
    table = titled_table(title)
    table.add_column("")
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("")
    table.show_header = False
    for name, (value, spread), remark in rows:
        table.add_row(name, value, Text(spread, style="dim"), Text(remark, style="dim"))
    return table
