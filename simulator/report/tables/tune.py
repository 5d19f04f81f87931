"""The table of a tuner: the settings that no others are better than, the recommendation, and what checks it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.analysis.records.registry import MEASURES
from simulator.report.tables.numbers import rounded_up
from simulator.report.tables.sweep import estimate_text, short_names, skipped_lines, unit_of

Summary = Mapping[str, Any]
_MOST_ROWS = 16


def tune_table(found: Summary) -> RenderableType:
    """The table of what `tune.json` has."""
    rows = found["candidates"]
    known = [row for row in rows if row["metrics"].get(found["minimise"], {}).get("value") is not None]
    known.sort(key=lambda row: row["metrics"][found["minimise"]]["value"])
    shown = known if len(known) <= _MOST_ROWS else [row for row in known if row["on_front"]]
    parts: list[RenderableType] = [Text(_title(found)), Text("")]
    if shown:
        parts += [_table(found, shown[:_MOST_ROWS]), Text("")]
        parts += [Text("* on the Pareto front: no others are as good in all of the three, and better in one"), Text("")]
        if left := len(known) - len(shown[:_MOST_ROWS]):
            parts += [Text(f"{left} more settings are left out; tune.json has them"), Text("")]
    parts += [Text(line) for line in [*skipped_lines(rows, "settings", "tune.json"), *_recommendation(found)]]
    parts += [Text(f"repeat  {found['command']}"), Text(f"digest  {found.get('digest', '')}")]
    return Group(*parts)


def _title(found: Summary) -> str:
    bounds = ", ".join(bound["text"] for bound in found["subject_to"])
    verdicts = Counter(row["verdict"] for row in found["candidates"] if row["skipped"] is None)
    counts = ", ".join(f"{count:,} {name}" for name, count in verdicts.items())
    return (
        f"{found['name']}  {len(found['candidates']):,} settings ({found['search']}), seed {found['seed']}\n"
        f"minimise {found['minimise']} subject to {bounds}: {counts}\n"
        f"without faults, up to {_time(found['fault_free']['length_s'])} of simulated time for each"
    )


def _table(found: Summary, rows: Sequence[Summary]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="", collapse_padding=True, padding=(0, 2, 0, 0))
    fields = list(dict.fromkeys(field for row in rows for field in {**row["settings"], **row["linked"]}))
    short = short_names(fields)
    for field in fields:
        lines = short[field].replace("_", "_\n").replace(".", ".\n")
        table.add_column(lines, justify="right", overflow="fold", min_width=max(map(len, lines.splitlines())))
    metric = found["minimise"]
    unit, factor = unit_of(metric, rows)
    label = MEASURES[metric].label + (f", {unit}" if unit else "")
    columns = {
        label: [estimate_text(row["metrics"].get(metric, {}), factor) for row in rows],
        "false elections\na month": [_rate(row["false_elections"]) for row in rows],
        "messages\na second": [estimate_text(row["messages_per_s"], 1.0) for row in rows],
        "bounds": [row["verdict"] + " *" * row["on_front"] for row in rows],
    }
    for name, texts in columns.items():
        widest = max(len(line) for text in texts for line in text.splitlines())
        table.add_column(name, justify="right", overflow="fold", min_width=widest)
    for number, row in enumerate(rows):
        settings = {**row["settings"], **row["linked"]}
        table.add_row(*(settings.get(name, "") for name in fields), *(texts[number] for texts in columns.values()))
    return table


def _rate(found: Summary | None) -> str:
    """The rate with its interval; if none was seen, the upper limit of the rule of three."""
    if found is None:
        return "–"
    if not found["count"]:
        return f"fewer than\n{rounded_up(found['per_month']['high'])}"
    return estimate_text(found["per_month"], 1.0)


def _recommendation(found: Summary) -> list[str]:
    best = found["recommendation"]
    if best is None:
        return ["No settings were shown to keep the bounds.", ""]
    row = next(row for row in found["candidates"] if row["number"] == best["candidate"])
    lines = ["Recommended:", *(f"  {field}: {text}" for field, text in best["settings"].items())]
    if best["product"] is not None:
        lines += [f"  in the flags of {best['product']['product']}: {'  '.join(best['product']['lines'])}"]
        lines += [f"    {remark}" for remark in best["product"]["remarks"]]
    seen = row["false_elections"]
    rate = rounded_up(seen["per_month"]["high"])
    lines += [f"  {seen['count']} false elections in {_time(seen['observed_s'])}: fewer than {rate} a month"]
    if best["margin"] is not None:
        lines += [f"  margin: {_margin(best['margin']['latency_factor'])}"]
    return [*lines, "", f"check   {best['check']['faults']}", f"        {best['check']['fault_free']}"]


def _margin(factors: Summary) -> str:
    kept = f"the bound is kept with all latencies times {factors['kept_at']:g}"
    if factors["fails_at"] is None:
        return f"{kept}, the most that was tried"
    return f"{kept}, and not shown to be with {factors['fails_at']:g}"


def _time(seconds: float) -> str:
    """A long time, in its largest unit of which it has two."""
    for name, length in (("days", 86_400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.3g} {name}"
    return f"{seconds:,.3g} seconds"
