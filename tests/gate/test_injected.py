"""Each regression that is made on purpose is caught, on the scenarios and by the baselines that we ship (issue 6)."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from simulator.gate.baseline import baseline_file, read
from simulator.gate.reports import table
from simulator.gate.verdicts import Finding, Outcome, Verdict, judge
from tests.gate.injected import INJECTED
from tests.support.scenarios import ROOT

# The table that docs/gate.md shows.
(SHOWN,) = re.findall(r"```text\n(.*?)```", (ROOT / "docs" / "gate.md").read_text(encoding="utf-8"), re.DOTALL)


FAST = "a vote lost once in a hundred"  # The others run three times as many trials.


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == FAST else pytest.mark.verify) for name in INJECTED]
)
def test_it_is_caught_by_the_figures_that_must_show_it(name: str) -> None:
    injected = INJECTED[name]
    baseline = read(baseline_file(ROOT / "results" / "baselines", f"ci-{injected.scenario}"))
    verdict = judge(f"ci-{injected.scenario}", baseline, injected.run())
    assert verdict.outcome is Outcome.REGRESSED
    assert injected.shown_by <= {found.name for found in verdict.figures if found.finding is Finding.REGRESSION}
    if name == "one more round trip":
        assert _shape(printed(verdict)) == _shape(SHOWN)


def _shape(text: str) -> list[str]:
    """The words of each line, without the numbers and the reason, which change with each baseline that is accepted, and
    without the lines that name libraries of other versions than the baseline's: an environment may hold others.
    """
    changing = re.compile(r"accepted because: |\w+ was \S+, and is \S+$")
    lines = [line for line in text.splitlines() if not changing.match(line)]
    return [" ".join(re.findall(r"[A-Za-z]{2,}", line)) for line in lines]


def printed(verdict: Verdict) -> str:
    """As the command prints it, less the spaces at the ends of lines."""
    file = io.StringIO()
    Console(width=100, highlight=False, file=file).print(table([verdict]), crop=False)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())
