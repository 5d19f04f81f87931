"""The tables of a run, which all statistics are computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

Reads = Mapping[str, Sequence[str]]  # Columns by the name of their table; `sent_*` stands for all that begin with it.


class Tables(Protocol):
    """The four tables of one run, in memory or on disk."""

    @property
    def trials(self) -> pd.DataFrame:
        """A row for each trial."""

    @property
    def elections(self) -> pd.DataFrame:
        """A row for each election."""

    @property
    def rounds(self) -> pd.DataFrame:
        """A row for each round of an election."""

    @property
    def overlaps(self) -> pd.DataFrame:
        """A row for each time in which two or more nodes claimed to lead."""

    def only(self, reads: Reads) -> RunTables:
        """The tables with at least these columns, in memory."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunTables:
    """The four tables of one run; docs/results.md names their columns.

    `trials` has a row for each trial, `elections` one for each election, `rounds` one for each round of an election,
    and `overlaps` one for each time in which two or more nodes claimed to lead.
    """

    trials: pd.DataFrame
    elections: pd.DataFrame
    rounds: pd.DataFrame
    overlaps: pd.DataFrame

    def only(self, reads: Reads) -> RunTables:
        """See Tables: all columns are in memory already."""
        return self


def in_common(one: Tables, other: Tables) -> tuple[Tables, Tables]:
    """The tables of two runs without the trials that only one of them has."""
    numbers = [run.only({"trials": ("trial",)}).trials["trial"] for run in (one, other)]
    if numbers[0].equals(numbers[1]):
        return one, other
    both = set(numbers[0]) & set(numbers[1])
    found = [
        RunTables(**{name: frame[frame["trial"].isin(both)] for name, frame in _frames(run)}) for run in (one, other)
    ]
    return found[0], found[1]


def _frames(run: Tables) -> list[tuple[str, pd.DataFrame]]:
    names = ("trials", "elections", "rounds", "overlaps")
    return [(name, getattr(run, name)) for name in names]
