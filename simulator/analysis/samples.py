"""Durations, with their censoring, from the tables of a run; and which searches the headline is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from simulator.analysis.statistics.estimates import Sample
from simulator.scenario.schema import Published


def primary_cause(elections: pd.DataFrame) -> str:
    """Which searches the headline statistics are of."""
    return "loss" if (elections["cause"] == "loss").any() else "boot"


def primary_elections(elections: pd.DataFrame) -> pd.DataFrame:
    """The searches that the headline statistics are of."""
    return elections[elections["cause"] == primary_cause(elections)]


def primary_metric(elections: pd.DataFrame, published: Published | None) -> str:
    """What the published figures are of; otherwise failover, or stabilisation where nothing was lost."""
    if published is not None:
        return published.metric
    return "failover" if primary_cause(elections) == "loss" else "stabilisation"


# --- Samples


def censored_sample(rows: pd.DataFrame, duration: str, until: pd.Series) -> Sample:
    """Durations; where one is missing it is censored at the time for which it was looked for."""
    values = rows[duration].to_numpy(dtype=float)
    censored = np.isnan(values)
    values = np.where(censored, until.to_numpy(dtype=float), values)
    return Sample(values, censored, rows["trial"].to_numpy(dtype=np.int64))


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
    """From a loss until everybody has heard of the successor."""
    rows = rows[(rows["cause"] == "loss") & (rows["outcome"] != "recovered")]
    told = rows.assign(downtime_s=rows["failover_s"] + rows["announced_all_s"])
    until = rows["announcing_until_s"].fillna(rows["followed_until_s"])
    return censored_sample(told, "downtime_s", until - rows["start_s"])


def _winning_round(rows: pd.DataFrame) -> Sample:
    """Of the elections that were won in a round: the others have none."""
    return plain(rows[(rows["outcome"] == "elected") & rows["winning_round_s"].notna()], "winning_round_s")


def failed_rounds(searches: pd.DataFrame, rounds: pd.DataFrame) -> Sample:
    """From the first candidacy of each failed round of these searches to the next round's, or the claim."""
    failed = rounds[rounds["outcome"].isin(("failed", "split"))]
    failed = failed.merge(searches[["trial", "election"]], on=["trial", "election"])
    return plain(failed.assign(lasted_s=failed["end_s"] - failed["start_s"]), "lasted_s")


def transfers(rows: pd.DataFrame) -> Sample:
    """From the wish to hand over to another's claim."""
    rows = rows[(rows["cause"] == "transfer") & rows["outcome"].isin(("elected", "censored"))]
    return censored_sample(rows, "transfer_s", rows["followed_until_s"] - rows["start_s"])


def _announcement(column: str) -> Callable[[pd.DataFrame], Sample]:
    def select(rows: pd.DataFrame) -> Sample:
        rows = rows[rows["outcome"] == "elected"]
        return censored_sample(rows, column, rows["announcing_until_s"] - rows["claimed_s"])

    return select


SAMPLES: Mapping[str, Callable[[pd.DataFrame], Sample]] = {
    "failover": _failover,
    "detection": _detection,
    "election": _election,
    "winning_round": _winning_round,
    "stabilisation": _stabilisation,
    "announcement_majority": _announcement("announced_majority_s"),
    "announcement_all": _announcement("announced_all_s"),
    "downtime": _downtime,
}


def sample(elections: pd.DataFrame, name: str) -> Sample:
    """The durations of one metric (a key of SAMPLES) over the headline searches, in seconds, with their censoring."""
    return SAMPLES[name](primary_elections(elections))


def plain(rows: pd.DataFrame, column: str, less: float = 0) -> Sample:
    """A column as it is, less a constant; nothing of it censored."""
    values = rows[column].to_numpy(dtype=float) - less
    return Sample(values, np.zeros(len(values), dtype=bool), rows["trial"].to_numpy(dtype=np.int64))


def searches(rows: pd.DataFrame) -> Sample:
    """From the start of a search to the claim that ended it."""
    rows = rows[rows["outcome"].isin(("elected", "censored"))]
    told = rows.assign(search_s=rows["claimed_s"] - rows["start_s"])
    return censored_sample(told, "search_s", rows["followed_until_s"] - rows["start_s"])
