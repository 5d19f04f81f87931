"""A comparison of variants (`comparison.json`, docs/compare.md) as one table for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.analysis.comparison import LARGEST_FAMILY
from simulator.analysis.records.registry import DURATION_LABELS
from simulator.report.tables.numbers import interval

Summary = Mapping[str, Any]
_HEADINGS = ("value", "difference", "ratio")
_REFERENCE = "reference"
_LONGEST_WORD = 20  # Characters that the first column has, in a table of 80.


def comparison_table(comparison: Summary, *, tests: bool = False) -> RenderableType:
    """A block for each metric, a row for each variant. `tests` adds tests of whole distributions."""
    labels = _labels([variant["name"] for variant in comparison["variants"]])
    parts: list[RenderableType] = [_title(comparison)]
    parts += [Text(f"{label}  {name}") for name, label in labels.items() if label != name]
    parts.append(_measures(comparison, labels))
    if nothing := _never(comparison):
        parts.append(Text(f"0 in every trial of all variants: {', '.join(nothing)}", style="dim"))
    if tests and any(comparison["tests"].values()):
        parts.append(_tests(comparison["tests"], labels))
    parts.append(Text("\n".join(_remarks(comparison)), style="dim"))
    return Group(*(line for part in parts for line in (part, "")))


def _labels(names: Sequence[str]) -> Mapping[str, str]:
    """What the table calls each variant: its name, or `#1`, `#2`, … if a word in a name is too long for 80 columns."""
    if all(len(word) <= _LONGEST_WORD for name in names for word in name.split()):
        return {name: name for name in names}
    return {name: f"#{number}" for number, name in enumerate(names, start=1)}


def _title(comparison: Summary) -> Text:
    text = Text(comparison["scenario"], style="bold")
    variants = comparison["variants"]
    trials = {variant["trials"]["run"] for variant in variants}
    each = " to ".join(f"{count:,}" for count in sorted({min(trials, default=0), max(trials, default=0)}))
    text.append(f"  {len(variants)} variants, {each} trials each, seed {comparison['seed']}", style="not bold")
    if comparison["stopped_by"]:
        text.append(f"\nstopped early: {comparison['stopped_by']}", style="bold red")
    cut_short = comparison.get("unfinished") or ()
    for variant in [cut_short] if isinstance(cut_short, Mapping) else cut_short:  # One, before studies.
        requested = variant["trials"]["requested"]  # None for a variant that was not begun.
        count = f"{variant['trials']['run']:,}{'' if requested is None else f' of {requested:,}'} trials"
        text.append(f"\nnot compared: {variant['name']}, of which {count} are in {variant['directory']}")
    for variant in comparison.get("skipped", ()):
        text.append(f"\nskipped: {variant['name']}: {variant['reason']}", style="not bold")
    for variant in variants:
        if failed := variant["trials"].get("failed"):
            count = f"{failed:,} of {variant['trials']['requested']:,} trials failed; pairs with them are left out"
            text.append(f"\n{variant['name']}: {count}", style="not bold red")
        if variant["trials"]["censored"]:
            count = f"{variant['trials']['censored']:,} of {variant['trials']['run']:,} trials censored"
            text.append(f"\n{variant['name']}: {count}", style="not bold yellow")
    return text


# --- Measures


def _measures(comparison: Summary, labels: Mapping[str, str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("")
    for heading in _HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", min_width=len(_REFERENCE))
    shown = [metric for metric in comparison["metrics"].values() if not _all_zero(metric)]
    for metric in shown:
        scale = _Scale.of(metric)
        name = f"{metric['label']}{', ' + scale.unit if scale.unit else ''}"
        table.add_row(Text(name, style="bold"))
        for row in metric["variants"]:
            table.add_row(*_cells(metric, row, labels[row["name"]], scale, comparison["equivalent"]))
        table.add_section() if metric is not shown[-1] else None
    return table


class _Scale:
    """How the numbers of one metric are written: seconds in a suitable unit, proportions as percentages."""

    def __init__(self, unit: str, factor: float, digits: int) -> None:
        self.unit, self.factor, self.digits = unit, factor, digits

    @classmethod
    def of(cls, metric: Summary) -> _Scale:
        """A unit and a number of digits that suit the values of a metric."""
        values = [row["value"] for row in metric["variants"] if row["value"]]
        typical = min(values, default=0.0)
        unit, factor = metric["unit"], 1.0
        if unit == "s" and typical < 10:
            unit, factor = "ms", 1e3
        elif unit == "%":
            factor = 100.0
        scaled = typical * factor
        digits = next((digits for digits, bound in enumerate((100, 10, 1, 0.1)) if scaled >= bound), 4)
        return cls(unit, factor, digits if scaled else 2)

    def number(self, value: float) -> str:
        """A value in the table's unit."""
        return f"{value * self.factor:,.{self.digits}f}"

    def change(self, value: float) -> str:
        """A difference in the table's unit, with its sign."""
        return f"{value * self.factor:+,.{self.digits}f}"


