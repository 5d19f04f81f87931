"""The rounds of elections: how many an election takes, and how many fail."""

from __future__ import annotations

import pandas as pd

from simulator.analysis.estimates import Summary, statistic
from simulator.analysis.measures import Fraction, Ratio
from simulator.analysis.records.record import GateFigure, Metric, TableRow
from simulator.analysis.samples import primary_elections, primary_wins, rounds_have_terms, uncensored
from simulator.analysis.statistics.estimates import Estimate, fraction_by_trial, mean
from simulator.analysis.tables import Reads, RunTables


def _rounds_per_election(tables: RunTables) -> Summary:
    return {"mean": statistic(mean(uncensored(primary_wins(tables.elections), "rounds")))}


def _term_inflation(tables: RunTables) -> Summary:
    won = primary_wins(tables.elections)
    return {"mean": statistic(mean(uncensored(won[won["terms_spent"].notna()], "terms_spent", less=1)))}


def _proportion_of_rounds(tables: RunTables, column: str) -> Summary | None:
    """The proportion of rounds of the primary elections, and of these elections with at least one such round.

    None for an algorithm whose rounds have no terms.
    """
    if not rounds_have_terms(tables.elections, tables.rounds):
        return None
    elections = primary_elections(tables.elections)
    by_trial = elections.groupby("trial")[[column, "rounds"]].sum()
    successes, totals = by_trial[column].to_numpy(), by_trial["rounds"].to_numpy()
    return {
        "count": int(successes.sum()),
        "rounds": int(totals.sum()),
        "fraction": statistic(fraction_by_trial(successes, totals)),
        "per_election": {"fraction": statistic(_of_elections(elections[elections["rounds"] > 0], column))},
    }


def _of_elections(elections: pd.DataFrame, column: str) -> Estimate:
    by_trial = (elections[column] > 0).groupby(elections["trial"]).agg(["sum", "count"])
    return fraction_by_trial(by_trial["sum"].to_numpy(), by_trial["count"].to_numpy())


def _elections(*columns: str) -> Reads:
    return {"elections": ("trial", "cause", "outcome", *columns)}


def _of_terms(column: str) -> Reads:
    return {**_elections(column, "rounds", "terms_spent"), "rounds": ("term",)}


ROUNDS = (
    Metric(
        key="rounds_per_election",
        label="rounds per election",
        unit="rounds",
        definition="How many rounds an election took that was won.",
        summarize=_rounds_per_election,
        reads=_elections("rounds"),
        measures={"rounds": Ratio("rounds per election", "won_rounds", "won")},
        rows=(TableRow(label="rounds per election", statistic="mean", shown_as="number"),),
    ),
    Metric(
        key="term_inflation",
        label="term inflation",
        unit="terms",
        definition="Terms spent, counted from the leader before, beyond one per election won. It does not exist for "
        "an algorithm without terms, nor if a term is no round: a group's number (Invitation), a znode's "
        "(ZooKeeper's recipe).",
        summarize=_term_inflation,
        reads=_elections("terms_spent"),
        rows=(TableRow(label="terms beyond one each", statistic="mean", shown_as="number"),),
    ),
    Metric(
        key="failed_rounds",
        label="failed rounds",
        unit="%",
        definition="Rounds that ended without a winner, whatever the cause: a count, the fraction of rounds, and the "
        "fraction of elections with any. Left out for an algorithm without terms, or whose terms are no rounds: there "
        "a claim ends all candidacies at once, so that no round could be seen to fail.",
        summarize=lambda tables: _proportion_of_rounds(tables, "failed_rounds"),
        left_out_if_none=True,
        reads=_of_terms("failed_rounds"),
        measures={"failed_rounds": Fraction("failed rounds, of the rounds", "failed_rounds", "rounds")},
        gate_figures=(GateFigure(label="failed rounds", amount="failed_rounds", exposure="rounds", unit="%"),),
    ),
    Metric(
        key="split_votes",
        label="split votes",
        unit="%",
        definition="Failed rounds in which two or more candidates campaigned: a count, the fraction of rounds, and the "
        "fraction of elections with any. Left out where failed rounds are.",
        summarize=lambda tables: _proportion_of_rounds(tables, "split_votes"),
        left_out_if_none=True,
        reads=_of_terms("split_votes"),
        measures={"split_votes": Fraction("split votes, of the rounds", "split_votes", "rounds")},
        gate_figures=(GateFigure(label="split votes", amount="split_votes", exposure="rounds", unit="%"),),
    ),
)
