"""What the gate compares of a run: the headline values of each of its trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from simulator.analysis.samples import primary_cause, primary_elections, sample
from simulator.analysis.statistics.estimates import Sample
from simulator.experiment.runner import Result

_DIGEST_LENGTH = 8  # Enough to tell whether a trial went as before; the run's own digest is whole.

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Headlines:
    """The trials of one run, in order. Every count has the shape (trials,)."""

    digest: str  # Of the run.
    digests: Sequence[str]  # Of each trial, shortened.
    duration: str  # What `durations` are, in the words of docs/metrics.md.
    durations: Sample  # Any number a trial; seconds.
    counts: Mapping[str, IntArray]


def headlines(result: Result) -> Headlines:
    """The durations of failover, or of stabilisation where no leader is lost, and what is counted in each trial.

    Rounds and `election_messages` are those of the headline searches; `searches` (of any cause) and `overlaps` those of
    the whole trial. What is sent outside all searches (`peace_messages`) is counted beside the time with a
    leader (`led_us`, in microseconds): who finds a leader sooner sends more heartbeats.
    """
    duration = "failover" if primary_cause(result.elections) == "loss" else "stabilisation"
    return Headlines(
        digest=result.digest,
        digests=[digest[:_DIGEST_LENGTH] for digest in result.trials["digest"]],
        duration=duration,
        durations=sample(result.elections, duration),
        counts=_counts(result.trials, result.elections),
    )


def _counts(trials: pd.DataFrame, elections: pd.DataFrame) -> dict[str, IntArray]:
    sent = [column for column in elections.columns if str(column).startswith("sent_")]
    searches = elections.assign(messages=elections[sent].sum(axis=1))
    headline = _by_trial(primary_elections(searches), trials)
    overlaps = trials[["overlaps_same_term", "overlaps_stale_leader", "overlaps_no_term"]].sum(axis=1)
    led_s = (trials["observed_s"] - trials["leaderless_s"]).fillna(0)
    counts = {
        **{name: headline[name] for name in ("rounds", "failed_rounds", "split_votes")},
        "election_messages": headline["messages"],
        "searches": trials["elections"],
        "overlaps": overlaps,
        "peace_messages": trials["sent_total"].to_numpy() - _by_trial(searches, trials)["messages"],
        "led_us": (led_s * 1e6).round(),
    }
    return {name: column.to_numpy(dtype=np.int64) for name, column in counts.items()}


def _by_trial(searches: pd.DataFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """Sums of the searches of each trial; 0 where it has none."""
    counted = searches[["trial", "rounds", "failed_rounds", "split_votes", "messages"]]
    return counted.groupby("trial").sum().reindex(trials["trial"], fill_value=0)
