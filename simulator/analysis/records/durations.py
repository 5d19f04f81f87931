"""The durations of an election, each a sample of seconds with its censoring."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from simulator.analysis.estimates import Summary, summarize_durations
from simulator.analysis.measures import DurationQuantile
from simulator.analysis.records.record import GateFigure, Metric
from simulator.analysis.samples import (
    censored_sample,
    primary_cause,
    primary_elections,
    rounds_have_terms,
    uncensored,
)
from simulator.analysis.statistics.survival import Sample
from simulator.analysis.tables import Reads, RunTables

_WHICH = ("trial", "election", "cause", "outcome")  # The columns by which elections are selected.
# The columns from which the downtime of results of version 0.3.0 or earlier is computed.
_DOWNTIME_OF_OLD = ("failover_s", "announced_all_s", "announcing_until_s", "followed_until_s")
_COMPARED_QUANTILES = {"median": 0.5, "p99": 0.99}


def _failover(rows: pd.DataFrame) -> Sample:
    rows = rows[(rows["cause"] == "loss") & (rows["outcome"] != "recovered")]
    return censored_sample(rows, "failover_s", rows["followed_until_s"] - rows["start_s"])


def _detection(rows: pd.DataFrame) -> Sample:
    rows = rows[rows["outcome"] != "recovered"]
    return censored_sample(rows, "detection_s", rows["followed_until_s"] - rows["start_s"])


def _election(rows: pd.DataFrame) -> Sample:
    rows = rows[(rows["outcome"] != "recovered") & rows["suspected_s"].notna()]
    return censored_sample(rows, "election_s", rows["followed_until_s"] - rows["suspected_s"])


def _stabilisation(rows: pd.DataFrame) -> Sample:
    rows = rows[rows["outcome"] != "recovered"]  # A leader that comes back makes no new claim.
    return censored_sample(rows, "stabilisation_s", rows["stabilising_until_s"] - rows["start_s"])


def _downtime(rows: pd.DataFrame) -> Sample:
    """The time from a loss until all running nodes name the successor, or a later leader if the successor was lost
    before. The time is censored only if the trial ends first.
    """
    rows = rows[(rows["cause"] == "loss") & (rows["outcome"] != "recovered")]
    # This is a result of version 0.3.0 or earlier, in which the loss of a successor censored the downtime.
    if "all_know_s" not in rows:
        ended = rows["start_s"] + rows["failover_s"] + rows["announced_all_s"]
        until = rows["announcing_until_s"].fillna(rows["followed_until_s"])
    else:
        ended, until = rows["all_know_s"], rows["end_s"]
    return censored_sample(rows.assign(downtime_s=ended - rows["start_s"]), "downtime_s", until - rows["start_s"])


def _winning_round(rows: pd.DataFrame) -> Sample:
    """Only elections that were won in a round have one."""
    return uncensored(rows[(rows["outcome"] == "elected") & rows["winning_round_s"].notna()], "winning_round_s")


def failed_rounds(elections: pd.DataFrame, rounds: pd.DataFrame) -> Sample:
    """The duration of each failed round of these elections: from its first candidacy to the first candidacy of the next
    round, or to the claim.
    """
    failed = rounds[rounds["outcome"].isin(("failed", "split"))]
    failed = failed.merge(elections[["trial", "election"]], on=["trial", "election"])
    return uncensored(failed.assign(lasted_s=failed["end_s"] - failed["start_s"]), "lasted_s")


def transfers(rows: pd.DataFrame) -> Sample:
    """From the instant at which a leader begins to hand over to another node's claim."""
    rows = rows[(rows["cause"] == "transfer") & rows["outcome"].isin(("elected", "censored"))]
    return censored_sample(rows, "transfer_s", rows["followed_until_s"] - rows["start_s"])


def _announcement(column: str) -> Callable[[pd.DataFrame], Sample]:
    def select(rows: pd.DataFrame) -> Sample:
        rows = rows[rows["outcome"] == "elected"]
        return censored_sample(rows, column, rows["announcing_until_s"] - rows["claimed_s"])

    return select


def _time_to_claim(rows: pd.DataFrame) -> Sample:
    """From the start of an election to the claim that ended it."""
    rows = rows[rows["outcome"].isin(("elected", "censored"))]
    timed = rows.assign(search_s=rows["claimed_s"] - rows["start_s"])
    return censored_sample(timed, "search_s", rows["followed_until_s"] - rows["start_s"])


def _elections(*columns: str) -> Reads:
    return {"elections": (*_WHICH, *columns)}


