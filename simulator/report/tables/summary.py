"""A run's summary (docs/results.md) as tables for a terminal; plain text where the output is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

Summary = Mapping[str, Any]

DURATIONS = {
    "failover": "failover",
    "detection": "detection",
    "election": "election",
    "failed_round": "  each failed round",
    "winning_round": "  the winning round",
    "stabilisation": "stabilisation",
    "announcement_majority": "announced to a majority",
    "announcement_all": "announced to all",
    "downtime": "downtime",
    "transfer": "transfer",
}
_QUANTILES = ("median", "p95", "p99")
_PER = ("per_election", "per_second")
_COMPARED = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)  # Of the quantiles that somebody published.
_OVERLAPS = {"same_term": "of one term", "stale_leader": "with a stale leader", "no_term": "without terms"}
_CAUSES = {"boot": "at boot", "loss": "after a loss", "transfer": "by transfer", "spurious": "spurious"}
_OUTCOMES = ("recovered", "withdrawn", "censored")


def summary_table(summary: Summary) -> RenderableType:
    """Everything that a run found, in at most 80 columns; what has no data is left out."""
    metrics = summary["metrics"]
    parts: list[RenderableType | None] = [
        _title(summary),
        _durations(metrics, losses=summary["elections"].get("loss", 0) > 0),
        _elections(summary),
        _detector(metrics.get("detector")),
        _traffic(metrics),
        _published(summary.get("published"), metrics),
        _measured(summary.get("measured")),
        _liveness(summary.get("liveness")),
        _violations(summary["violations"]),
        _waived(summary.get("waived", {})),
        _outside(summary.get("assumptions_broken", {})),
        _provenance(summary),
    ]
    return Group(*(line for part in parts if part is not None for line in (part, "")))


# --- Numbers


def interval(low: float | None, high: float | None, show: Callable[[float], str]) -> str:
    """`[low – high]`. An end that is missing is open; what the tables show is never negative."""
    return f"[{show(0.0) if low is None else show(low)} – {'∞)' if high is None else show(high) + ']'}"


def _unit(seconds: float) -> tuple[str, float]:
    """The unit in which such a duration reads well, and how many there are to a second."""
    return ("s", 1.0) if seconds >= 10 else ("ms", 1e3)


def _written(seconds: float, factor: float) -> Callable[[float], str]:
    """How to write such a duration and others beside it."""
    digits = _digits(seconds * factor)
    return lambda value: f"{value * factor:,.{digits}f}"


def _with_unit(seconds: float) -> str:
    unit, factor = _unit(seconds)
    return f"{_written(seconds, factor)(seconds)} {unit}"


def _digits(value: float) -> int:
    """Decimals that leave three significant digits."""
    return next((digits for digits, bound in enumerate((100, 10, 1, 0.1)) if value >= bound), 4 if value else 0)


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def _value(statistic: object) -> float | None:
    """The value of a statistic, or of a bare number."""
    found = statistic.get("value") if isinstance(statistic, Mapping) else statistic
    return None if found is None else float(found)  # type: ignore[arg-type]


def _with_interval(statistic: Mapping[str, Any], show: Callable[[float], str], unit: str = "") -> tuple[str, str]:
    value = _value(statistic)
    if value is None:
        return "–", ""
    return show(value) + unit, interval(statistic["low"], statistic["high"], show)


def _share(statistic: Mapping[str, Any]) -> tuple[str, str]:
    high = statistic["high"]
    return _with_interval({**statistic, "high": 1.0 if high is None else high}, _percent, " %")


# --- Parts


def _table(title: str) -> Table:
    return Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False
    )


def _title(summary: Summary) -> Text:
    trials = summary["trials"]
    text = Text(summary["scenario"], style="bold")
    algorithm = f"{summary['algorithm']}, " if "algorithm" in summary else ""  # Results of 0.1.0 do not say.
    text.append(f"  {algorithm}{trials['run']:,} trials, seed {summary['seed']}", style="not bold")
    if trials["censored"]:
        text.append(f", {trials['censored']:,} censored (unfinished at the end)", style="not bold yellow")
    faults = summary.get("faults")
    if faults and faults["never_struck"]:
        times = f"{faults['never_struck']:,} times, in {faults['trials']:,} trials"
        text.append(f"\nfaults that were not injected: {times}", style="not bold yellow")
    stopped_by = summary.get("stopped_by") or ("interrupted" if summary.get("interrupted") else None)
    if precision := summary.get("precision"):
        text.append(f"\n{_precision(precision, trials['run'])}", style="not bold")
    if stopped_by and stopped_by not in ("precision", "trials"):
        text.append(f"\nstopped early: {stopped_by}; {trials['requested']:,} trials were asked for", style="bold red")
    return text


def _precision(precision: Summary, trials: int) -> str:
    """Whether the headline is known as well as was asked for."""
    asked, reached = precision["asked"], precision["reached"]
    name = f"{DURATIONS[precision['metric']]}, {precision['statistic']}"
    known = "not bounded yet" if reached is None else f"±{100 * reached:.1f} %"
    if reached is not None and reached <= asked:
        return f"{name}: {known} after {trials:,} trials (±{100 * asked:g} % was asked for)"
    return f"{name}: {known} after all {trials:,} trials, not ±{100 * asked:g} %; give more --trials"


def _durations(metrics: Summary, losses: bool) -> Table | None:
    """A row per duration, but for what others add up to: stabilisation after a loss, and downtime."""
    left_out = {"downtime", "stabilisation"} if losses else {"downtime"}
    if not metrics.get("failed_round", {}).get("count"):
        left_out |= {"winning_round"}  # Then it is the election, or nearly.
    names = [name for name in DURATIONS if name in metrics and name not in left_out]
    rows = [(name, metrics[name]) for name in names if metrics[name]["count"]]
    if not rows:
        return None
    table = _table("Durations after a loss" if losses else "Durations from a cold start")
    table.add_column("")
    table.add_column("n", justify="right")
    for name in (*_QUANTILES, "max"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, metric in rows:
        _add_duration(table, DURATIONS[name], metric)
    return table


def _add_duration(table: Table, name: str, metric: Summary) -> None:
    typical = _value(metric["median"])
    most = _value(metric["max"])
    unit, factor = _unit(next((value for value in (typical, most) if value is not None), 0.0))
    cells = [_stacked(*_quantile(metric[name], factor)) for name in _QUANTILES]
    censored = f"{metric['censored']:,} cens." if metric["censored"] else ""
    table.add_row(
        f"{name}, {unit}",
        _stacked(f"{metric['count']:,}", censored),
        *cells,
        Text("–" if most is None else _written(most, factor)(most)),
    )


def _quantile(statistic: Mapping[str, Any], factor: float) -> tuple[str, str]:
    value = _value(statistic)
    show = _written(next((known for known in (value, statistic["low"]) if known is not None), 1.0), factor)
    return "not reached" if value is None else show(value), interval(statistic["low"], statistic["high"], show)


def _stacked(first: str, second: str) -> Text:
    return Text(first).append(f"\n{second}" if second else "", style="dim")


def _elections(summary: Summary) -> Table:
    return _facts("Elections", _election_rows(summary))


def _facts(title: str, rows: Iterator[_Row]) -> Table:
    table = _table(title)
    table.add_column("")
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("")
    table.show_header = False
    for name, (value, spread), remark in rows:
        table.add_row(name, value, Text(spread, style="dim"), Text(remark, style="dim"))
    return table


_Row = tuple[str, tuple[str, str], str]


def _election_rows(summary: Summary) -> Iterator[_Row]:
    metrics, counts = summary["metrics"], summary["elections"]
    searches = sum(counts.get(cause, 0) for cause in _CAUSES)
    remarks = [f"{counts[cause]:,} {words}" for cause, words in _CAUSES.items() if counts.get(cause)]
    yield "searches for a leader", (f"{searches:,}", ""), ", ".join(remarks)
    if ends := [f"{counts[outcome]:,} {outcome}" for outcome in _OUTCOMES if counts.get(outcome)]:
        yield (
            "  without a new leader",
            (f"{sum(counts.get(outcome, 0) for outcome in _OUTCOMES):,}", ""),
            ", ".join(ends),
        )
    for cause, found in metrics.get("other_searches", {}).items():
        if _value(found["median"]) is not None:
            yield f"  {_CAUSES[cause]}, median", _mean_duration(found["median"]), f"{found['count']:,} to a leader"
    for key, name in (("rounds_per_election", "rounds per election"), ("term_inflation", "terms beyond one each")):
        if _value(metrics[key]["mean"]) is not None:
            yield name, _with_interval(metrics[key]["mean"], "{:.3f}".format), ""
    for key, name in (("split_votes", "split votes"), ("failed_rounds", "failed rounds")):
        if _value(metrics[key]["fraction"]) is not None:
            of = f"of {metrics[key]['rounds']:,} rounds" if "rounds" in metrics[key] else "of the rounds"
            yield name, _share(metrics[key]["fraction"]), f"{metrics[key]['count']:,} {of}"
            same = key == "failed_rounds" and metrics[key]["count"] == metrics["split_votes"]["count"]
            if metrics[key]["count"] and not same and "per_election" in metrics[key]:
                yield "  elections with any", _share(metrics[key]["per_election"]["fraction"]), ""
    if (changes := metrics.get("leader_changes", {})).get("count"):
        rate = changes["per_hour"]
        yield "leader changes per hour", _with_interval(rate, _written(rate["value"] or 0.0, 1.0)), ""
    if wrong := metrics.get("false_suspicions", {}).get("count"):
        yield "false suspicions", (f"{wrong:,}", ""), "of a leader that was fine"
    yield from _overlap_rows(metrics["leaders_overlap"])
    trials = summary["trials"]
    if never := trials.get("never_led", 0):
        yield "never a leader", (f"{never:,}", ""), f"of {trials['run']:,} trials"
    if never < trials["run"]:
        yield from _leaderless_rows(metrics)


def _overlap_rows(overlaps: Summary) -> Iterator[_Row]:
    """A row per kind of incident, so that none is mistaken for another."""
    found = [(kind, overlaps[kind]["count"]) for kind in _OVERLAPS if kind in overlaps and overlaps[kind]["count"]]
    if not found:
        yield "leaders overlap", ("0", ""), "never two leaders at once"
        return
    for kind, count in found:
        yield "leaders overlap", (f"{count:,}", ""), _OVERLAPS[kind]
    if trials := overlaps.get("trials"):
        yield "  trials with any", _share(trials["fraction"]), f"{overlaps['most_at_once']} leaders at once at most"
    if overlaps.get("effective"):
        yield "  both followed", (f"{overlaps['effective']:,}", ""), "by other nodes, at one instant"
    longest = _value(overlaps.get("max"))
    if longest is not None:
        yield "  longest", (_with_unit(longest), ""), f"{_with_unit(overlaps['total_s'])} in all"


def _leaderless_rows(metrics: Summary) -> Iterator[_Row]:
    disagreement = metrics.get("disagreement", {})
    if disagreement.get("total_s") and "mean" in disagreement:
        yield "disagreement on the leader", _mean_duration(disagreement["mean"]), "per trial"
    for key, name in (("leaderless", "leaderless"), ("quorum_leaderless", "no leader with a quorum")):
        without = metrics.get(key)
        if without is None or _value(without["mean"]) is None:
            continue
        if key != "leaderless" and without["total_s"] == metrics["leaderless"]["total_s"]:
            continue  # No leader was cut off: the same row again.
        typical = _value(without["mean"]) or 0.0
        unit, factor = _unit(typical)
        yield name, _with_interval(without["mean"], _written(typical, factor), f" {unit}"), "per trial"
        if _value(without["availability"]) is not None:
            yield "  availability", _share(without["availability"]), "from the first leader on"


def _detector(detector: Summary | None) -> Table | None:
    """What the failure detectors were worth, where there were any."""
    return _facts("Failure detectors, over all pairs of nodes", _detector_rows(detector)) if detector else None


def _detector_rows(detector: Summary) -> Iterator[_Row]:
    detection, mistakes = detector["detection"], detector["mistakes"]
    if detection["count"] or detection["undetected"]:
        remark = f"{detection['count']:,} detected"
        if detection["undetected"]:
            remark += f", {detection['undetected']:,} not"
        yield "mean detection time", _mean_duration(detection["mean"]), remark
    per_hour = {end: None if found is None else 3600 * found for end, found in mistakes["per_second"].items()}
    show = _written(per_hour["value"] or per_hour["high"] or 0.0, 1.0)
    yield "mistakes per hour", _with_interval(per_hour, show), f"{mistakes['count']:,} in all, per pair"
    if mistakes["count"]:
        yield "mean mistake", _mean_duration(detector["mistake_duration"]["mean"]), ""
        accuracy = detector["query_accuracy"]
        yield "query accuracy", _with_interval(accuracy, lambda share: f"{100 * share:.4f}", " %"), ""


def _mean_duration(statistic: Mapping[str, Any]) -> tuple[str, str]:
    typical = _value(statistic) or 0.0
    unit, factor = _unit(typical)
    return _with_interval(statistic, _written(typical, factor), f" {unit}")


def _traffic(metrics: Summary) -> Table | None:
    """Messages of each type that was sent, and the bytes of all: per election, and while nobody looks for a leader."""
    messages, size = metrics["messages"], metrics.get("bytes", {})
    sent = {name: total for name, total in messages["total"].items() if total}
    if not sent:
        return None
    table = _table(f"Messages sent ({sum(sent.values()):,} in all): by an election, and in steady state")
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
        value, spread = _with_interval(found, _written(_value(found) or 0.0, factor))
        cells += [value, Text(spread, style="dim")]
    table.add_row(name, *cells)


def _published(published: Summary | None, metrics: Summary) -> RenderableType | None:
    """Quantiles of a published experiment beside the simulated ones, and the distance of the two distributions."""
    if not published:
        return None
    name = DURATIONS.get(published["metric"], published["metric"])
    table = _table("Beside published figures")
    table.add_column(f"{name}, ms", no_wrap=True)
    for heading in ("published", "simulated"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in published["quantiles"]:
        if len(published["quantiles"]) <= len(_COMPARED) or row["p"] in _COMPARED:
            _add_compared(table, f"{100 * row['p']:g} %", row["published"], row["simulated"])
    if published.get("mean") is not None and _value(metrics[published["metric"]]["mean"]) is not None:
        _add_compared(table, "mean", published["mean"], metrics[published["metric"]]["mean"])
    told = [f"Published: {published['source']}"]
    if published.get("distance") is not None:
        told.append(f"Kolmogorov–Smirnov distance at the published quantiles: {published['distance']:.4f}")
    return Group(table, Text("\n".join(told), style="dim"))


def _measured(measured: Summary | None) -> RenderableType | None:
    """What a user has measured beside what was simulated, and what differs."""
    if not measured:
        return None
    table = _table(f"Beside {Path(measured['file']).name}, column {measured['column']}")
    table.add_column(f"{DURATIONS[measured['metric']]}, ms", no_wrap=True)
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
    table.add_row(name, _written(seconds, 1e3)(seconds), value, Text(spread, style="dim"))


def _liveness(liveness: Summary | None) -> Text | None:
    """How many trials met the demand that the cluster recovers, and how long it took them."""
    if not liveness:
        return None
    found = {name: liveness[name] for name in ("recovered", "failed", "undecided")}
    text = Text(f"Liveness: a majority follows a leader within {liveness['within_s']:g} s of the last fault\n")
    counts = ", ".join(f"{count:,} {name}" for name, count in found.items() if count or name != "undecided")
    text.append(f"trials    {counts}", style="bold red" if found["failed"] else "")
    text.append("; the trial ended first" if found["undecided"] else "", style="dim")
    median, most = _value(liveness["recovery"]["median"]), _value(liveness["recovery"]["max"])
    if median is not None and most is not None:
        text.append(f"\nrecovery  median {_with_unit(median)}, at most {_with_unit(most)}")
    return text


def _violations(violations: Mapping[str, int]) -> Text | None:
    """Liveness has lines of its own: it is a demand of the scenario, and no promise."""
    broken = _listed({name: count for name, count in violations.items() if name != "liveness"})
    return Text(f"Broken promises: {broken}", style="bold red") if broken else None


def _waived(waived: Mapping[str, int]) -> Text | None:
    broken = _listed(waived)
    return Text(f"Broken promises, waived by the scenario: {broken}", style="yellow") if broken else None


def _outside(assumptions: Mapping[str, int]) -> Text | None:
    """Where an algorithm's promises were not held against it."""
    broken = _listed(assumptions)
    return (
        Text(f"Outside the algorithm's assumptions, so its promises do not bind: {broken} (trials)") if broken else None
    )


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)


def _provenance(summary: Summary) -> RenderableType:
    legend = Text("[95 % interval]; ∞: too few values, or too many censored, to bound it.", style="dim")
    repeat = f"repeat  {summary['command']}\ndigest  {summary['digest']}"
    return Group(legend, Text(repeat, no_wrap=True, overflow="ignore"))  # To be copied, so never broken.
