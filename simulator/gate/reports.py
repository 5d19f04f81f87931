"""Verdicts in four formats: a table, Markdown for a step summary, JUnit for a CI, and JSON."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.gate.verdicts import Figure, Finding, Outcome, Verdict
from simulator.printable import printable

_HEADINGS = ("before", "after", "after / before", "p")
_STYLES: Mapping[str, str] = {
    Outcome.IDENTICAL: "green",
    Outcome.PASSED: "green",
    Outcome.IMPROVED: "bold green",
    Outcome.REGRESSED: "bold red",
    Outcome.BROKEN: "bold red",
    Finding.REGRESSION: "bold red",
    Finding.IMPROVEMENT: "bold green",
    Finding.SAME: "dim",
    Finding.TOO_FEW: "yellow",
}
_SMALLEST_SHOWN = 1e-9  # Below this p value, the exact number tells a reader nothing more.
_LEGEND = "[95 % interval]. p: exact tests of the pairs of trials, by Holm's method for the figures of a scenario."


def passes(verdicts: Sequence[Verdict]) -> bool:
    """Whether nothing has got worse."""
    return not any(verdict.outcome.fails for verdict in verdicts)


# --- For people


def one_line(verdict: Verdict) -> str:
    """The verdict in one line."""
    if verdict.outcome is Outcome.BROKEN:
        return "; ".join(verdict.broken)
    if verdict.outcome is Outcome.IDENTICAL:
        return f"all {verdict.trials:,} trials went as before, event by event"
    changed = f"{verdict.changed:,} of {verdict.trials:,} trials went otherwise than before"
    found = [
        f"{finding}: " + " · ".join(figure.name for figure in verdict.figures if figure.finding is finding)
        for finding in (Finding.REGRESSION, Finding.IMPROVEMENT, Finding.TOO_FEW)
        if any(figure.finding is finding for figure in verdict.figures)
    ]
    return "; ".join([changed, *(found or ["no figure changed beyond chance and tolerance"])])


def notes(verdict: Verdict) -> Iterator[str]:
    """Lines to print beside the figures: the reason of the baseline, the limits, and remarks."""
    yield f"accepted because: {verdict.reason}"
    if verdict.figures:
        yield f"tolerance {100 * verdict.tolerance:g} %, α = {verdict.alpha:g}"
    yield from verdict.remarks


def cells(figure: Figure) -> tuple[str, str, str, str]:
    """Before, after, their ratio with its interval, and p."""
    scale = {"s": 1e3, "%": 100.0}.get(figure.unit, 1.0)
    digits = _digits([scale * value for value in (figure.before, figure.after)])
    low, high = (_number(end, 3) for end in figure.ratio[1:])
    ratio = "–" if math.isnan(figure.ratio.value) else f"{_number(figure.ratio.value, 3)} [{low} – {high}]"
    return (
        _number(scale * figure.before, digits),
        _number(scale * figure.after, digits),
        ratio,
        _chance(figure.p),
    )


def _chance(p: float) -> str:
    if math.isnan(p):
        return "–"
    return f"{p:.2g}" if p >= _SMALLEST_SHOWN else f"< {_SMALLEST_SHOWN:g}"


def label(figure: Figure) -> str:
    """The figure's name, with its unit."""
    unit = {"s": "ms", "%": "%"}.get(figure.unit)
    return f"{figure.name}, {unit}" if unit else figure.name


def _digits(values: Sequence[float]) -> int:
    """The number of decimals with which the smaller of two numbers has four significant digits."""
    known = [abs(value) for value in values if math.isfinite(value) and value]
    return 0 if not known else max(0, 3 - math.floor(math.log10(min(known))))


def _number(value: float, digits: int) -> str:
    if math.isnan(value):
        return "–"
    return "∞" if math.isinf(value) else f"{value:,.{digits}f}"


def table(verdicts: Sequence[Verdict]) -> RenderableType:
    """For a terminal, in at most 100 columns."""
    parts: list[RenderableType] = []
    for verdict in verdicts:
        line = Text(verdict.scenario, style="bold").append("  ").append(verdict.outcome, _STYLES[verdict.outcome])
        parts += [line, Text(one_line(verdict))]
        if verdict.figures:
            parts.append(_figures(verdict.figures))
        parts += [Text(note, style="dim") for note in notes(verdict)]
        parts.append("")
    if any(verdict.figures for verdict in verdicts):
        parts.append(Text(_LEGEND, style="dim"))
    return Group(*parts)


def _figures(figures: Sequence[Figure]) -> Table:
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    shown.add_column("")
    for heading in _HEADINGS:
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("")
    for figure in figures:
        shown.add_row(label(figure), *cells(figure), Text(figure.finding, style=_STYLES[figure.finding]))
    return shown