def _duration(
    key: str,
    label: str,
    select: Callable[[pd.DataFrame], Sample],
    definition: str | None,
    *,
    columns: tuple[str, ...],
    compared: bool = False,
    part_of: str | None = None,
) -> Metric:
    """The record of a duration among the primary elections: quantiles, mean and maximum, compared by quantiles."""
    quantiles = _COMPARED_QUANTILES if compared else {}
    return Metric(
        key=key,
        label=label,
        unit="s",
        definition=definition,
        summarize=lambda tables: summarize_durations(select(primary_elections(tables.elections))),
        reads=_elections(*columns),
        sample=select,
        part_of=part_of,
        measures={
            f"{key}.{name}": DurationQuantile(f"{label}, {name}", key, select, p) for name, p in quantiles.items()
        },
    )


def _summarize_failed_rounds(tables: RunTables) -> Summary | None:
    """None for an algorithm whose rounds have no terms."""
    if not rounds_have_terms(tables.elections, tables.rounds):
        return None
    return summarize_durations(failed_rounds(primary_elections(tables.elections), tables.rounds))


def _summarize_other_elections(tables: RunTables) -> Summary:
    """For each cause that is not the primary one, the time from the start of an election to its claim."""
    causes = [cause for cause in ("boot", "loss", "spurious") if cause != primary_cause(tables.elections)]
    elections = tables.elections
    return {cause: summarize_durations(_time_to_claim(elections[elections["cause"] == cause])) for cause in causes}


DURATIONS = (
    _duration(
        "failover",
        "failover",
        _failover,
        "From a loss until another node claims: detection + election. If the lost leader comes back first (resumed, "
        "healed or elected again), the outcome is `recovered`: it is counted, and kept out of failover, which is of "
        "those that failed over.",
        columns=("failover_s", "followed_until_s", "start_s"),
        compared=True,
    ),
    _duration(
        "detection",
        "detection",
        _detection,
        "From the loss until the first suspicion by a surviving node. A pre-vote is a suspicion; so is a candidacy "
        "without one. It is zero if a node already suspected this leader, wrongly, when it was lost.",
        columns=("detection_s", "followed_until_s", "start_s"),
        compared=True,
    ),
    _duration(
        "election",
        "election",
        _election,
        "From that first suspicion until a node claims. It spans every failed round between.",
        columns=("election_s", "followed_until_s", "suspected_s"),
        compared=True,
    ),
    Metric(
        key="failed_round",
        label="each failed round",
        unit="s",
        part_of="election",
        definition="From the first candidacy of a round that failed until the next round begins, or until the claim. "
        "Left out where failed rounds are.",
        summarize=_summarize_failed_rounds,
        reads={
            "elections": (*_WHICH, "terms_spent"),
            "rounds": ("trial", "election", "outcome", "start_s", "end_s", "term"),
        },
        left_out_if_none=True,
    ),
    _duration(
        "winning_round",
        "the winning round",
        _winning_round,
        "From the beginning of the round in which the winner campaigned to the claim; the whole election if the "
        "winner did not campaign. An election consists of the time before its first round (pre-votes), of earlier "
        "rounds, and of the winning round.",
        columns=("winning_round_s",),
        part_of="election",
    ),
    _duration(
        "stabilisation",
        "stabilisation",
        _stabilisation,
        "From the start, or a loss, until the beginning of the first claim that then lasts: for `stable_after`, by "
        "default 16 heartbeat intervals.",
        columns=("stabilisation_s", "stabilising_until_s", "start_s"),
        compared=True,
    ),
    _duration(
        "announcement_majority",
        "announced to a majority",
        _announcement("announced_majority_s"),
        "From the claim until a majority of the running nodes name that leader.",
        columns=("announced_majority_s", "announcing_until_s", "claimed_s"),
    ),
    _duration(
        "announcement_all",
        "announced to all",
        _announcement("announced_all_s"),
        "From the claim until all running nodes name that leader.",
        columns=("announced_all_s", "announcing_until_s", "claimed_s"),
    ),
    _duration(
        "downtime",
        "downtime",
        _downtime,
        "From a loss until all running nodes name the successor: failover + announcement to all. If the successor "
        "leads no more by then: until all name a later leader.",
        columns=("all_know_s", "end_s", "start_s", *_DOWNTIME_OF_OLD),
        compared=True,
    ),
    Metric(
        key="transfer",
        label="transfer",
        unit="s",
        definition="From the instant at which a leader begins to hand over, and serves no more, until another node "
        "claims.",
        summarize=lambda tables: summarize_durations(transfers(tables.elections)),
        reads=_elections("transfer_s", "followed_until_s", "start_s"),
    ),
)

OTHER_ELECTIONS = Metric(
    key="other_searches",
    label="other elections",
    unit="s",
    definition="For each cause that the primary statistics are not of: from the start of such an election to its "
    "claim.",
    summarize=_summarize_other_elections,
    reads=_elections("claimed_s", "followed_until_s", "start_s"),
    gate_figures=(GateFigure(label="elections, per trial", amount="searches"),),
)