def _cells(metric: Summary, row: Summary, label: str, scale: _Scale, margin: float | None) -> list[Text]:
    winner = row["name"] == metric["winner"]
    name = Text(f"  {label}", style="bold green" if winner else "")
    if row["low"] is row["high"] is row["value"] is None:
        return [name, Text("no data", style="dim")]
    high = 1.0 if row["high"] is None and scale.unit == "%" else row["high"]
    value = _stacked(_written(row["value"], scale.number, "not reached"), interval(row["low"], high, scale.number))
    if row["against"] is None:
        return [name, value, Text(), Text(), Text(_mark(metric, row), style="bold green" if winner else "dim")]
    difference, ratio = row["difference"], row["ratio"]
    return [
        name,
        value,
        _stacked(_written(difference["value"], scale.change, "–"), _spread(difference, scale.change)),
        _stacked(_written(ratio["value"], _ratio, "–"), _spread(ratio, _ratio)),
        Text(_verdict(row, margin), style="bold" if row["verdict"] else ""),
    ]


def _stacked(value: str, spread: str) -> Text:
    return Text(value).append(f"\n{spread}", style="dim")


def _mark(metric: Summary, row: Summary) -> str:
    if row["name"] == metric["winner"]:
        return "best"
    return _REFERENCE if any(other["against"] == row["name"] for other in metric["variants"]) else ""


def _verdict(row: Summary, margin: float | None) -> str:
    words = [row["verdict"]] if row["verdict"] else []
    if row["equivalent"]:
        words.append(f"equal ±{100 * (margin or 0):g} %")
    return ", ".join(words)


def _written(value: float | None, show: Callable[[float], str], missing: str) -> str:
    return missing if value is None else show(value)


def _spread(statistic: Summary, show: Callable[[float], str]) -> str:
    if statistic["high"] is None and not statistic["low"]:
        return "[unbounded]"
    low = "(-∞" if statistic["low"] is None else f"[{show(statistic['low'])}"
    return f"{low} – {'∞)' if statistic['high'] is None else show(statistic['high']) + ']'}"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def _all_zero(metric: Summary) -> bool:
    return all(row["value"] in (0, None) for row in metric["variants"]) and any(
        row["value"] == 0 for row in metric["variants"]
    )


def _never(comparison: Summary) -> list[str]:
    return [metric["label"].partition(",")[0] for metric in comparison["metrics"].values() if _all_zero(metric)]


# --- Tests, and what the table means


def _tests(tests: Summary, labels: Mapping[str, str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, title="Whole distributions", title_style="bold")
    table.title_justify = "left"
    for heading in ("", "beside", "KS distance", "p", "longer", "p"):
        names = heading in ("", "beside")
        table.add_column(heading, justify="left" if names else "right", no_wrap=not names)
    for duration, rows in tests.items():
        table.add_row(Text(DURATION_LABELS[duration], style="bold"))
        for row in rows:
            distance, ranks = row["kolmogorov_smirnov"], row["mann_whitney"]
            table.add_row(
                f"  {labels[row['name']]}",
                labels[row["against"]],
                f"{distance['distance']:.3f}",
                _p(distance["p_corrected"]),
                f"{100 * ranks['chance_longer']:.1f} %",
                _p(ranks["p_corrected"]),
            )
    return table


def _p(value: float) -> str:
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"


def _changed(variant: Summary) -> list[str]:
    """The fields that were changed in a variant, and that the scenario's published figures hold for."""
    return list(variant.get("published_left_out", {}).get("changed", []))


def _remarks(comparison: Summary) -> Iterator[str]:
    held = comparison["reference"]
    against = "the best" if held is None else ", ".join(f"{field}={value}" for field, value in held.items())
    yield (
        f"Each beside {against}, trial by trial with the same random numbers. [95 % intervals]; better and worse only "
        f"where the interval excludes 0 after Holm's correction for {comparison['family']} comparisons."
    )
    if comparison["family"] > LARGEST_FAMILY:
        yield (
            f"Beyond {LARGEST_FAMILY} comparisons a bootstrap tells nothing apart: name a --reference or fewer metrics."
        )
    if comparison["equivalent"] is not None:
        factor = f"{1 + comparison['equivalent']:g}"
        yield f"Equal: to within a factor of {factor}, by two one-sided tests at 5 % each; these are not corrected."
    if changed := {name for variant in comparison["variants"] for name in _changed(variant)}:
        yield f"The scenario's published figures hold without a change of {', '.join(sorted(changed))}: left out there."
    yield f"electsim {comparison['version']}: {comparison['command']}"
