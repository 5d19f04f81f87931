"""docs/gate.md is run: what a reader copies from it must work."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from simulator.gate.baseline import Baseline
from simulator.gate.trial_figures import COUNTED
from simulator.gate.verdicts import Outcome
from simulator.gate.workflows import WORKFLOWS
from tests.support.scenarios import ROOT

pytest_plugins = ["pytester"]

PAGE = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")


def test_the_tests_of_the_page_pass(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(block)
    pytester.runpytest_subprocess("-p", "simulator.pytest_plugin", "--strict-markers").assert_outcomes(passed=3)


def test_the_workflow_of_the_page_is_the_one_that_is_shipped() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert block == WORKFLOWS["gitlab"].read_text(encoding="utf-8")


def test_every_field_of_the_baseline_and_every_outcome_is_explained() -> None:
    for name in (*Baseline.model_fields, *COUNTED, *Outcome):
        assert f"`{name}`" in PAGE
    assert get_args(Baseline.model_fields["format"].annotation) == (1,)
    assert "| `format` | 1 |" in PAGE
