"""The summary of a run: what `--json` prints and `summary.json` keeps. Its fields are documented in docs/results.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd

from simulator.analysis.estimates import Summary, summarize_durations
from simulator.analysis.records.registry import METRICS
from simulator.analysis.samples import primary_cause, primary_elections
from simulator.analysis.statistics.survival import Sample
from simulator.analysis.tables import Tables
from simulator.checks.liveness import Verdict
from simulator.protocol import SECOND

# The columns that the functions below need.
OF_TRIALS = (
    "trial", "faults_never_struck", "faults_without_effect", "assumptions_broken",
    "liveness", "recovery_s", "end_s", "last_fault_s",
)  # fmt: skip
OF_ELECTIONS = ("trial", "cause", "outcome")


def metrics(tables: Tables) -> Summary:
    """Every statistic of a run: over the elections after losses, or those at boot if no leader was lost.

    One metric's columns are in memory at a time, if the tables are on disk.
    """
    primary = {"headline_cause": primary_cause(tables.only({"elections": ("cause",)}).elections)}
    found = ((metric, metric.summarize(tables.only(metric.reads))) for metric in METRICS)
    return primary | {metric.key: part for metric, part in found if part is not None or not metric.left_out_if_none}


def faults(trials: pd.DataFrame) -> Summary:
    """How many faults of the schedule were left out, or still waited at the end, and in how many trials.

    `without_effect`, if there are any: the faults that were injected and changed nothing, with the number of trials.
    """
    not_injected = trials["faults_never_struck"]
    found: Summary = {"never_struck": int(not_injected.sum()), "trials": int((not_injected > 0).sum())}
    if "faults_without_effect" in trials:  # Results of 0.3.0 do not say.
        named = (name for names in trials["faults_without_effect"] for name in names.split("; ") if name)
        if counted := sorted(Counter(named).items()):
            found["without_effect"] = dict(counted)
    return found


def censored_trials(elections: pd.DataFrame) -> int:
    """How many trials ended during a primary election."""
    rows = primary_elections(elections)
    return int(rows.loc[rows["outcome"] == "censored", "trial"].nunique())


def assumptions_broken(trials: pd.DataFrame) -> dict[str, int]:
    """The number of trials in which each assumption did not hold; the guarantees are not checked there."""
    named = (name for names in trials["assumptions_broken"] for name in names.split(", ") if name)
    return dict(sorted(Counter(named).items()))


def never_led(elections: pd.DataFrame) -> int:
    """How many trials ended without any leader."""
    return int(((elections["cause"] == "boot") & (elections["outcome"] == "censored")).sum())


def counts(elections: pd.DataFrame) -> Mapping[str, int]:
    """How many elections there were by cause, and by outcome."""
    causes = {cause: int((elections["cause"] == cause).sum()) for cause in ("boot", "loss", "transfer", "spurious")}
    ended = ("elected", "recovered", "withdrawn", "censored")
    return causes | {outcome: int((elections["outcome"] == outcome).sum()) for outcome in ended}


def liveness(trials: pd.DataFrame, within_ns: int, who: str) -> Summary:
    """Trials by verdict, and the time from the last fault until a leader is followed by those who must follow it."""
    values = trials["recovery_s"].to_numpy(dtype=float)
    censored = np.isnan(values)
    until = (trials["end_s"] - trials["last_fault_s"]).to_numpy(dtype=float)
    found = Sample(np.where(censored, until, values), censored, trials["trial"].to_numpy(dtype=np.int64))
    verdicts = {str(verdict): int((trials["liveness"] == verdict).sum()) for verdict in Verdict}
    return {"within_s": within_ns / SECOND, "who": who, **verdicts, "recovery": summarize_durations(found)}