def markdown(verdicts: Sequence[Verdict]) -> str:
    """A section for a summary page: one line for each scenario, and a table for each that changed."""
    passed = "passed" if passes(verdicts) else "failed"
    lines = [f"## Election timing: {passed}", "", "| scenario | outcome | |", "|---|---|---|"]
    lines += [f"| {_escaped(v.scenario)} | {v.outcome} | {_escaped(one_line(v))} |" for v in verdicts]
    for verdict in (verdict for verdict in verdicts if verdict.figures):
        lines += [
            "",
            f"### {_escaped(verdict.scenario)}",
            "",
            f"| | {' | '.join(_HEADINGS)} | |",
            "|---|--:|--:|--:|--:|---|",
        ]
        lines += [
            f"| {' | '.join((_escaped(label(figure)), *cells(figure), _marked(figure)))} |"
            for figure in verdict.figures
        ]
        lines += ["", _escaped("; ".join(notes(verdict))) + "."]
    if any(verdict.figures for verdict in verdicts):
        lines += ["", _LEGEND]
    return "\n".join(lines) + "\n"


def _marked(figure: Figure) -> str:
    return f"**{figure.finding}**" if figure.finding is not Finding.SAME else str(figure.finding)


def _escaped(text: str) -> str:
    """The text as Markdown that shows it as it is: no table cell, link, code or HTML begins in it."""
    marks = re.sub(r"[\\`*_\[\]~|]", r"\\\g<0>", html.escape(printable(text), quote=False))
    return " ".join(marks.split())


# --- For programs


def as_json(verdicts: Sequence[Verdict], version: str) -> dict[str, Any]:
    """Plain values, documented in docs/gate.md; what is not finite is null."""
    return {
        "version": version,
        "passed": passes(verdicts),
        "scenarios": [
            {
                "scenario": verdict.scenario,
                "outcome": str(verdict.outcome),
                "headline": one_line(verdict),
                "reason": verdict.reason,
                "tolerance": verdict.tolerance,
                "alpha": verdict.alpha,
                "trials": {"run": verdict.trials, "changed": verdict.changed},
                "figures": [_plain(figure) for figure in verdict.figures],
                "broken": list(verdict.broken),
                "remarks": list(verdict.remarks),
            }
            for verdict in verdicts
        ],
    }


def _plain(figure: Figure) -> dict[str, Any]:
    ratio = {name: _finite(value) for name, value in figure.ratio._asdict().items()}
    numbers = {name: _finite(getattr(figure, name)) for name in ("before", "after", "p")}
    return {"name": figure.name, "unit": figure.unit, **numbers, "ratio": ratio, "finding": str(figure.finding)}


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def junit(verdicts: Sequence[Verdict]) -> str:
    """A JUnit suite for each scenario, with a case for its trials as a whole, and one for each compared figure."""
    root = ElementTree.Element("testsuites", name="electsim gate")
    for verdict in verdicts:
        cases = [_case(verdict.scenario, "trials", one_line(verdict) if verdict.outcome is Outcome.BROKEN else None)]
        cases += [_figure_case(verdict.scenario, figure) for figure in verdict.figures]
        failures = str(sum(case.find("failure") is not None for case in cases))
        skipped = str(sum(case.find("skipped") is not None for case in cases))
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=_xml(verdict.scenario),
            tests=str(len(cases)),
            failures=failures,
            errors="0",
            skipped=skipped,
        )
        suite.extend(cases)
    return _document(root)


def junit_of_errors(errors: Sequence[tuple[str, str]]) -> str:
    """A suite with one erroneous case for each pair (file, message): input that kept the gate from running."""
    root = ElementTree.Element("testsuites", name="electsim gate")
    for file, message in errors:
        suite = ElementTree.SubElement(root, "testsuite", name=_xml(file), tests="1", failures="0", errors="1")
        case = ElementTree.SubElement(suite, "testcase", classname="electsim.gate", name=_xml(file))
        ElementTree.SubElement(case, "error", message=_xml(message), type="bad input").text = _xml(message)
    return _document(root)


def _document(root: ElementTree.Element) -> str:
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _figure_case(scenario: str, figure: Figure) -> ElementTree.Element:
    case = _case(scenario, figure.name, _failure(figure))
    if figure.finding is Finding.TOO_FEW:
        ElementTree.SubElement(case, "skipped", message=str(Finding.TOO_FEW))
    return case


def _xml(text: str) -> str:
    """The text with U+FFFD in place of characters that no XML 1.0 document may hold (section 2.2 of the standard)."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def _case(scenario: str, name: str, failure: str | None) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=_xml(f"electsim.gate.{scenario}"), name=_xml(name))
    if failure is not None:
        ElementTree.SubElement(case, "failure", message=_xml(failure), type="regression").text = _xml(failure)
    return case


def _failure(figure: Figure) -> str | None:
    if figure.finding is not Finding.REGRESSION:
        return None
    before, after, ratio, p = cells(figure)
    return f"{label(figure)}: {before} before, {after} after, {ratio} times as much; p = {p}"
