"""The summary of a run: what `--json` prints and `summary.json` keeps. Its fields are documented in docs/results.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from simulator.checks.liveness import Verdict
from simulator.cluster.distributions import durations as drawn
from simulator.experiment.estimates import statistic
from simulator.experiment.traffic import traffic
from simulator.metrics.leadership import OverlapKind
from simulator.metrics.statistics import NO_DATA, Estimate, Sample, fraction_by_trial, mean, quantiles, rate, ratio
from simulator.metrics.survival import ecdf
from simulator.protocol import SECOND
from simulator.randomness import Streams
from simulator.scenario.schema import Published

Summary = dict[str, Any]
QUANTILES = {"median": 0.5, "p95": 0.95, "p99": 0.99}


def metrics(trials: pd.DataFrame, elections: pd.DataFrame) -> Summary:
    """Every statistic, over the searches of the headline cause: losses, or the boot where nothing was lost."""
    headline = headline_elections(elections)
    elected = headline[headline["outcome"] == "elected"]
    in_terms = elected[elected["terms_spent"].notna()]
    return {
        "headline_cause": headline_cause(elections),
        **{name: durations(sample(elections, name)) for name in SAMPLES},
        "transfer": durations(transfers(elections)),
        "rounds_per_election": {"mean": statistic(mean(_plain(elected, "rounds")))},
        "split_votes": _fraction_of_rounds(headline, "split_votes"),
        "failed_rounds": _fraction_of_rounds(headline, "failed_rounds"),
        "term_inflation": {"mean": statistic(mean(_plain(in_terms, "terms_spent", less=1)))},
        "leaders_overlap": _overlaps(trials),
        "leaderless": _time_share(trials, "leaderless_s"),
        "quorum_leaderless": _time_share(trials, "quorum_leaderless_s"),
        "false_suspicions": _false_suspicions(trials),
        "detector": _detector(trials),
        "disagreement": {"total_s": float(trials["disagreement_s"].sum())},
        "steady_state": {"total_s": float(trials["steady_s"].sum())},
        "messages": traffic(trials, elected, "sent"),
        "bytes": traffic(trials, elected, "bytes"),
    }


def headline_cause(elections: pd.DataFrame) -> str:
    """Which searches the headline statistics are of."""
    return "loss" if (elections["cause"] == "loss").any() else "boot"


def headline_elections(elections: pd.DataFrame) -> pd.DataFrame:
    """The searches that the headline statistics are of."""
    return elections[elections["cause"] == headline_cause(elections)]


def headline_metric(elections: pd.DataFrame, published: Published | None) -> str:
    """What the published figures are of; otherwise failover, or stabilisation where nothing was lost."""
    if published is not None:
        return published.metric
    return "failover" if headline_cause(elections) == "loss" else "stabilisation"


def faults(trials: pd.DataFrame) -> Summary:
    """How many faults of the schedule were left out, or still waited at the end, and in how many trials."""
    never_struck = trials["faults_never_struck"]
    return {"never_struck": int(never_struck.sum()), "trials": int((never_struck > 0).sum())}


def censored_trials(elections: pd.DataFrame) -> int:
    """How many trials ended with an election of the headline cause unfinished."""
    rows = headline_elections(elections)
    return int(rows.loc[rows["outcome"] == "censored", "trial"].nunique())


def assumptions_broken(trials: pd.DataFrame) -> dict[str, int]:
    """In how many trials the algorithm's assumptions did not hold, by assumption: there, its promises do not bind."""
    named = (name for names in trials["assumptions_broken"] for name in names.split(", ") if name)
    return dict(sorted(Counter(named).items()))


def never_led(elections: pd.DataFrame) -> int:
    """How many trials ended without any leader."""
    return int(((elections["cause"] == "boot") & (elections["outcome"] == "censored")).sum())


# --- Samples: durations with their censoring


def _censored_sample(rows: pd.DataFrame, duration: str, until: pd.Series) -> Sample:
    """Durations; where one is missing it is censored at the time for which it was looked for."""
    values = rows[duration].to_numpy(dtype=float)
    censored = np.isnan(values)
    values = np.where(censored, until.to_numpy(dtype=float), values)
    return Sample(values, censored, rows["trial"].to_numpy(dtype=np.int64))


def _failover(rows: pd.DataFrame) -> Sample:
    rows = rows[(rows["cause"] == "loss") & (rows["outcome"] != "recovered")]
    return _censored_sample(rows, "failover_s", rows["followed_until_s"] - rows["start_s"])


def _detection(rows: pd.DataFrame) -> Sample:
    rows = rows[rows["outcome"] != "recovered"]
    return _censored_sample(rows, "detection_s", rows["followed_until_s"] - rows["start_s"])


