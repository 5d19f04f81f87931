"""The table of elections in a run's summary: how many there were, how they ended, and who led."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from simulator.analysis.records.record import TableRow
from simulator.analysis.records.registry import METRICS
from simulator.report.tables.numbers import (
    Row,
    duration,
    facts_table,
    percentage,
    value_of,
    with_interval,
    with_unit,
    written,
)

Summary = Mapping[str, Any]

_OVERLAPS = {"same_term": "of one term", "stale_leader": "with a stale leader", "no_term": "without terms"}
_CAUSES = {"boot": "at boot", "loss": "after a loss", "transfer": "by transfer", "spurious": "spurious"}
_OUTCOMES = ("recovered", "withdrawn", "censored")
_WITH_A_LEADER = ("disagreement", "leaderless", "quorum_leaderless")  # Shown only if any trial had a leader.


def elections_table(summary: Summary) -> Table:
    """A row for each figure that has data, in the order of METRICS."""
    return facts_table("Elections", _rows(summary))


def _rows(summary: Summary) -> Iterator[Row]:
    metrics, trials = summary["metrics"], summary["trials"]
    yield from _count_rows(summary)
    for metric in METRICS:
        if metric.key not in _WITH_A_LEADER:
            yield from _metric_rows(metric.key, metric.rows, metrics)
    never = trials.get("never_led", 0)
    if never:
        yield "never a leader", (f"{never:,}", ""), f"of {trials['run']:,} trials"
    if never < trials["run"]:
        for metric in METRICS:
            if metric.key in _WITH_A_LEADER:
                yield from _metric_rows(metric.key, metric.rows, metrics)


def _count_rows(summary: Summary) -> Iterator[Row]:
    """Elections by cause, and those that ended without a new leader."""
    metrics, counts = summary["metrics"], summary["elections"]
    elections = sum(counts.get(cause, 0) for cause in _CAUSES)
    causes = [f"{counts[cause]:,} {words}" for cause, words in _CAUSES.items() if counts.get(cause)]
    yield "elections", (f"{elections:,}", ""), ", ".join(causes)
    if ends := [f"{counts[outcome]:,} {outcome}" for outcome in _OUTCOMES if counts.get(outcome)]:
        without = sum(counts.get(outcome, 0) for outcome in _OUTCOMES)
        yield "  without a new leader", (f"{without:,}", ""), ", ".join(ends)
    for cause, durations in metrics.get("other_searches", {}).items():
        if value_of(durations["median"]) is not None:
            yield f"  {_CAUSES[cause]}, median", duration(durations["median"]), f"{durations['count']:,} to a leader"


# --- Rows of one metric


def _metric_rows(key: str, rows: Sequence[TableRow], metrics: Summary) -> Iterator[Row]:
    if key in _SPECIAL:
        yield from _SPECIAL[key](metrics)
    elif key in metrics:  # Results of earlier versions have fewer metrics.
        for row in rows:
            yield from _declared_row(row, metrics[key])


def _declared_row(row: TableRow, part: Summary) -> Iterator[Row]:
    """The row that a metric's record declares, or nothing if it has no data."""
    statistic = _at(part, row.statistic)
    if value_of(statistic) is not None and (row.only_if is None or _at(part, row.only_if)):
        yield row.label, _FORMATS[row.shown_as](statistic), row.remark.format(**part)


def _at(part: Summary, path: str) -> Any:
    found: Any = part
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _rate(statistic: Summary) -> tuple[str, str]:
    return with_interval(statistic, written(statistic["value"] or 0.0, 1.0))


_FORMATS: Mapping[str, Callable[[Any], tuple[str, str]]] = {
    "number": lambda statistic: with_interval(statistic, "{:.3f}".format),
    "rate": _rate,
    "count": lambda count: (f"{count:,}", ""),
    "percentage": percentage,
    "duration": duration,
}


def _round_rows(metrics: Summary) -> Iterator[Row]:
    """Split votes and failed rounds. If all failed rounds are split votes, the elections with any are shown once."""
    for key, name in (("split_votes", "split votes"), ("failed_rounds", "failed rounds")):
        part = metrics.get(key)  # Left out for an algorithm whose rounds have no terms.
        if part is not None and value_of(part["fraction"]) is not None:
            total = f"of {part['rounds']:,} rounds" if "rounds" in part else "of the rounds"
            yield name, percentage(part["fraction"]), f"{part['count']:,} {total}"
            same = key == "failed_rounds" and part["count"] == metrics["split_votes"]["count"]
            if part["count"] and not same and "per_election" in part:
                yield "  elections with any", percentage(part["per_election"]["fraction"]), ""


def _overlap_rows(metrics: Summary) -> Iterator[Row]:
    """A row for each kind of incident."""
    overlaps = metrics["leaders_overlap"]
    counts = {kind: overlaps[kind]["count"] for kind in _OVERLAPS if kind in overlaps and overlaps[kind]["count"]}
    if not counts:
        yield "leaders overlap", ("0", ""), "never two leaders at once"
        return
    for kind, count in counts.items():
        yield "leaders overlap", (f"{count:,}", ""), _OVERLAPS[kind]
    if trials := overlaps.get("trials"):
        at_once = f"{overlaps['most_at_once']} leaders at once at most"
        yield "  trials with any", percentage(trials["fraction"]), at_once
    if overlaps.get("effective"):
        yield "  both followed", (f"{overlaps['effective']:,}", ""), "by other nodes, at one instant"
    longest = value_of(overlaps.get("max"))
    if longest is not None:
        yield "  longest", (with_unit(longest), ""), f"{with_unit(overlaps['total_s'])} in all"


def _quorum_leaderless_rows(metrics: Summary) -> Iterator[Row]:
    """Nothing if no leader was ever cut off from its quorum: the rows would repeat those of leaderless time."""
    part = metrics.get("quorum_leaderless")
    if part is not None and part["total_s"] != metrics["leaderless"]["total_s"]:
        (record,) = (metric for metric in METRICS if metric.key == "quorum_leaderless")
        for row in record.rows:
            yield from _declared_row(row, part)


# Rows that depend on more than one part of the summary. Failed rounds stand below split votes.
_SPECIAL: Mapping[str, Callable[[Summary], Iterator[Row]]] = {
    "failed_rounds": lambda _: iter(()),
    "split_votes": _round_rows,
    "leaders_overlap": _overlap_rows,
    "quorum_leaderless": _quorum_leaderless_rows,
}
