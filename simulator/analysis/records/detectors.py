"""The quality of service of failure detectors (Chen, Toueg and Aguilera 2002), over all pairs of nodes."""

from __future__ import annotations

from simulator.analysis.estimates import Summary, statistic
from simulator.analysis.records.record import Metric
from simulator.analysis.statistics.estimates import NO_DATA, Estimate, rate, ratio
from simulator.analysis.tables import RunTables
from simulator.protocol import SECOND


def _detector(tables: RunTables) -> Summary | None:
    """None if no node has a detector. The mean detection time is unknown if any crash was left undetected."""
    trials = tables.trials
    watched_s, mistaken_s = trials["watched_s"], trials["mistaken_s"]
    if not watched_s.sum():
        return None
    mistakes, undetected = int(trials["mistakes"].sum()), int(trials["crashes_undetected"].sum())
    share = ratio(mistaken_s, watched_s)
    detection = NO_DATA if undetected else ratio(trials["detecting_s"], trials["crashes_detected"])
    return {
        "watched_s": float(watched_s.sum()),
        "detection": {
            "count": int(trials["crashes_detected"].sum()),
            "undetected": undetected,
            "mean": statistic(detection),
            "max": {"value": float(trials["detecting_longest_s"].max())},
        },
        "mistakes": {"count": mistakes, "per_second": statistic(rate(mistakes, float(watched_s.sum())))},
        "mistake_duration": {"mean": statistic(ratio(mistaken_s, trials["mistakes"]))},
        "query_accuracy": statistic(Estimate(1 - share.value, 1 - share.high, 1 - share.low)),
    }


DETECTORS = (
    Metric(
        key="detector",
        label="failure detectors",
        unit="s",
        definition=None,  # docs/metrics.md defines these figures in a table of their own.
        columns={
            "watched_s": lambda trial: trial.detection.watched_ns / SECOND,
            "mistakes": lambda trial: trial.detection.mistakes,
            "mistaken_s": lambda trial: trial.detection.mistaken_ns / SECOND,
            "crashes_detected": lambda trial: len(trial.detection.detections),
            "crashes_undetected": lambda trial: trial.detection.undetected,
            "detecting_s": lambda trial: sum(trial.detection.detections) / SECOND,
            "detecting_longest_s": lambda trial: max(trial.detection.detections, default=0) / SECOND,
        },
        summarize=_detector,
        reads={
            "trials": (
                "watched_s",
                "mistaken_s",
                "mistakes",
                "crashes_detected",
                "crashes_undetected",
                "detecting_s",
                "detecting_longest_s",
            )
        },
    ),
)
