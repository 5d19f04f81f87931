"""When two nodes led at once, on a time axis: each trial a line, several variants one below the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from simulator.metrics.leadership import Overlap, OverlapKind, leadership
from simulator.protocol import SECOND, Nanoseconds
from simulator.report.figures.style import BLACK, SKY_BLUE, VERMILLION, style
from simulator.trace import event_types
from simulator.trace.trace import Trace

_PARTITION = "partition"
_EFFECTIVE = "////"
_LEAST_HEIGHT = 0.6  # The height of a panel with few trials, in inches.
_MOST_NUMBERS = 8
_PARTITIONED = "#E4E4E4"
# A worse kind has a darker colour, so that grey print keeps the order.
_INCIDENTS: Mapping[OverlapKind, tuple[str, str]] = {
    OverlapKind.NO_TERM: (VERMILLION, "two leaders, and nothing tells which is the older"),
    OverlapKind.SAME_TERM: (BLACK, "two leaders of one term"),
    OverlapKind.STALE_LEADER: (SKY_BLUE, "two leaders of different terms: the older one is known by its term"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOverlaps:
    """What the figure shows of one trial."""

    incidents: Sequence[Overlap]
    end_ns: Nanoseconds
    partitions: Sequence[tuple[Nanoseconds, Nanoseconds]] = ()
    trial: int | None = None  # The trial's number, if not all trials are shown.

    @classmethod
    def of(cls, trace: Trace) -> TrialOverlaps:
        """Read the incidents and partitions of a trace."""
        return cls(partitions=_partitions(trace), incidents=tuple(leadership(trace).overlaps), end_ns=trace.end_ns)

    @property
    def overlap_ns(self) -> Nanoseconds:
        """The length of all incidents together."""
        return sum(incident.end_ns - incident.start_ns for incident in self.incidents)

    @property
    def unprovoked(self) -> int:
        """How many incidents began while there was no partition."""
        return sum(
            not any(start <= incident.start_ns < end for start, end in self.partitions) for incident in self.incidents
        )


def _partitions(trace: Trace) -> tuple[tuple[Nanoseconds, Nanoseconds], ...]:
    """From the injection of each partition to its repair, first in, first out; or until the end of the trial."""
    injected, repaired = (
        [row.time_ns for row in trace.of_type(kind) if row.field("fault") == _PARTITION]
        for kind in (event_types.FAULT, event_types.REPAIRED)
    )
    repaired += [trace.end_ns] * (len(injected) - len(repaired))
    return tuple(zip(injected, repaired, strict=True))


def trials_with_overlaps(trials: pd.DataFrame, overlaps: pd.DataFrame, most: int) -> list[TrialOverlaps]:
    """The first trials, `most` at most, in which two nodes led at once, out of a result's tables (docs/results.md)."""
    ends = dict(zip(trials["trial"], trials["end_s"], strict=True))
    found = []
    for trial in overlaps["trial"].unique()[:most]:
        incidents = [_incident(row) for row in overlaps[overlaps["trial"] == trial].itertuples()]
        found.append(TrialOverlaps(incidents=incidents, end_ns=_nanoseconds(ends[trial]), trial=int(trial)))
    return found


def _incident(row: Any) -> Overlap:
    """From a row of the table: what the figure needs."""
    return Overlap(_nanoseconds(row.start_s), _nanoseconds(row.end_s), OverlapKind(row.kind), effective=row.effective)


def _nanoseconds(seconds: float) -> Nanoseconds:
    return round(seconds * SECOND)


def overlaps_figure(groups: Mapping[str, Sequence[TrialOverlaps]]) -> Figure:
    """One panel for each name, one line for each of its trials, over the seconds of a trial.

    Where other nodes named both leaders at one instant (`effective`), the bar is hatched.
    """
    tallest = max(len(trials) for trials in groups.values())
    every = [trial_overlaps for trials in groups.values() for trial_overlaps in trials]
    with style():
        height = 0.9 + len(groups) * (0.45 + max(0.035 * tallest, _LEAST_HEIGHT))
        figure = Figure(figsize=(8.0, height), layout="constrained")
        panels = figure.subplots(len(groups), sharex=True, squeeze=False)[:, 0]
        for axes, (name, trials) in zip(panels, groups.items(), strict=True):
            _draw(axes, trials)
            axes.set(title=name, ylabel="trial", ylim=(max(len(trials), 1) + 0.5, 0.5))
            _number(axes, trials)
        panels[-1].set(xlabel="seconds", xlim=(0, max(trial_overlaps.end_ns for trial_overlaps in every) / SECOND))
        figure.legend(handles=_legend(every), loc="outside lower left", ncols=1)
    return figure


def _legend(groups: Sequence[TrialOverlaps]) -> list[Patch]:
    incidents = [incident for trial_overlaps in groups for incident in trial_overlaps.incidents]
    marks = [Patch(color=_PARTITIONED, label="the network is partitioned")] if any(c.partitions for c in groups) else []
    seen = {incident.kind for incident in incidents}
    marks += [Patch(color=colour, label=text) for kind, (colour, text) in _INCIDENTS.items() if kind in seen]
    if any(incident.effective for incident in incidents):
        both = "… and other nodes follow both at one instant"
        marks.append(Patch(facecolor="white", edgecolor=BLACK, hatch=_EFFECTIVE, linewidth=0, label=both))
    return marks


def _number(axes: Axes, trials: Sequence[TrialOverlaps]) -> None:
    """The numbers of trials, where not all of them are shown."""
    if any(trial_overlaps.trial is not None for trial_overlaps in trials):
        places = range(1, len(trials) + 1, -(-len(trials) // _MOST_NUMBERS))
        axes.set_yticks(places, [str(trials[place - 1].trial) for place in places])
    elif len(trials) <= _MOST_NUMBERS:
        axes.set_yticks(range(1, len(trials) + 1))


def _draw(axes: Axes, trials: Sequence[TrialOverlaps]) -> None:
    for number, trial_overlaps in enumerate(trials, start=1):
        cuts = [(start / SECOND, (end - start) / SECOND) for start, end in trial_overlaps.partitions]
        axes.broken_barh(cuts, (number - 0.5, 1.0), color=_PARTITIONED, linewidth=0)
        for incident in trial_overlaps.incidents:
            colour, _ = _INCIDENTS[incident.kind]
            bars = [(incident.start_ns / SECOND, (incident.end_ns - incident.start_ns) / SECOND)]
            # The line around a bar keeps an incident of milliseconds visible.
            axes.broken_barh(bars, (number - 0.35, 0.7), facecolor=colour, edgecolor=colour, linewidth=0.8)
            if incident.effective:
                ink = "white" if incident.kind is OverlapKind.SAME_TERM else BLACK
                axes.broken_barh(
                    bars, (number - 0.35, 0.7), facecolor="none", edgecolor=ink, hatch=_EFFECTIVE, linewidth=0
                )
