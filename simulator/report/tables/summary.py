"""A run's summary (docs/results.md) as tables for a terminal; plain text where the output is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.analysis.records.registry import DURATION_LABELS
from simulator.report.tables.elections import elections_table
from simulator.report.tables.numbers import (
    Row,
    duration,
    facts_table,
    interval,
    stacked,
    titled_table,
    unit_of,
    value_of,
    with_interval,
    with_unit,
    written,
)

Summary = Mapping[str, Any]

_QUANTILES = ("median", "p95", "p99")
_OF_SOME = "failover of those that failed over"  # Shown if the lost leader came back after some losses.
_PER = ("per_election", "per_second")
_COMPARED = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)  # The published quantiles that are shown.


def summary_table(summary: Summary) -> RenderableType:
    """Everything that a run found, in at most 80 columns; what has no data is left out."""
    metrics = summary["metrics"]
    parts: list[RenderableType | None] = [
        _title(summary),
        _durations(metrics, losses=summary["elections"].get("loss", 0) > 0),
        elections_table(summary),
        _detector(metrics.get("detector")),
        _traffic(metrics),
        _published(summary.get("published"), metrics),
        _published_left_out(summary.get("published_left_out")),
        _measured(summary.get("measured")),
        _liveness(summary.get("liveness")),
        _violations(summary["violations"]),
        _waived(summary.get("waived", {})),
        _outside(summary.get("assumptions_broken", {})),
        _not_skipped(summary.get("fast_forward")),
        _provenance(summary),
    ]
    return Group(*(line for part in parts if part is not None for line in (part, "")))


def _title(summary: Summary) -> Text:
    trials = summary["trials"]
    text = Text(summary["scenario"], style="bold")
    # Results of version 0.1.0 do not have this field.
    algorithm = f"{summary['algorithm']}, " if "algorithm" in summary else ""
    text.append(f"  {algorithm}{trials['run']:,} trials, seed {summary['seed']}", style="not bold")
    if trials["censored"]:
        text.append(f", {trials['censored']:,} censored (unfinished at the end)", style="not bold yellow")
    faults = summary.get("faults")
    if faults and faults["never_struck"]:
        times = f"{faults['never_struck']:,} times, in {faults['trials']:,} trials"
        text.append(f"\nfaults that were not injected: {times}", style="not bold yellow")
    never = [name for name, count in (faults or {}).get("without_effect", {}).items() if count == trials["run"]]
    for name in never:
        entry, _, what = name.partition(" ")
        text.append(f"\nfault {entry} of the schedule never had an effect ({what})", style="not bold yellow")
    stopped_by = summary.get("stopped_by") or ("interrupted" if summary.get("interrupted") else None)
    if precision := summary.get("precision"):
        text.append(f"\n{_precision(precision, trials['run'])}", style="not bold")
    if stopped_by and stopped_by not in ("precision", "trials"):
        text.append(f"\nstopped early: {stopped_by}; {trials['requested']:,} trials were asked for", style="bold red")
    return text


def _precision(precision: Summary, trials: int) -> str:
    """Whether the primary metric is known as well as was asked for."""
    asked, reached = precision["asked"], precision["reached"]
    name = f"{DURATION_LABELS[precision['metric']]}, {precision['statistic']}"
    known = "not bounded yet" if reached is None else f"±{100 * reached:.1f} %"
    text = f"{name}: {known} after all {trials:,} trials, not ±{100 * asked:g} %; give more --trials"
    if reached is not None and reached <= asked:
        text = f"{name}: {known} after {trials:,} trials (±{100 * asked:g} % was asked for)"
    if "interval" not in precision:
        return text
    share, analyses = f"{100 * precision['confidence']:g} %", precision["analyses"]
    return f"{text}\nby an interval that holds with {share} over all {analyses} interim analyses"


def _durations(metrics: Summary, losses: bool) -> Table | None:
    """A row per duration, but for what others add up to: stabilisation after a loss, and downtime."""
    left_out = {"downtime", "stabilisation"} if losses else {"downtime"}
    if not metrics.get("failed_round", {}).get("count"):
        left_out |= {"winning_round"}  # Without failed rounds, the winning round is the election, or nearly.
    names = [name for name in DURATION_LABELS if name in metrics and name not in left_out]
    rows = [(name, metrics[name]) for name in names if metrics[name]["count"]]
    if not rows:
        return None
    table = titled_table("Durations after a loss" if losses else "Durations from a cold start")
    table.add_column("")
    table.add_column("n", justify="right")
    for name in (*_QUANTILES, "max"):
        table.add_column(name, justify="right", no_wrap=True)
    incidence = metrics.get("failover_incidence")
    recovered = incidence is not None and incidence["recovered"]["count"] > 0
    for name, metric in rows:
        only_some = recovered and name == "failover"
        _add_duration(table, _OF_SOME if only_some else DURATION_LABELS[name], metric)
        if only_some and incidence is not None:
            _add_duration(table, "failover of all losses", {**incidence, "max": {"value": None}})
    return table


def _add_duration(table: Table, name: str, metric: Summary) -> None:
    typical = value_of(metric["median"])
    most = value_of(metric["max"])
    unit, factor = unit_of(next((value for value in (typical, most) if value is not None), 0.0))
    cells = [stacked(*_quantile(metric[name], factor)) for name in _QUANTILES]
    censored = f"{metric['censored']:,} cens." if metric["censored"] else ""
    table.add_row(
        f"{name}, {unit}",
        stacked(f"{metric['count']:,}", censored),
        *cells,
        Text("–" if most is None else written(most, factor)(most)),
    )


def _quantile(statistic: Mapping[str, Any], factor: float) -> tuple[str, str]:
    value = value_of(statistic)
    show = written(next((known for known in (value, statistic["low"]) if known is not None), 1.0), factor)
    return "not reached" if value is None else show(value), interval(statistic["low"], statistic["high"], show)


def _detector(detector: Summary | None) -> Table | None:
    """What the failure detectors were worth, where there were any."""
    return facts_table("Failure detectors, over all pairs of nodes", _detector_rows(detector)) if detector else None


def _detector_rows(detector: Summary) -> Iterator[Row]:
    detection, mistakes = detector["detection"], detector["mistakes"]
    if detection["count"] or detection["undetected"]:
        remark = f"{detection['count']:,} detected"
        if detection["undetected"]:
            remark += f", {detection['undetected']:,} not"
        yield "mean detection time", duration(detection["mean"]), remark
    per_hour = {end: None if found is None else 3600 * found for end, found in mistakes["per_second"].items()}
    show = written(per_hour["value"] or per_hour["high"] or 0.0, 1.0)
    yield "mistakes per hour", with_interval(per_hour, show), f"{mistakes['count']:,} in all, per pair"
    if mistakes["count"]:
        yield "mean mistake", duration(detector["mistake_duration"]["mean"]), ""
        accuracy = detector["query_accuracy"]
        yield "query accuracy", with_interval(accuracy, lambda share: f"{100 * share:.4f}", " %"), ""


def _traffic(metrics: Summary) -> Table | None:
    """Messages of each type that was sent, and the bytes of all: per election, and while nobody looks for a leader."""
    messages, size = metrics["messages"], metrics.get("bytes", {})
    sent = {name: total for name, total in messages["total"].items() if total}
    if not sent:
        return None
    table = titled_table(f"Messages sent ({sum(sent.values()):,} in all): by an election, and in steady state")
    table.add_column("", overflow="fold")
    for heading in ("per election", "per second"):
        table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
    for name in sent:
        _add_sent(table, name, [messages.get(when, {}).get(name) for when in _PER], 1.0)
    for name, every, factor in (("all types", messages, 1.0), ("all types, kB", size, 1e-3)):
        if "all_types" in every:
            _add_sent(table, name, [every["all_types"][when] for when in _PER], factor)
    return table


def _add_sent(table: Table, name: str, statistics: Sequence[Mapping[str, Any] | None], factor: float) -> None:
    cells: list[RenderableType] = []
    for statistic in statistics:
        found = statistic or {"value": None}
        value, spread = with_interval(found, written(value_of(found) or 0.0, factor))
        cells += [value, Text(spread, style="dim")]
    table.add_row(name, *cells)


def _published(published: Summary | None, metrics: Summary) -> RenderableType | None:
    """Quantiles of a published experiment beside the simulated ones, and the distance of the two distributions."""
    if not published:
        return None
    name = DURATION_LABELS.get(published["metric"], published["metric"])
    table = titled_table("Beside published figures")
    table.add_column(f"{name}, ms", no_wrap=True)
    for heading in ("published", "simulated"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in published["quantiles"]:
        if len(published["quantiles"]) <= len(_COMPARED) or row["p"] in _COMPARED:
            _add_compared(table, f"{100 * row['p']:g} %", row["published"], row["simulated"])
    if published.get("mean") is not None and value_of(metrics[published["metric"]]["mean"]) is not None:
        _add_compared(table, "mean", published["mean"], metrics[published["metric"]]["mean"])
    notes = [f"Published: {published['source']}"]
    if published.get("distance") is not None:
        notes.append(f"Kolmogorov–Smirnov distance at the published quantiles: {published['distance']:.4f}")
    return Group(table, Text("\n".join(notes), style="dim"))


def _published_left_out(published: Summary | None) -> Text | None:
    """Why published figures do not stand beside the simulated ones."""
    if not published:
        return None
    reason = f"they hold for the scenario as written, without a change of {', '.join(published['changed'])}"
    return Text(f"Published figures are left out: {reason}.\nPublished: {published['source']}", style="dim")


def _measured(measured: Summary | None) -> RenderableType | None:
    """What a user has measured beside what was simulated, and what differs."""
    if not measured:
        return None
    table = titled_table(f"Beside {Path(measured['file']).name}, column {measured['column']}")
    table.add_column(f"{DURATION_LABELS[measured['metric']]}, ms", no_wrap=True)
    for heading in ("measured", "simulated"):
        table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
    table.add_row("n", f"{measured['count']:,}", "", f"{measured['simulated_count']:,}", "")
    for name in ("median", "p99"):
        cells = [_quantile(measured[name][side], 1e3) for side in ("measured", "simulated")]
        table.add_row(name, *(cell for value, spread in cells for cell in (value, Text(spread, style="dim"))))
    return Group(table, Text(measured["difference"]))


def _add_compared(table: Table, name: str, seconds: float, statistic: Mapping[str, Any]) -> None:
    value, spread = _quantile(statistic, 1e3)
    table.add_row(name, written(seconds, 1e3)(seconds), value, Text(spread, style="dim"))


def _liveness(liveness: Summary | None) -> Text | None:
    """How many trials met the demand that the cluster recovers, and how long it took them."""
    if not liveness:
        return None
    found = {name: liveness[name] for name in ("recovered", "failed", "undecided")}
    within = f"within {liveness['within_s']:g} s of the last fault"
    demand = "all nodes follow one leader" if liveness.get("who") == "all" else "a majority follows a leader"
    text = Text(f"Liveness: {demand} {within}\n")
    counts = ", ".join(f"{count:,} {name}" for name, count in found.items() if count or name != "undecided")
    text.append(f"trials    {counts}", style="bold red" if found["failed"] else "")
    text.append("; the trial ended first" if found["undecided"] else "", style="dim")
    median, most = value_of(liveness["recovery"]["median"]), value_of(liveness["recovery"]["max"])
    if median is not None and most is not None:
        text.append(f"\nrecovery  median {with_unit(median)}, at most {with_unit(most)}")
    return text


def _violations(violations: Mapping[str, int]) -> Text | None:
    """The violated guarantees. Liveness is reported apart: it is a requirement of the scenario, not a guarantee."""
    broken = _listed({name: count for name, count in violations.items() if name != "liveness"})
    return Text(f"Violated guarantees: {broken}", style="bold red") if broken else None


def _waived(waived: Mapping[str, int]) -> Text | None:
    broken = _listed(waived)
    return Text(f"Violated guarantees, waived by the scenario: {broken}", style="yellow") if broken else None


def _outside(assumptions: Mapping[str, int]) -> Text | None:
    """Where the guarantees of an algorithm were not checked."""
    broken = _listed(assumptions)
    return (
        Text(f"Assumptions that did not hold, so that no guarantee was checked there: {broken} (trials)")
        if broken
        else None
    )


def _not_skipped(fast_forward: Summary | None) -> Text | None:
    """Why every keep-alive was simulated, if the scenario does not say so itself."""
    if fast_forward is None or fast_forward["mode"] == "off" or fast_forward["refused"] is None:
        return None
    return Text(f"No fast-forward: {fast_forward['refused']}", style="dim")


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)


def _provenance(summary: Summary) -> RenderableType:
    legend = Text("[95 % interval]; ∞: too few values, or too many censored, to bound it.", style="dim")
    repeat = f"repeat  {summary['command']}\ndigest  {summary['digest']}"
    return Group(legend, Text(repeat, no_wrap=True, overflow="ignore"))  # Users copy this line, so it is never broken.