def _election(rows: pd.DataFrame) -> Sample:
    rows = rows[(rows["outcome"] != "recovered") & rows["suspected_s"].notna()]
    return _censored_sample(rows, "election_s", rows["followed_until_s"] - rows["suspected_s"])


def _stabilisation(rows: pd.DataFrame) -> Sample:
    rows = rows[rows["outcome"] != "recovered"]  # A leader that comes back makes no new claim.
    return _censored_sample(rows, "stabilisation_s", rows["stabilising_until_s"] - rows["start_s"])


def _downtime(rows: pd.DataFrame) -> Sample:
    """From a loss until everybody has heard of the successor."""
    rows = rows[(rows["cause"] == "loss") & (rows["outcome"] != "recovered")]
    told = rows.assign(downtime_s=rows["failover_s"] + rows["announced_all_s"])
    until = rows["announcing_until_s"].fillna(rows["followed_until_s"])
    return _censored_sample(told, "downtime_s", until - rows["start_s"])


def transfers(rows: pd.DataFrame) -> Sample:
    """From the wish to hand over to another's claim."""
    rows = rows[(rows["cause"] == "transfer") & rows["outcome"].isin(("elected", "censored"))]
    return _censored_sample(rows, "transfer_s", rows["followed_until_s"] - rows["start_s"])


def _announcement(column: str) -> Callable[[pd.DataFrame], Sample]:
    def select(rows: pd.DataFrame) -> Sample:
        rows = rows[rows["outcome"] == "elected"]
        return _censored_sample(rows, column, rows["announcing_until_s"] - rows["claimed_s"])

    return select


SAMPLES: Mapping[str, Callable[[pd.DataFrame], Sample]] = {
    "failover": _failover,
    "detection": _detection,
    "election": _election,
    "stabilisation": _stabilisation,
    "announcement_majority": _announcement("announced_majority_s"),
    "announcement_all": _announcement("announced_all_s"),
    "downtime": _downtime,
}


def sample(elections: pd.DataFrame, name: str) -> Sample:
    """The durations of one metric (a key of SAMPLES) over the headline searches, in seconds, with their censoring."""
    return SAMPLES[name](headline_elections(elections))


def _plain(rows: pd.DataFrame, column: str, less: float = 0) -> Sample:
    values = rows[column].to_numpy(dtype=float) - less
    return Sample(values, np.zeros(len(values), dtype=bool), rows["trial"].to_numpy(dtype=np.int64))


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
    }


def _overlaps(trials: pd.DataFrame) -> Summary:
    kinds = {kind: {"count": int(trials[f"overlaps_{kind}"].sum())} for kind in map(str, OverlapKind)}
    return kinds | {
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
        "mean": statistic(mean(_plain(trials, column))),
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


# --- Beside published figures


def counted_as_published(elections: pd.DataFrame, published: Published, seed: int) -> Sample:
    """The durations of the published metric, each counted from where the published ones were, by its own luck."""
    found = sample(elections, published.metric)
    if published.counted_from is None:
        return found
    offsets = drawn(published.counted_from.value(), Streams(seed, 0), "counted from")
    values = found.values - np.fromiter(offsets, dtype=float, count=found.values.size) / SECOND
    return Sample(np.maximum(values, 0), found.censored, found.trials)


def beside_published(elections: pd.DataFrame, published: Published, seed: int) -> Summary:
    """The published quantiles beside the simulated ones, and the largest distance between the two distributions.

    The distance is |F(q_p) - p| over the published quantiles q_p, F being the simulated distribution: a
    Kolmogorov-Smirnov distance, looked at where something is published.
    """
    found = counted_as_published(elections, published, seed)
    ps = [p for p, _ in published.quantiles]
    values = [value_ns / SECOND for _, value_ns in published.quantiles]
    simulated = quantiles(found, ps)
    return {
        "metric": published.metric,
        "source": published.source,
        "distance": _distance(found, ps, values),
        "quantiles": [
            {"p": p, "published": value, "simulated": statistic(estimate)}
            for p, value, estimate in zip(ps, values, simulated, strict=True)
        ],
        "mean": None if published.mean is None else published.mean / SECOND,
    }


def _distance(found: Sample, ps: Sequence[float], values: Sequence[float]) -> float | None:
    if not ps or not found.values.size:
        return None
    curve = ecdf(found)
    reached = np.concatenate(([0.0], curve.probabilities))[np.searchsorted(curve.times, values, side="right")]
    return float(np.abs(reached - np.asarray(ps)).max())
