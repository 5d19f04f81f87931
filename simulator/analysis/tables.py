"""The tables of a run, which all statistics are computed from."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


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
