"""Each regression that is made on purpose is caught, on the scenarios and by the baselines that we ship (issue 6)."""

from __future__ import annotations

import pytest

from simulator.gate.baseline import baseline_file, read
from simulator.gate.verdicts import Finding, Outcome, judge
from tests.gate.injected import INJECTED
from tests.scenario.examples import ROOT


@pytest.mark.parametrize("name", INJECTED)
def test_it_is_caught_by_the_figures_that_must_show_it(name: str) -> None:
    injected = INJECTED[name]
    baseline = read(baseline_file(ROOT / "results" / "baselines", f"ci-{injected.scenario}"))
    verdict = judge(injected.scenario, baseline, injected.run())
    assert verdict.outcome is Outcome.REGRESSED
    assert injected.shown_by <= {found.name for found in verdict.figures if found.finding is Finding.REGRESSION}
