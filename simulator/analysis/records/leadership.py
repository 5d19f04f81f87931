"""Leadership over a trial: no leader, changes of leaders, and two leaders at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from simulator.analysis.estimates import Summary, statistic, summarize_durations
from simulator.analysis.measures import Fraction, Ratio
from simulator.analysis.records.record import GateFigure, Metric, TableRow, TrialReading
from simulator.analysis.samples import uncensored
from simulator.analysis.statistics.estimates import Estimate, Sample, fraction, mean, rate, ratio
from simulator.analysis.tables import RunTables
from simulator.metrics.detection import false_suspicions
from simulator.metrics.leadership import OverlapKind, leader_changes
from simulator.protocol import SECOND


def _leader_changes(tables: RunTables) -> Summary:
    """Faults make leaders change, so the interval of the rate is not that of a Poisson process."""
    trials = tables.trials
    hours = trials["observed_s"] / 3600
    return {
        "count": int(trials["leader_changes"].sum()),
        "per_hour": statistic(ratio(trials["leader_changes"], hours)),
    }


def _false_suspicions(tables: RunTables) -> Summary:
    count, observed_s = (tables.trials[name].sum() for name in ("false_suspicions", "observed_s"))
    return {"count": int(count), "per_second": statistic(rate(int(count), float(observed_s)))}


def _disagreement(tables: RunTables) -> Summary:
    trials = tables.trials
    return {
        "total_s": float(trials["disagreement_s"].sum()),
        "mean": statistic(mean(uncensored(trials, "disagreement_s"))),
        "share": statistic(ratio(trials["disagreement_s"], trials["observed_s"])),
    }


def _without_leader(tables: RunTables, column: str) -> Summary:
    """Time without a leader: the mean per trial, the total, and the availability that it leaves."""
    spent = tables.trials[column].to_numpy(dtype=float)
    observed = tables.trials["observed_s"].to_numpy(dtype=float)
    share = ratio(spent, observed)
    return {
        "mean": statistic(mean(uncensored(tables.trials, column))),
        "total_s": float(spent.sum()),
        "availability": statistic(Estimate(1 - share.value, 1 - share.high, 1 - share.low)),
    }


def _overlaps(tables: RunTables) -> Summary:
    """Incidents by kind, how many trials had one, and how long they lasted; one that the end cuts short is censored."""
    trials, overlaps = tables.trials, tables.overlaps
    kinds = {kind: {"count": int(trials[f"overlaps_{kind}"].sum())} for kind in map(str, OverlapKind)}
    with_one = int(overlaps["trial"].nunique())
    per_trial = overlaps.groupby("trial").size().reindex(trials["trial"], fill_value=0)
    return kinds | {
        "trials": {"count": with_one, "fraction": statistic(fraction(with_one, len(trials)))},
        "per_hour": statistic(ratio(per_trial, trials["observed_s"] / 3600)),
        "duration": summarize_durations(_overlap_durations(trials, overlaps)),
        "most_at_once": int(overlaps["most_at_once"].max()) if len(overlaps) else 0,
        "effective": int(trials["overlaps_effective"].sum()),
        "total_s": float(trials["overlap_s"].sum()),
        "max": {"value": float(trials["overlap_longest_s"].max())},
    }


def _overlap_durations(trials: pd.DataFrame, overlaps: pd.DataFrame) -> Sample:
    lasted = (overlaps["end_s"] - overlaps["start_s"]).to_numpy(dtype=float)
    ends = trials.set_index("trial")["end_s"].loc[overlaps["trial"]].to_numpy(dtype=float)
    return Sample.of(lasted, overlaps["end_s"].to_numpy(dtype=float) >= ends, overlaps["trial"])


def _overlap_columns() -> Mapping[str, Callable[[TrialReading], Any]]:
    def count(kind: OverlapKind) -> Callable[[TrialReading], int]:
        return lambda trial: sum(overlap.kind is kind for overlap in trial.leadership.overlaps)

    def lengths_ns(trial: TrialReading) -> list[int]:
        return [overlap.end_ns - overlap.start_ns for overlap in trial.leadership.overlaps]

    return {
        **{f"overlaps_{kind}": count(kind) for kind in OverlapKind},
        "overlaps_effective": lambda trial: sum(overlap.effective for overlap in trial.leadership.overlaps),
        "overlap_s": lambda trial: sum(lengths_ns(trial)) / SECOND,
        "overlap_longest_s": lambda trial: max(lengths_ns(trial), default=0) / SECOND,
    }


_AVAILABILITY = TableRow(
    label="  availability", statistic="availability", shown_as="percentage", remark="from the first leader on"
)

LEADERSHIP = (
    Metric(
        key="leader_changes",
        label="leader changes",
        unit="per hour",
        definition="Claims by another node than the one that claimed last; per hour from the first claim on.",
        columns={"leader_changes": lambda trial: leader_changes(trial.claims)},
        summarize=_leader_changes,
        reads={"trials": ("leader_changes", "observed_s")},
        rows=(TableRow(label="leader changes per hour", statistic="per_hour", shown_as="rate", only_if="count"),),
    ),
    Metric(
        key="false_suspicions",
        label="false suspicions",
        unit="per second",
        definition="How often a node suspects a leader (the note `suspected`) that is awake and reachable both ways "
        "from it; counted, and per second from the first claim on.",
        columns={"false_suspicions": lambda trial: false_suspicions(trial.trace)},
        summarize=_false_suspicions,
        reads={"trials": ("false_suspicions", "observed_s")},
        measures={"false_suspicions": Ratio("false suspicions per hour", "false_suspicions", "observed_h")},
        rows=(
            TableRow(
                label="false suspicions",
                statistic="count",
                shown_as="count",
                remark="of a leader that was fine",
                only_if="count",
            ),
        ),
    ),
    Metric(
        key="leaders_overlap",
        label="leaders overlap",
        unit="incidents",
        definition="A maximal interval with two or more simultaneous claims: a split-brain incident. `same_term` "
        "breaks election safety; `stale_leader`: the old leader has not heard yet; `no_term`: the algorithm has no "
        "terms. It is *effective* if, at one instant, two of the claimants were each named leader by some other "
        "running node.",
        columns=_overlap_columns(),
        summarize=_overlaps,
        reads={
            "trials": ("trial", "end_s", "observed_s", "overlaps_*", "overlap_s", "overlap_longest_s"),
            "overlaps": ("trial", "start_s", "end_s", "most_at_once"),
        },
        measures={"leaders_overlap": Fraction("leaders overlap, of the trials", "overlapped", "trials")},
        gate_figures=(GateFigure(label="leaders overlap, per trial", amount="overlaps"),),
    ),
    Metric(
        key="disagreement",
        label="disagreement",
        unit="s",
        definition="Total time in which two running nodes name different leaders: in all, per trial, and as a share "
        "of the time from the first claim on.",
        columns={"disagreement_s": lambda trial: trial.leadership.disagreement_ns / SECOND},
        summarize=_disagreement,
        reads={"trials": ("trial", "disagreement_s", "observed_s")},
        measures={"disagreement": Ratio("disagreement, of the time", "disagreement_s", "observed_s", "%")},
        rows=(
            TableRow(
                label="disagreement on the leader",
                statistic="mean",
                shown_as="duration",
                remark="per trial",
                only_if="total_s",
            ),
        ),
    ),
    Metric(
        key="leaderless",
        label="leaderless time",
        unit="s",
        definition="Total time, from the first claim on, in which no running, unpaused node claims to lead. "
        "Availability = 1 − leaderless / observed.",
        columns={
            "leaderless_s": lambda trial: trial.leadership.leaderless_ns / SECOND,
            "observed_s": lambda trial: trial.leadership.observed_ns / SECOND,
        },
        summarize=lambda tables: _without_leader(tables, "leaderless_s"),
        reads={"trials": ("trial", "leaderless_s", "observed_s")},
        measures={"leaderless": Ratio("leaderless, of the time", "leaderless_s", "observed_s", "%")},
        rows=(
            TableRow(label="leaderless", statistic="mean", shown_as="duration", remark="per trial"),
            _AVAILABILITY,
        ),
    ),
    Metric(
        key="quorum_leaderless",
        label="no leader with a quorum",
        unit="s",
        definition="The same with the stricter demand that the current leader is not lost: what a client of a "
        "quorum system sees.",
        columns={"quorum_leaderless_s": lambda trial: trial.leadership.quorum_leaderless_ns / SECOND},
        summarize=lambda tables: _without_leader(tables, "quorum_leaderless_s"),
        reads={"trials": ("trial", "quorum_leaderless_s", "observed_s")},
        measures={
            "quorum_leaderless": Ratio("no leader with a quorum, of the time", "quorum_leaderless_s", "observed_s", "%")
        },
        rows=(
            TableRow(label="no leader with a quorum", statistic="mean", shown_as="duration", remark="per trial"),
            _AVAILABILITY,
        ),
    ),
)
