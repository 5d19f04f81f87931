"""What the gate compares of a run: the primary values of each of its trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.analysis.records.counts import COUNTS, count
from simulator.analysis.records.registry import GATE_FIGURES, sample
from simulator.analysis.samples import primary_cause
from simulator.analysis.statistics.estimates import Sample
from simulator.experiment.runner import Result

_DIGEST_LENGTH = 8  # So many digits show whether a trial went as before. The digest of the run is not shortened.

# The counts of each trial, in the order in which a baseline keeps them.
_NAMED = {name for figure in GATE_FIGURES for name in (figure.amount, figure.exposure)}
COUNTED: Sequence[str] = tuple(name for name in COUNTS if name in _NAMED)

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class TrialFigures:
    """The trials of one run, in order. Every count has the shape (trials,)."""

    digest: str  # The digest of the run.
    digests: Sequence[str]  # The digest of each trial, shortened.
    duration: str  # The metric that `durations` holds, by its name in docs/metrics.md.
    durations: Sample  # In seconds. A trial may have any number of durations.
    counts: Mapping[str, IntArray]


def trial_figures(result: Result) -> TrialFigures:
    """The durations of failover, or of stabilisation where no leader is lost, and what is counted in each trial.

    Rounds and `election_messages` are those of the primary elections; `searches` (of any cause) and `overlaps` those of
    the whole trial. What is sent outside all elections (`peace_messages`) is counted beside the time with a
    leader (`led_us`, in microseconds): a cluster that finds a leader sooner sends more heartbeats.
    """
    duration = "failover" if primary_cause(result.elections) == "loss" else "stabilisation"
    return TrialFigures(
        digest=result.digest,
        digests=[digest[:_DIGEST_LENGTH] for digest in result.trials["digest"]],
        duration=duration,
        durations=sample(result.elections, duration),
        counts={name: count(name, result.tables).astype(np.int64) for name in COUNTED},
    )
