"""Ten thousand mutated scenario files (issue 6): "an error line or a run, never a traceback and never a hang"."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from tests.scenario.mutants import outcome_of
from tests.scenario.test_fuzz import mutated_trees
from tests.verify.record import Comparison, Record

MUTANTS = 10_000

pytestmark = pytest.mark.verify


def test_mutated_scenarios_run_or_are_refused(record: Record) -> None:
    became: Counter[str] = Counter()

    @settings(max_examples=MUTANTS)
    @given(mutated_trees())
    def mutate(tree: Any) -> None:
        became["broke"] += 1  # Until it is known to have ended well.
        became[outcome_of(yaml.safe_dump(tree, allow_unicode=True))] += 1
        became["broke"] -= 1

    mutate()
    counts = ", ".join(f"{count:,} {what}" for what, count in sorted(became.items()) if what != "broke")
    tried, broke = sum(became.values()), became["broke"]
    print(f"{tried:,} mutated scenarios: {counts}", flush=True)
    record.found.append(
        Comparison(
            f"mutated scenarios of {tried:,} that end in a traceback, or hang",
            "issue 6",
            "0",
            str(broke),
            counts,
            "",
            broke == 0,
        )
    )
    assert tried >= MUTANTS
    assert became["ran"] > MUTANTS / 100  # That mutants also run, and not all are refused.
    assert became["refused"] > MUTANTS / 20
