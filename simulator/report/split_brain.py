"""When two nodes led at once: each trial a line, the partition behind it, several algorithms one below the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from simulator.metrics.leadership import Overlap, OverlapKind, leadership
from simulator.protocol import SECOND, Nanoseconds
from simulator.report.style import BLACK, SKY_BLUE, VERMILLION, style
from simulator.trace import kinds
from simulator.trace.trace import Trace

_PARTITION = "partition"
_PARTITIONED = "#E4E4E4"
# The worse the darker: grey print keeps the order.
_INCIDENTS: Mapping[OverlapKind, tuple[str, str]] = {
    OverlapKind.NO_TERM: (VERMILLION, "two leaders, and nothing tells which is the older"),
    OverlapKind.SAME_TERM: (BLACK, "two leaders of one term"),
    OverlapKind.STALE_LEADER: (SKY_BLUE, "two leaders of different terms: the older one is known by its term"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What the figure shows of one trial."""

    partitions: Sequence[tuple[Nanoseconds, Nanoseconds]]
    incidents: Sequence[Overlap]
    end_ns: Nanoseconds

    @classmethod
    def of(cls, trace: Trace) -> Course:
        return cls(partitions=_partitions(trace), incidents=tuple(leadership(trace).overlaps), end_ns=trace.end_ns)

    @property
    def overlap_ns(self) -> Nanoseconds:
        return sum(incident.end_ns - incident.start_ns for incident in self.incidents)

    @property
    def unprovoked(self) -> int:
        """How many incidents began while there was no partition."""
        return sum(
            not any(start <= incident.start_ns < end for start, end in self.partitions) for incident in self.incidents
        )


def _partitions(trace: Trace) -> tuple[tuple[Nanoseconds, Nanoseconds], ...]:
    """From each partition that struck until it was undone, first in, first out; or until the end of the trial."""
    struck, undone = (
        [row.time_ns for row in trace.of_kind(kind) if row.fact("fault") == _PARTITION]
        for kind in (kinds.FAULT, kinds.UNDONE)
    )
    undone += [trace.end_ns] * (len(struck) - len(undone))
    return tuple(zip(struck, undone, strict=True))


def split_brain_figure(courses: Mapping[str, Sequence[Course]]) -> Figure:
    """One panel for each name, one line for each of its trials, over the seconds of a trial."""
    tallest = max(len(trials) for trials in courses.values())
    with style():
        figure = Figure(figsize=(8.0, 0.9 + len(courses) * (0.45 + 0.035 * tallest)), layout="constrained")
        panels = figure.subplots(len(courses), sharex=True, squeeze=False)[:, 0]
        for axes, (name, trials) in zip(panels, courses.items(), strict=True):
            _draw(axes, trials)
            axes.set(title=name, ylabel="trial", ylim=(len(trials) + 0.5, 0.5))
        panels[-1].set(
            xlabel="seconds", xlim=(0, max(c.end_ns for trials in courses.values() for c in trials) / SECOND)
        )
        seen = {incident.kind for trials in courses.values() for course in trials for incident in course.incidents}
        marks = [Patch(color=colour, label=text) for kind, (colour, text) in _INCIDENTS.items() if kind in seen]
        figure.legend(
            handles=[Patch(color=_PARTITIONED, label="the network is partitioned"), *marks],
            loc="outside lower left",
            ncols=1,
        )
    return figure


def _draw(axes: Axes, trials: Sequence[Course]) -> None:
    for number, course in enumerate(trials, start=1):
        cuts = [(start / SECOND, (end - start) / SECOND) for start, end in course.partitions]
        axes.broken_barh(cuts, (number - 0.5, 1.0), color=_PARTITIONED, linewidth=0)
        for kind, (colour, _) in _INCIDENTS.items():
            bars = [
                (incident.start_ns / SECOND, (incident.end_ns - incident.start_ns) / SECOND)
                for incident in course.incidents
                if incident.kind is kind
            ]
            # The line around a bar keeps an incident of milliseconds visible.
            axes.broken_barh(bars, (number - 0.35, 0.7), facecolor=colour, edgecolor=colour, linewidth=0.8)
