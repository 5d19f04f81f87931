"""What failovers consist of: detection, pre-votes, failed rounds, the winning round, the announcement; stacked bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from simulator.analysis.samples import primary_elections
from simulator.analysis.statistics.estimates import NO_DATA, Estimate, Sample, mean
from simulator.report.figures.style import BLACK, BLUE, ORANGE, SKY_BLUE, VERMILLION, YELLOW, new_figure, short, style

# Each part has a colour and a hatch: side by side in grey print, the hatch tells them apart.
PARTS: Mapping[str, tuple[str, str]] = {
    "detection": (SKY_BLUE, ""),
    "pre-votes": (YELLOW, "xx"),
    "earlier rounds": (VERMILLION, "///"),
    "winning round": (BLUE, ""),
    "announcement to a majority": (ORANGE, "...."),
}
# The figure has the first of these numbers of groups with which each group has enough failovers.
_GROUPS = (10, 5, 4, 2)
_FEWEST_IN_A_GROUP = 5
_WIDE_ENOUGH = 0.07  # A number is written into a part only if the part is at least this share of the longest bar.
_BELOW = 0.43  # The middle of a bar, of which there is one per unit.


@dataclass(frozen=True, slots=True, kw_only=True)
class Failovers:
    """The parts of failovers that ended before their trial did."""

    parts: np.ndarray  # Seconds; shape (failovers, parts), in the order of PARTS.
    trials: np.ndarray  # The trial of each failover; shape (failovers,).
    unfinished: int = (
        0  # Announcements without an end are left out: the trial was over first, or the winner no longer led.
    )

    @classmethod
    def of(cls, elections: pd.DataFrame) -> Failovers:
        """The parts of the primary elections that another node won. `elections` is the table of docs/results.md."""
        primary = primary_elections(elections)
        primary = primary[primary["outcome"] != "recovered"]
        whole = primary[primary["detection_s"].notna() & primary["announced_majority_s"].notna()]
        columns = (
            whole["detection_s"],
            whole["before_rounds_s"],
            whole["earlier_rounds_s"],
            whole["winning_round_s"],
            whole["announced_majority_s"],
        )
        parts = np.column_stack([column.to_numpy(dtype=float) for column in columns])
        return cls(
            parts=parts.reshape(-1, len(PARTS)),
            trials=whole["trial"].to_numpy(dtype=np.int64),
            unfinished=len(primary) - len(whole),
        )

    @property
    def whole(self) -> Estimate:
        """The mean time from the loss to the announcement, in seconds, with its interval."""
        return mean(Sample.of(self.parts.sum(axis=1), trials=self.trials)) if len(self.parts) else NO_DATA

    def by_length(self) -> dict[str, Failovers]:
        """The failovers in ten groups of equal size, shortest first; fewer groups if there are few."""
        count = len(self.parts)
        groups = next((groups for groups in _GROUPS if count >= groups * _FEWEST_IN_A_GROUP), min(count, 1))
        order = np.argsort(self.parts.sum(axis=1), kind="stable")
        found = {}
        for number, chosen in enumerate(np.array_split(order, groups) if groups else ()):
            name = "all" if groups == 1 else _group_name(number, groups)
            found[name] = Failovers(parts=self.parts[chosen], trials=self.trials[chosen])
        return found


def _group_name(number: int, groups: int) -> str:
    ends = (f"{100 * end / groups:.0f}" for end in (number, number + 1))
    note = {0: "shortest ", groups - 1: "longest "}.get(number, "")
    return f"{note}{'–'.join(ends)} %"


def decomposition_figure(
    bars: Mapping[str, Failovers], *, title: str = "", since: str = "the loss", intervals: bool = True
) -> Figure:
    """A bar of means for each name; with `intervals`, the whole has its 95 % interval below the end of the bar.

    Groups by length have no intervals, because they are not random samples. Raises ValueError for a bar without data.
    """
    if empty := [name for name, found in bars.items() if not len(found.parts)]:
        raise ValueError(f"no failover was seen to its end in {', '.join(empty)}")
    means = np.array([found.parts.mean(axis=0) for found in bars.values()])
    unit, factor = ("s", 1.0) if means.sum(axis=1).max() >= 10 else ("ms", 1e3)
    with style():
        figure, axes = new_figure(6.8, 1.5 + 0.34 * len(bars))
        _draw(axes, means * factor)
        if intervals:
            _draw_wholes(axes, [found.whole for found in bars.values()], factor)
        axes.set_yticks(range(len(bars)), [_label(name, found) for name, found in bars.items()])
        axes.invert_yaxis()
        axes.set_xlim(left=0)
        axes.set_xlabel(f"mean time since {since} ({unit})")
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        axes.set_title(title)
        figure.legend(loc="outside lower left", ncols=len(PARTS), handlelength=1.6)
    return figure


def _label(name: str, found: Failovers) -> str:
    cut_short = f", {found.unfinished:,} not seen to their end" if found.unfinished else ""
    return f"{name}\nn = {len(found.parts):,}{cut_short}" if cut_short else name


def _draw(axes: Axes, means: np.ndarray) -> None:
    """Bars from parts; shape (bars, parts). A part that took no time in any of them is left out."""
    widest = means.sum(axis=1).max()
    for number, (name, (colour, hatch)) in enumerate(PARTS.items()):
        lengths, starts = means[:, number], means[:, :number].sum(axis=1)
        if not lengths.any():
            continue
        segments: BarContainer = axes.barh(
            range(len(means)), lengths, left=starts, height=0.7, color=colour, hatch=hatch, label=name
        )
        for segment in segments:
            segment.set(edgecolor="white", linewidth=0.6)
        numbers = [short(length) if length > _WIDE_ENOUGH * widest else "" for length in lengths]
        for text in axes.bar_label(segments, numbers, label_type="center", fontsize=7):
            text.set_color("white" if colour == BLUE else BLACK)
            if hatch and text.get_text():
                text.set_bbox({"facecolor": colour, "edgecolor": "none", "pad": 1.5})


def _draw_wholes(axes: Axes, wholes: list[Estimate], factor: float) -> None:
    """A whisker below the end of each bar, where the interval is bounded."""
    for place, whole in enumerate(wholes):
        if np.isfinite([whole.low, whole.high]).all():
            ends = [whole.low * factor, whole.high * factor]
            axes.plot(ends, [place + _BELOW] * 2, "-|", color=BLACK, linewidth=1.0, markersize=4, zorder=5)
