"""What nodes send: messages and bytes by type, per election and per second of steady state."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from simulator.analysis.estimates import Summary, statistic
from simulator.analysis.measures import Ratio
from simulator.analysis.records.record import GateFigure, Metric
from simulator.analysis.samples import primary_wins
from simulator.analysis.statistics.estimates import Sample, mean, ratio
from simulator.analysis.tables import Reads, RunTables


def _traffic(tables: RunTables, what: str) -> Summary:
    """`sent` or `bytes`, by type and of all types: per election won, per second of steady state, and in all trials."""
    trials, elected = tables.trials, primary_wins(tables.elections)
    columns = {name: [f"{what}_{name}"] for name in _message_types(trials)}
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


def _message_types(trials: pd.DataFrame) -> list[str]:
    """The types that could be sent, in the order of the columns."""
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


def _columns(every: str) -> Reads:
    return {
        "trials": ("steady_s", "sent_*", every, f"steady_{every}"),
        "elections": ("trial", "cause", "outcome", every),
    }


TRAFFIC = (
    Metric(
        key="steady_state",
        label="steady state",
        unit="s",
        definition="The time in which there is a current leader, its election has been announced to a majority, and "
        "no election is open. Traffic per second: what was sent in it, over all trials, divided by its length. The "
        "counters are read where it begins and ends.",
        summarize=lambda tables: {"total_s": float(tables.trials["steady_s"].sum())},
        reads={"trials": ("steady_s",)},
    ),
    Metric(
        key="messages",
        label="messages",
        unit="messages",
        definition="Messages sent, by type, from an election's start to its announcement to a majority (or to its "
        "end if it has none), heartbeats of the old and the new leader included; and per second of steady state.",
        summarize=lambda tables: _traffic(tables, "sent"),
        reads=_columns("sent_*"),
        measures={"messages": Ratio("messages per election", "won_messages", "won")},
        gate_figures=(
            GateFigure(label="messages per election", amount="election_messages"),
            GateFigure(
                label="messages in steady state, per second", amount="peace_messages", exposure="led_us", unit="/s"
            ),
        ),
    ),
    Metric(
        key="bytes",
        label="bytes",
        unit="bytes",
        definition="The same in bytes. A message's size is its fields' wire size plus a header of 40 bytes (TCP/IP, "
        "without options). Numbers take 8 bytes, truth values 1, a number or truth value that may be None one more, "
        "there or not; text its UTF-8 bytes, a sequence what it holds; what a log's entry carries, its size. A "
        "message is counted once when it is sent, whether it is lost, duplicated, or sent again by a stream.",
        summarize=lambda tables: _traffic(tables, "bytes"),
        reads=_columns("bytes_*"),
    ),
)
