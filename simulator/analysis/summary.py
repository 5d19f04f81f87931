"""The summary of a run: what `--json` prints and `summary.json` keeps. Its fields are documented in docs/results.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd

from simulator.analysis.estimates import Summary, statistic
from simulator.analysis.samples import (
    SAMPLES,
    failed_rounds,
    plain,
    primary_cause,
    primary_elections,
    sample,
    searches,
    transfers,
)
from simulator.analysis.statistics.estimates import (
    NO_DATA,
    Estimate,
    Sample,
    fraction,
    fraction_by_trial,
    mean,
    quantiles,
    rate,
    ratio,
)
from simulator.analysis.tables import RunTables
from simulator.analysis.traffic import traffic
from simulator.checks.liveness import Verdict
from simulator.metrics.leadership import OverlapKind
from simulator.protocol import SECOND

QUANTILES = {"median": 0.5, "p95": 0.95, "p99": 0.99}


def metrics(tables: RunTables) -> Summary:
    """Every statistic of a run: over the elections after losses, or those at boot if no leader was lost."""
    trials, elections, rounds, overlaps = tables.trials, tables.elections, tables.rounds, tables.overlaps
    primary = primary_elections(elections)
    elected = primary[primary["outcome"] == "elected"]
    in_terms = elected[elected["terms_spent"].notna()]
    return {
        "headline_cause": primary_cause(elections),
        **{name: durations(sample(elections, name)) for name in SAMPLES},
        "failed_round": durations(failed_rounds(primary, rounds)),
        "transfer": durations(transfers(elections)),
        "other_searches": _othersearches(elections),
        "rounds_per_election": {"mean": statistic(mean(plain(elected, "rounds")))},
        "split_votes": _fraction_of_rounds(primary, "split_votes"),
        "failed_rounds": _fraction_of_rounds(primary, "failed_rounds"),
        "leader_changes": _per_hour(trials, "leader_changes"),
        "term_inflation": {"mean": statistic(mean(plain(in_terms, "terms_spent", less=1)))},
        "leaders_overlap": _overlaps(trials, overlaps),
        "leaderless": _time_share(trials, "leaderless_s"),
        "quorum_leaderless": _time_share(trials, "quorum_leaderless_s"),
        "false_suspicions": _false_suspicions(trials),
        "detector": _detector(trials),
        "disagreement": _disagreement(trials),
        "steady_state": {"total_s": float(trials["steady_s"].sum())},
        "messages": traffic(trials, elected, "sent"),
        "bytes": traffic(trials, elected, "bytes"),
    }


def faults(trials: pd.DataFrame) -> Summary:
    """How many faults of the schedule were left out, or still waited at the end, and in how many trials."""
    never_struck = trials["faults_never_struck"]
    return {"never_struck": int(never_struck.sum()), "trials": int((never_struck > 0).sum())}


def censored_trials(elections: pd.DataFrame) -> int:
    """How many trials ended with an election of the headline cause unfinished."""
    rows = primary_elections(elections)
    return int(rows.loc[rows["outcome"] == "censored", "trial"].nunique())


def assumptions_broken(trials: pd.DataFrame) -> dict[str, int]:
    """In how many trials the algorithm's assumptions did not hold, by assumption: there, its promises do not bind."""
    named = (name for names in trials["assumptions_broken"] for name in names.split(", ") if name)
    return dict(sorted(Counter(named).items()))


def never_led(elections: pd.DataFrame) -> int:
    """How many trials ended without any leader."""
    return int(((elections["cause"] == "boot") & (elections["outcome"] == "censored")).sum())


# --- Statistics, ready for JSON


def durations(found: Sample) -> Summary:
    """Count, censored, quantiles, mean and maximum of a sample of durations, in seconds."""
    seen = found.values[~found.censored]
    return {
        "count": len(found.values),
        "censored": int(found.censored.sum()),
        **dict(zip(QUANTILES, map(statistic, quantiles(found, list(QUANTILES.values()))), strict=True)),
        "mean": statistic(mean(found)),
        "max": {"value": float(seen.max()) if len(seen) else None},
    }


def _fraction_of_rounds(rows: pd.DataFrame, column: str) -> Summary:
    by_trial = rows.groupby("trial")[[column, "rounds"]].sum()
    hits, totals = by_trial[column].to_numpy(), by_trial["rounds"].to_numpy()
    return {
        "count": int(hits.sum()),
        "rounds": int(totals.sum()),
        "fraction": statistic(fraction_by_trial(hits, totals)),
        "per_election": {"fraction": statistic(_of_elections(rows[rows["rounds"] > 0], column))},
    }


def _of_elections(rows: pd.DataFrame, column: str) -> Estimate:
    """In what share of the elections there was any."""
    by_trial = (rows[column] > 0).groupby(rows["trial"]).agg(["sum", "count"])
    return fraction_by_trial(by_trial["sum"].to_numpy(), by_trial["count"].to_numpy())


def _othersearches(elections: pd.DataFrame) -> Summary:
    """The time from the start of a search to the claim that ended it, for each cause that is not the headline's."""
    primary = primary_cause(elections)
    causes = [cause for cause in ("boot", "loss", "spurious") if cause != primary]
    return {cause: durations(searches(elections[elections["cause"] == cause])) for cause in causes}


