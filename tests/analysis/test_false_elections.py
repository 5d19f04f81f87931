"""False elections: which elections count, and what their number says of the rate (issue 14, "The tuner")."""

from __future__ import annotations

from math import isclose, log

import pandas as pd
import pytest

from simulator.analysis.false_elections import MONTH_S, FalseElections, false_elections, time_to_show_s
from simulator.analysis.tables import RunTables


def tables(elections: list[tuple[str, str, int | None, float]], terms: dict[int, int]) -> RunTables:
    """One trial of 100 s: cause, outcome, winner and start of each election, and the terms of their rounds."""
    rows = [
        {"trial": 0, "election": number, "cause": cause, "outcome": outcome, "winner": winner, "start_s": start,
         "claimed_s": start + 1, "stabilisation_s": 1.0 if cause == "boot" else float("nan")}
        for number, (cause, outcome, winner, start) in enumerate(elections, start=1)
    ]  # fmt: skip
    rounds = [{"trial": 0, "election": election, "term": term} for election, term in terms.items()]
    return RunTables(
        trials=pd.DataFrame([{"trial": 0, "end_s": 100.0}]),
        elections=pd.DataFrame(rows).astype({"winner": "Int64"}),
        rounds=pd.DataFrame(rounds, columns=["trial", "election", "term"]),
        overlaps=pd.DataFrame(),
    )


BOOT = ("boot", "elected", 1, 0.0)


@pytest.mark.parametrize(
    ("election", "term", "count"),
    [
        (("spurious", "elected", 2, 50.0), 2, 1),  # Another node claims, in a higher term.
        (("spurious", "withdrawn", None, 50.0), 2, 1),  # The term rises, and nobody claims.
        (("spurious", "withdrawn", None, 50.0), None, 0),  # Pre-votes that are refused change nothing.
        (("spurious", "elected", 2, 50.0), None, 1),  # Another node claims, without terms.
        (("spurious", "elected", 1, 50.0), 0, 0),  # Without terms the leader claims again (Bully).
        (("spurious", "elected", 2, 0.5), 2, 0),  # The cluster has not settled since its start.
        (("loss", "elected", 2, 50.0), 2, 1),  # Without a fault, the leader itself has given up.
        (("transfer", "elected", 2, 50.0), 2, 0),  # It was asked for.
    ],
)
def test_which_elections_count(election: tuple[str, str, int | None, float], term: int | None, count: int) -> None:
    """ "An election with cause `spurious` in which another node claims or the term rises"."""
    found = false_elections(tables([BOOT, election], {1: 1} | ({} if term is None else {2: term})))
    assert (found.count, found.observed_s) == (count, 99.0)


def test_none_seen_is_the_rule_of_three() -> None:
    """Hanley and Lippman-Hand 1983: none in n means fewer than 3 / n, with a confidence of 95 %; -ln 0.05 = 2.996."""
    found = FalseElections(0, 0, 3 * MONTH_S).per_second()
    assert isclose(found.high * MONTH_S, -log(0.05) / 3)
    assert found[:2] == (0, 0)
    assert isclose(time_to_show_s(1 / MONTH_S), 2.9957 * MONTH_S, rel_tol=1e-4)


def test_the_exact_interval_of_poisson() -> None:
    """Garwood 1936: ten events have a mean between 4.795 and 18.390."""
    found = FalseElections(4, 1, 1.0) + FalseElections(6, 0, 1.0)
    estimate = found.per_second()
    assert isclose(2 * estimate.low, 4.795, abs_tol=1e-3)
    assert isclose(2 * estimate.high, 18.390, abs_tol=1e-3)
    assert found.lowest_rate(1) == pytest.approx(estimate.low)
    assert found.lowest_rate(4) < estimate.low  # Several looks need a wider interval each (Bonferroni).
    assert FalseElections(0, 0, 5.0).lowest_rate(4) == 0
