"""Which elections the primary statistics are of, and how columns of a table become samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simulator.analysis.statistics.estimates import Sample

if TYPE_CHECKING:
    from simulator.scenario.published import Published


def primary_cause(elections: pd.DataFrame) -> str:
    """The cause of the elections that the primary statistics are of: `loss`, or `boot` if no leader was lost."""
    return "loss" if (elections["cause"] == "loss").any() else "boot"


def primary_elections(elections: pd.DataFrame) -> pd.DataFrame:
    """The elections from which the primary statistics are computed."""
    return elections[elections["cause"] == primary_cause(elections)]


def primary_wins(elections: pd.DataFrame) -> pd.DataFrame:
    """The primary elections that a node other than the lost leader won."""
    primary = primary_elections(elections)
    return primary[primary["outcome"] == "elected"]


def primary_metric(elections: pd.DataFrame, published: Published | None) -> str:
    """The metric of the published figures; without any, failover, or stabilisation if no leader was lost."""
    if published is not None:
        return published.metric
    return "failover" if primary_cause(elections) == "loss" else "stabilisation"


def rounds_have_terms(elections: pd.DataFrame, rounds: pd.DataFrame) -> bool:
    """Whether each round of these elections has a term of its own, so that it can be said to have failed.

    Without terms, and if a term is no round, a claim ends the candidacies of all nodes at once.
    """
    elected = elections[elections["outcome"] == "elected"]
    if elected.empty:
        return bool((rounds["term"] > 0).any())
    return bool(elected["terms_spent"].notna().any())


# --- Samples


def censored_sample(rows: pd.DataFrame, duration: str, until: pd.Series) -> Sample:
    """A column of durations in seconds. A missing duration is censored: it was followed until the time in `until`."""
    values = rows[duration].to_numpy(dtype=float)
    censored = np.isnan(values)
    values = np.where(censored, until.to_numpy(dtype=float), values)
    return Sample(values, censored, rows["trial"].to_numpy(dtype=np.int64))


def uncensored(rows: pd.DataFrame, column: str, less: float = 0) -> Sample:
    """The values of a column minus a constant, as a sample without censoring."""
    values = rows[column].to_numpy(dtype=float) - less
    return Sample(values, np.zeros(len(values), dtype=bool), rows["trial"].to_numpy(dtype=np.int64))