def _per_hour(trials: pd.DataFrame, column: str) -> Summary:
    """How many there were, and how many in an hour from the first leader on: faults make them, so not by Poisson."""
    hours = trials["observed_s"] / 3600
    return {"count": int(trials[column].sum()), "per_hour": statistic(ratio(trials[column], hours))}


def _disagreement(trials: pd.DataFrame) -> Summary:
    """Time in which two nodes named different leaders: in all, per trial, and as a share of the observed time."""
    spent = trials["disagreement_s"]
    return {
        "total_s": float(spent.sum()),
        "mean": statistic(mean(plain(trials, "disagreement_s"))),
        "share": statistic(ratio(spent, trials["observed_s"])),
    }


def _overlaps(trials: pd.DataFrame, overlaps: pd.DataFrame) -> Summary:
    """Incidents by kind, how many trials had one, and how long they lasted; one that the end cut short is censored."""
    kinds = {kind: {"count": int(trials[f"overlaps_{kind}"].sum())} for kind in map(str, OverlapKind)}
    with_one = int(overlaps["trial"].nunique())
    lasted = (overlaps["end_s"] - overlaps["start_s"]).to_numpy(dtype=float)
    per_trial = overlaps.groupby("trial").size().reindex(trials["trial"], fill_value=0)
    ends = trials.set_index("trial")["end_s"].loc[overlaps["trial"]].to_numpy(dtype=float)
    found = Sample.of(lasted, overlaps["end_s"].to_numpy(dtype=float) >= ends, overlaps["trial"])
    return kinds | {
        "trials": {"count": with_one, "fraction": statistic(fraction(with_one, len(trials)))},
        "per_hour": statistic(ratio(per_trial, trials["observed_s"] / 3600)),
        "duration": durations(found),
        "most_at_once": int(overlaps["most_at_once"].max()) if len(overlaps) else 0,
        "effective": int(trials["overlaps_effective"].sum()),
        "total_s": float(trials["overlap_s"].sum()),
        "max": {"value": float(trials["overlap_longest_s"].max())},
    }


def _false_suspicions(trials: pd.DataFrame) -> Summary:
    """Suspicions of a leader that was fine, and how many there were in a second of leadership."""
    count, observed = int(trials["false_suspicions"].sum()), float(trials["observed_s"].sum())
    return {"count": count, "per_second": statistic(rate(count, observed))}


def _detector(trials: pd.DataFrame) -> Summary | None:
    """The quality of service of the failure detectors, over all pairs of nodes; None where nobody has one.

    The mean detection time is unknown where a crash was left undetected.
    """
    watched, mistaken = trials["watched_s"], trials["mistaken_s"]
    if not watched.sum():
        return None
    mistakes, undetected = int(trials["mistakes"].sum()), int(trials["crashes_undetected"].sum())
    share = ratio(mistaken, watched)
    detection = NO_DATA if undetected else ratio(trials["detecting_s"], trials["crashes_detected"])
    return {
        "watched_s": float(watched.sum()),
        "detection": {
            "count": int(trials["crashes_detected"].sum()),
            "undetected": undetected,
            "mean": statistic(detection),
            "max": {"value": float(trials["detecting_longest_s"].max())},
        },
        "mistakes": {"count": mistakes, "per_second": statistic(rate(mistakes, float(watched.sum())))},
        "mistake_duration": {"mean": statistic(ratio(mistaken, trials["mistakes"]))},
        "query_accuracy": statistic(Estimate(1 - share.value, 1 - share.high, 1 - share.low)),
    }


def _time_share(trials: pd.DataFrame, column: str) -> Summary:
    """Time without a leader: per trial, in all, and as availability."""
    spent, observed = trials[column].to_numpy(dtype=float), trials["observed_s"].to_numpy(dtype=float)
    share = ratio(spent, observed)
    return {
        "mean": statistic(mean(plain(trials, column))),
        "total_s": float(spent.sum()),
        "availability": statistic(Estimate(1 - share.value, 1 - share.high, 1 - share.low)),
    }


def counts(elections: pd.DataFrame) -> Mapping[str, int]:
    """Searches by cause, and those of any cause by how they ended."""
    causes = {cause: int((elections["cause"] == cause).sum()) for cause in ("boot", "loss", "transfer", "spurious")}
    ended = ("elected", "recovered", "withdrawn", "censored")
    return causes | {outcome: int((elections["outcome"] == outcome).sum()) for outcome in ended}


def liveness(trials: pd.DataFrame, within_ns: int) -> Summary:
    """Trials by what they say of the demand, and the time from the last fault to a leader whom a majority follows."""
    values = trials["recovery_s"].to_numpy(dtype=float)
    censored = np.isnan(values)
    until = (trials["end_s"] - trials["last_fault_s"]).to_numpy(dtype=float)
    found = Sample(np.where(censored, until, values), censored, trials["trial"].to_numpy(dtype=np.int64))
    verdicts = {str(verdict): int((trials["liveness"] == verdict).sum()) for verdict in Verdict}
    return {"within_s": within_ns / SECOND, **verdicts, "recovery": durations(found)}
