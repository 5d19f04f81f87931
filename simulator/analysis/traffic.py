"""What was sent, in the summary of a run: messages and bytes by type, per election and per second of steady state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from simulator.analysis.estimates import statistic
from simulator.analysis.statistics.estimates import Sample, mean, ratio

Summary = dict[str, Any]


def traffic(trials: pd.DataFrame, elected: pd.DataFrame, what: str) -> Summary:
    """`sent` or `bytes`, by type and of all types: per election won, per second of steady state, and in all trials."""
    columns = {name: [f"{what}_{name}"] for name in message_types(trials)}
    every = [column for own in columns.values() for column in own]
    return {
        "per_election": {name: _per_election(elected, own) for name, own in columns.items()},
        "per_second": {name: _per_second(trials, own) for name, own in columns.items()},
        "total": {name: _total(trials, own) for name, own in columns.items()},
        "all_types": {
            "per_election": _per_election(elected, every),
            "per_second": _per_second(trials, every),
            "total": _total(trials, every),
        },
    }


def message_types(trials: pd.DataFrame) -> list[str]:
    """Those that could be sent, in the order of the columns."""
    names = map(str, trials.columns)
    return [name.removeprefix("sent_") for name in names if name.startswith("sent_") and name != "sent_total"]


def _per_election(elected: pd.DataFrame, columns: Sequence[str]) -> dict[str, float | None]:
    return statistic(mean(Sample.of(_sums(elected, columns), trials=elected["trial"])))


def _per_second(trials: pd.DataFrame, columns: Sequence[str]) -> dict[str, float | None]:
    return statistic(ratio(_sums(trials, [f"steady_{column}" for column in columns]), trials["steady_s"]))


def _total(trials: pd.DataFrame, columns: Sequence[str]) -> int:
    return int(trials[list(columns)].to_numpy().sum())


def _sums(rows: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    sums: np.ndarray = rows[list(columns)].to_numpy(dtype=float).sum(axis=1)
    return sums
