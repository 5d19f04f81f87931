"""The form of a metric's record. `simulator.analysis.records.registry` lists all records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import pandas as pd

from simulator.analysis.measures import Measure
from simulator.analysis.statistics.survival import Sample
from simulator.analysis.tables import Reads, RunTables
from simulator.metrics.detection import Quality, detection_quality
from simulator.metrics.leadership import Claim, Leadership
from simulator.trace.trace import Trace


@dataclass(frozen=True, kw_only=True, eq=False)
class TrialReading:
    """One trial, as far as its columns in the trials table need it."""

    trace: Trace
    claims: Sequence[Claim]
    leadership: Leadership

    @cached_property
    def detection(self) -> Quality:
        """The quality of service of all failure detectors together."""
        return detection_quality(self.trace)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFigure:
    """What the gate compares of a metric: a count in each trial, or the ratio of two counts (a proportion or a rate).

    `amount` and `exposure` are names in `simulator.analysis.records.counts.COUNTS`. Without an exposure the figure is
    the mean of the amount over the trials. The unit is `%` for a proportion, `/s` for a rate, or nothing.
    """

    label: str
    amount: str
    exposure: str | None = None
    unit: Literal["", "%", "/s"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """A row of the table that `electsim run` prints.

    `statistic` is the path, with dots, from the metric's part of the summary to a statistic. `shown_as` says how its
    value is written: a number with three decimals, a rate, a count, a percentage, or a duration in ms or s. The
    remark is formatted with the metric's part of the summary. The row is left out if the value is not known, or if
    the number at the path `only_if` is 0.
    """

    label: str
    statistic: str
    shown_as: Literal["number", "rate", "count", "percentage", "duration"]
    remark: str = ""
    only_if: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Metric:
    """All that the summary, the comparison, the gate, the tables and docs/metrics.md need of one metric.

    - `key`: its key in the `metrics` of `summary.json`.
    - `label`: what tables call it. `part_of` is the key of a duration that it is a part of: its row is indented.
    - `unit`: `s`, `%`, or what is counted.
    - `definition`: docs/metrics.md prints it. None for a metric that another one's definition covers.
    - `columns`: its columns in the trials table, each computed from one trial.
    - `sample`: for a duration, the values among some elections.
    - `summarize`: from the tables of a run to its part of `summary.json`, which must be ready for JSON.
    - `reads`: the columns that `summarize` needs, by table. A large run reads these, and no others, from its files.
    - `measures`: what `electsim compare --metric` calls its figures. Less must be better.
    - `gate_figures`, `rows`: see these types.
    - `left_out_if_none`: whether the summary has no such key if `summarize` returns None, in place of null.
    """

    key: str
    label: str
    unit: str
    definition: str | None
    summarize: Callable[[RunTables], Any]
    reads: Reads
    columns: Mapping[str, Callable[[TrialReading], Any]] = field(default_factory=dict)
    sample: Callable[[pd.DataFrame], Sample] | None = None
    part_of: str | None = None
    measures: Mapping[str, Measure] = field(default_factory=dict)
    gate_figures: Sequence[GateFigure] = ()
    rows: Sequence[TableRow] = ()
    left_out_if_none: bool = False
