"""What is counted in each trial of a run. Comparisons and the gate put amounts and exposures together from these."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from simulator.analysis.samples import primary_elections, primary_wins, rounds_have_terms
from simulator.analysis.tables import Tables

FloatArray = npt.NDArray[np.float64]
Count = Callable[[Tables], FloatArray]


def _sum_by_trial(values: pd.Series, elections: pd.DataFrame, trials: pd.DataFrame) -> FloatArray:
    """Sums of a value of some elections over each trial, shape (trials,); 0 in a trial without such an election."""
    sums = values.groupby(elections["trial"]).sum().reindex(trials["trial"], fill_value=0)
    return sums.to_numpy(dtype=np.float64)


def _messages(elections: pd.DataFrame) -> pd.Series:
    """How many messages of all types each election took."""
    return elections[[name for name in map(str, elections.columns) if name.startswith("sent_")]].sum(axis=1)


def _of_primary(column: str) -> Count:
    def count(tables: Tables) -> FloatArray:
        elections = primary_elections(tables.elections)
        return _sum_by_trial(elections[column], elections, tables.trials)

    return count


def _of_rounds(column: str) -> Count:
    """0 in each trial, so that a proportion of the rounds does not exist, if rounds have no terms."""

    def count(tables: Tables) -> FloatArray:
        found = _of_primary(column)(tables)
        terms = tables.only({"elections": ("outcome", "terms_spent"), "rounds": ("term",)})
        return found if rounds_have_terms(terms.elections, terms.rounds) else np.zeros_like(found)

    return count


def _elections_won(tables: Tables) -> FloatArray:
    won = primary_wins(tables.elections)
    return _sum_by_trial(pd.Series(1, index=won.index), won, tables.trials)


def _rounds_of_won(tables: Tables) -> FloatArray:
    won = primary_wins(tables.elections)
    return _sum_by_trial(won["rounds"], won, tables.trials)


def _messages_of_won(tables: Tables) -> FloatArray:
    won = primary_wins(tables.elections)
    return _sum_by_trial(_messages(won), won, tables.trials)


def _election_messages(tables: Tables) -> FloatArray:
    elections = primary_elections(tables.elections)
    return _sum_by_trial(_messages(elections), elections, tables.trials)


def _steady_messages(tables: Tables) -> FloatArray:
    """What was sent outside all elections, whatever their cause."""
    in_elections = _sum_by_trial(_messages(tables.elections), tables.elections, tables.trials)
    return tables.trials["sent_total"].to_numpy(dtype=np.float64) - in_elections


def _overlaps(tables: Tables) -> FloatArray:
    kinds = ["overlaps_same_term", "overlaps_stale_leader", "overlaps_no_term"]
    return tables.trials[kinds].sum(axis=1).to_numpy(dtype=np.float64)


def _led_us(tables: Tables) -> FloatArray:
    """The time with a leader, in microseconds: a cluster that finds a leader sooner sends more heartbeats."""
    led_s = (tables.trials["observed_s"] - tables.trials["leaderless_s"]).fillna(0)
    return (led_s * 1e6).round().to_numpy(dtype=np.float64)


def _column(name: str) -> Count:
    return lambda tables: tables.trials[name].to_numpy(dtype=np.float64)


# The gate's baselines keep some of these under their names, in this order.
COUNTS: Mapping[str, Count] = {
    "rounds": _of_rounds("rounds"),
    "failed_rounds": _of_rounds("failed_rounds"),
    "split_votes": _of_rounds("split_votes"),
    "election_messages": _election_messages,
    "searches": _column("elections"),
    "overlaps": _overlaps,
    "peace_messages": _steady_messages,
    "led_us": _led_us,
    "won": _elections_won,
    "won_rounds": _rounds_of_won,
    "won_messages": _messages_of_won,
    "trials": lambda tables: np.ones(len(tables.trials)),
    "overlapped": lambda tables: (_overlaps(tables) > 0).astype(np.float64),
    "leaderless_s": _column("leaderless_s"),
    "quorum_leaderless_s": _column("quorum_leaderless_s"),
    "disagreement_s": _column("disagreement_s"),
    "false_suspicions": _column("false_suspicions"),
    "observed_s": _column("observed_s"),
    "observed_h": lambda tables: tables.trials["observed_s"].to_numpy(dtype=np.float64) / 3600,
}


def count(name: str, tables: Tables) -> FloatArray:
    """A count in each trial, in order; shape (trials,).

    `name` is a key of COUNTS, or a column of the trials table. Raises KeyError if it is neither.
    """
    return COUNTS.get(name, _column(name))(tables)
