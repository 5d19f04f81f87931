"""The table of a sweep: a row for each cell, with its settings and its metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.analysis.records.registry import MEASURES

Summary = Mapping[str, Any]
_MOST_METRICS = 4  # The most columns of the table. cells.parquet has all metrics.
_MOST_FIELDS = 3  # With more columns than this, the table shows one metric less.
_MOST_REASONS = 5


def sweep_table(found: Summary) -> RenderableType:
    """The table of what `study.json` has."""
    rows = found["cells"]
    finished = [row for row in rows if "metrics" in row]
    parts: list[RenderableType] = [Text(_title(found)), Text("")]
    if finished:
        many = len({field for row in finished for field in {**row["settings"], **row["linked"]}}) > _MOST_FIELDS
        shown = found["metrics"][: _MOST_METRICS - many]
        parts += [_table(finished, shown), Text("")]
    parts += [Text(line) for line in skipped_lines(rows)]
    parts += [Text(f"repeat  {found['command']}"), Text(f"digest  {found.get('digest', '')}")]
    return Group(*parts)


def _title(found: Summary) -> str:
    rows = [row for row in found["cells"] if "digest" in row]
    trials = sum(row["trials"]["run"] for row in found["cells"] if "trials" in row)
    about = f"\n{found['about']}" if found.get("about") else ""
    left = len(found.get("unfinished", ()))
    of = f" of {len(rows) + left:,}" if left else ""
    why = f"\n{found.get('stopped_by') or 'unfinished'}: not all trials are finished" if left else ""
    return f"{found['name']}  {len(rows):,}{of} cells, {trials:,} trials, seed {found['seed']}{about}{why}"


def _trials(row: Summary) -> str:
    trials = row["trials"]
    whole = "digest" in row
    return f"{trials['run']:,}" if whole else f"{trials['run']:,} of {trials['requested']:,}"


def _table(rows: Sequence[Summary], metrics: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="", collapse_padding=True, padding=(0, 2, 0, 0))
    fields = list(dict.fromkeys(field for row in rows for field in {**row["settings"], **row["linked"]}))
    short = short_names(fields)
    for field in fields:
        lines = short[field].replace("_", "_\n").replace(".", ".\n")  # A name is broken between its words only.
        widest = max(map(len, lines.splitlines()))
        table.add_column(lines, justify="right", overflow="fold", min_width=widest)
    table.add_column("trials", justify="right")
    units = {name: unit_of(name, rows) for name in metrics}
    shown = {name: [estimate_text(row["metrics"].get(name, {}), units[name][1]) for row in rows] for name in metrics}
    for name in metrics:
        unit = units[name][0]
        widest = max(len(line) for text in shown[name] for line in text.splitlines())  # An interval is not broken.
        label = MEASURES[name].label + (f", {unit}" if unit else "")
        table.add_column(label, justify="right", overflow="fold", min_width=widest)
    for number, row in enumerate(rows):
        settings = {**row["settings"], **row["linked"]}
        values = [shown[name][number] for name in metrics]
        table.add_row(*(settings.get(field, "") for field in fields), _trials(row), *values)
    return table


def short_names(fields: Sequence[str]) -> dict[str, str]:
    """The last part of the name of each field; the whole name if two fields have the same last part."""
    last = {field: field.rpartition(".")[2] for field in fields}
    often = Counter(last.values())
    return {field: name if often[name] == 1 else field for field, name in last.items()}


def unit_of(name: str, rows: Sequence[Summary]) -> tuple[str, float]:
    """The unit of a column, and what its values are multiplied by."""
    unit = MEASURES[name].unit
    if unit == "%":
        return "%", 100.0
    if unit != "s":
        return unit, 1.0
    highest = max((row["metrics"].get(name, {}).get("value") or 0.0 for row in rows), default=0.0)
    return ("s", 1.0) if highest >= 10 else ("ms", 1e3)


def estimate_text(found: Summary, factor: float) -> str:
    """The value, and its interval below it; an end that is not bounded is ∞."""
    if found.get("value") is None:
        return "–"
    low, high = found.get("low"), found.get("high")
    lower = "0" if low is None else _number(low, factor)
    upper = "∞)" if high is None else f"{_number(high, factor)}]"
    return f"{_number(found['value'], factor)}\n[{lower} – {upper}"


def _number(value: float, factor: float) -> str:
    scaled = value * factor
    return f"{scaled:,.0f}" if abs(scaled) >= 100 else f"{scaled:.3g}"


def skipped_lines(rows: Sequence[Summary], what: str = "cells", file: str = "study.json") -> list[str]:
    """How many of the rows were skipped, and for which reasons; nothing if none was. `file` has all of them."""
    reasons = Counter(row["skipped"] for row in rows if row["skipped"])
    if not reasons:
        return []
    lines = [f"{sum(reasons.values()):,} of {len(rows):,} {what} were skipped:"]
    lines += [f"  {count:,} × {reason}" for reason, count in reasons.most_common(_MOST_REASONS)]
    if len(reasons) > _MOST_REASONS:
        lines.append(f"  … and {len(reasons) - _MOST_REASONS} more reasons; {file} has them")
    return [*lines, ""]
