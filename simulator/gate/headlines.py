"""What the gate compares of a run: the headline values of each of its trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from simulator.experiment.runner import Result
from simulator.experiment.summary import headline_cause, headline_elections, sample
from simulator.metrics.statistics import Sample

_DIGEST_LENGTH = 12  # Enough to tell whether a trial went as before; the run's own digest is whole.

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

    Rounds and `election_messages` are those of the headline searches, `messages` and `overlaps` those of the whole
    trial.
    """
    duration = "failover" if headline_cause(result.elections) == "loss" else "stabilisation"
    return Headlines(
        digest=result.digest,
        digests=[digest[:_DIGEST_LENGTH] for digest in result.trials["digest"]],
        duration=duration,
        durations=sample(result.elections, duration),
        counts=_counts(result.trials, headline_elections(result.elections)),
    )


def _counts(trials: pd.DataFrame, searches: pd.DataFrame) -> dict[str, IntArray]:
    rounds = ["rounds", "failed_rounds", "split_votes"]
    sent = [column for column in searches.columns if column.startswith("sent_")]
    searched = searches[rounds].assign(election_messages=searches[sent].sum(axis=1))
    by_trial = searched.groupby(searches["trial"]).sum().reindex(trials["trial"], fill_value=0)
    overlaps = trials[["overlaps_same_term", "overlaps_stale_leader", "overlaps_no_term"]].sum(axis=1)
    return {
        **{str(name): column.to_numpy(dtype=np.int64) for name, column in by_trial.items()},
        "overlaps": overlaps.to_numpy(dtype=np.int64),
        "messages": trials["sent_total"].to_numpy(dtype=np.int64),
    }
