"""What an election costs in a larger cluster: messages and time over the number of nodes, beside what theory says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.analysis.statistics.estimates import Estimate
from simulator.report.figures.style import SERIES, style

_MARKERS = "os^Dvp"


class Size(NamedTuple):
    """What one election costs in a cluster of `nodes` nodes: messages, and seconds."""

    nodes: int
    messages: Estimate
    seconds: Estimate


class Theory(NamedTuple):
    """Expected messages and seconds by the number of nodes; None if unknown. `bound`: these are upper bounds."""

    messages: Callable[[int], float] | None
    seconds: Callable[[int], float] | None
    bound: bool = False


def cluster_size_figure(curves: Mapping[str, Sequence[Size]], theory: Mapping[str, Theory], title: str = "") -> Figure:
    """Two panels, messages and seconds, on logarithmic axes. Marks are measured, with 95 % intervals; lines are theory.

    A dashed line is a bound. If there is no theory for an algorithm, a dotted line joins its marks.
    """
    with style():
        figure = Figure(figsize=(9, 4.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        for number, (name, sizes) in enumerate(curves.items()):
            look = SERIES[number % len(SERIES)], _MARKERS[number % len(_MARKERS)]
            known = theory.get(name, Theory(None, None))
            _draw(left, name, [(size.nodes, size.messages) for size in sizes], known.messages, known.bound, look)
            _draw(right, name, [(size.nodes, size.seconds) for size in sizes], known.seconds, known.bound, look)
        for axes, label in ((left, "messages of an election"), (right, "seconds of an election")):
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xlabel("nodes")
            axes.set_ylabel(label)
            axes.grid()
        left.legend(loc="upper left")
        left.set_title(title)
    return figure


def _draw(
    axes: Axes,
    name: str,
    points: Sequence[tuple[int, Estimate]],
    theory: Callable[[int], float] | None,
    bound: bool,
    look: tuple[str, str],
) -> None:
    nodes, values = [size for size, _ in points], [found.value for _, found in points]
    ends = ([found.value - found.low for _, found in points], [found.high - found.value for _, found in points])
    colour, marker = look
    axes.errorbar(nodes, values, ends, label=name, fmt=marker, color=colour, markersize=5, capsize=2)
    line = values if theory is None else [theory(size) for size in nodes]
    drawn = ":" if theory is None else "--" if bound else "-"
    axes.plot(nodes, line, color=colour, linestyle=drawn, linewidth=1)
