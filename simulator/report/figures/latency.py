"""What a link will see: the latencies that a scenario's network draws, as a table and a figure."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from textwrap import fill, shorten
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, PercentFormatter, StrMethodFormatter
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.analysis.statistics.estimates import Sample, quantiles
from simulator.cluster.distributions import durations
from simulator.cluster.histogram import Halved, Histogram
from simulator.protocol import MILLISECOND, SECOND
from simulator.randomness import Streams
from simulator.report.figures.style import BLACK, BLUE, GREY, style
from simulator.report.tables.links import FIRST_LINK, Link, base_ns, base_table, link_name, packet_treatment
from simulator.scenario import Scenario, resolved
from simulator.scenario.text.units import format_duration, parse_duration

_HISTOGRAM_SOURCE = {"metric": "", "file": "from ", "since": "since "}
_QUANTILES = {"median": 0.5, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
_LONG_TAIL = 20  # If the longest duration exceeds this multiple of the median, the axis is logarithmic.
_BINS = 80
# A fraction of the axes' width. To the right of this position, a label stands to the left of its mark.
_RIGHT_SIDE = 0.8


def latencies(scenario: Scenario, count: int, link: Link = FIRST_LINK) -> np.ndarray:
    """The first one-way latencies of a link in trial 0 of the scenario, its base included; seconds, shape (count,).

    They are those of the sender's first packets, to any node: a sender has one random stream for all its links.
    """
    sender, receiver = link
    network = scenario.cluster_spec().network
    drawn = durations(network.latency, Streams(scenario.seed, 0), f"n{sender} latency")
    base = base_ns(network.topology, sender, receiver)
    return (base + np.fromiter(islice(drawn, count), dtype=np.int64, count=count)) / SECOND


def name_of(distribution: Any) -> str:
    """A distribution, as `resolved` writes it, in mathematical notation: `lognormal(median 5ms, p99 20ms)`."""
    if isinstance(distribution, str):
        return f"constant({distribution})"
    ((kind, parameters),) = ((key, value) for key, value in distribution.items() if key != "at_least")
    if kind == "mixture":
        name = " + ".join(f"{part['weight']:g} × {name_of(part['of'])}" for part in parameters)
        name = f"mixture({name})"
    elif kind == "empirical":
        samples = f"{len(parameters['samples'].split()):,} samples"
        name = f"empirical({parameters['file']}, {samples})" if "file" in parameters else f"empirical({samples})"
    elif kind == "histogram":
        name = f"histogram({_histogram(parameters)})"
    else:
        name = f"{kind}({_parameters(parameters)})"
    return f"{name}, at least {distribution['at_least']}" if "at_least" in distribution else name


def _histogram(parameters: Mapping[str, Any]) -> str:
    """The source of a histogram, the number of its durations, and its own mean, for comparison with the mean of the
    draws.
    """
    read = [f"{word}{parameters[key]}" for key, word in _HISTOGRAM_SOURCE.items() if key in parameters]
    number = parameters.get("count", parameters["buckets"][-1][1])
    trips, parts = ("round trips, halved", 2) if "round_trips" in parameters else ("durations", 1)
    mean = format_duration(round(float(f"{parse_duration(parameters['sum']) / number / parts:.4g}")))
    return ", ".join([*([" ".join(read)] if read else []), f"{number:,} {trips}", f"mean {mean}"])


def _parameters(parameters: Any) -> str:
    if isinstance(parameters, Mapping):
        return ", ".join(f"{name} {_plain(value)}" for name, value in parameters.items())
    return " to ".join(parameters) if isinstance(parameters, list) else str(parameters)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def latency_table(scenario: Scenario, drawn: np.ndarray, link: Link = FIRST_LINK) -> RenderableType:
    """A link's latency, its quantiles with their intervals, and its losses and copies. `drawn` is in seconds."""
    network = scenario.cluster_spec().network
    text = Text(scenario.name, style="bold")
    where = link_name(network.topology, *link)
    text.append(f"  one-way latency of {where}, {drawn.size:,} packets, seed {scenario.seed}\n", style="not bold")
    text.append(latency_name(scenario, link), style="not bold")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("latency, ms")
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("95 % interval", no_wrap=True)
    for name, value, spread in _rows(drawn):
        table.add_row(name, value, Text(spread, style="dim"))
    parts: list[Any] = [text, "", table, "", packet_treatment(network)]
    return Group(*parts) if network.topology is None else Group(*parts, "", base_table(network.topology))


def histogram_points(scenario: Scenario, link: Link) -> list[tuple[float, float]]:
    """The upper bounds of the histogram's buckets, in ms, with the share of durations up to each.

    Empty if the latency is not a histogram. A base of the topology is added, and round trips are halved.
    """
    network = scenario.cluster_spec().network
    halved = isinstance(network.latency, Halved)
    histogram = network.latency.of if isinstance(network.latency, Halved) else network.latency
    if not isinstance(histogram, Histogram):
        return []
    shares = np.cumsum([bucket.number for bucket in histogram.buckets])
    bounds = [base_ns(network.topology, *link) + bucket.high / (1 + halved) for bucket in histogram.buckets]
    return [(bound / MILLISECOND, float(share / shares[-1])) for bound, share in zip(bounds, shares, strict=True)]


def latency_name(scenario: Scenario, link: Link) -> str:
    """The distribution of a link's latency, with the base from its topology, if there is one."""
    name = name_of(resolved(scenario)["network"]["latency"])
    topology = scenario.cluster_spec().network.topology
    if topology is None:
        return name
    base = format_duration(base_ns(topology, *link))
    return f"constant({base})" if name == name_of("0s") else f"{base} + {name}"


def _rows(drawn: np.ndarray) -> list[tuple[str, str, str]]:
    """Name, value and interval: order statistics for quantiles, none for the rest."""
    found = quantiles(Sample.of(drawn), list(_QUANTILES.values()))
    rows = [
        (name, _ms(estimate.value), f"[{_ms(estimate.low)} – {_ms(estimate.high)}]")
        for name, estimate in zip(_QUANTILES, found, strict=True)
    ]
    rows.insert(0, ("min", _ms(drawn.min()), ""))
    rows.insert(2, ("mean", _ms(drawn.mean()), ""))
    return [*rows, ("max", _ms(drawn.max()), "")]


def _ms(seconds: float) -> str:
    if np.isinf(seconds):
        return "∞" if seconds > 0 else "0"
    return f"{seconds * 1e3:,.3f}"


def latency_figure(scenario: Scenario, drawn: np.ndarray, link: Link = FIRST_LINK) -> Figure:
    """The empirical distribution function above the density, on one axis: logarithmic for a long tail."""
    values_ms = np.sort(drawn) * 1e3
    with style():
        figure = Figure(figsize=(6.5, 5.6), layout="constrained")
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
        logarithmic = bool(values_ms[0] > 0 and values_ms[-1] > _LONG_TAIL * np.median(values_ms))
        edges, limits = _edges(values_ms, logarithmic)
        shares = np.arange(1, values_ms.size + 1) / values_ms.size
        corners = [limits[0], *values_ms, limits[1]]
        top.step(corners, [0.0, *shares, 1.0], where="post", color=BLUE, linewidth=1.5, zorder=4)
        if points := histogram_points(scenario, link):
            top.plot(
                *zip(*points, strict=True), "o", color=BLACK, markersize=4, zorder=5, label="the histogram's buckets"
            )
            top.legend(loc="lower right")
        top.set_ylim(0, 1.02)
        top.set_ylabel("cumulative share of packets")
        where = link_name(scenario.cluster_spec().network.topology, *link)
        name = shorten(latency_name(scenario, link), 180, placeholder=" …")
        top.set_title(fill(f"{scenario.name}, {where}: {name}", 74))
        bottom.hist(values_ms, bins=edges.tolist(), weights=np.full(values_ms.size, 1 / values_ms.size), color=BLUE)
        bottom.set_ylabel("share per bar")
        bottom.set_xlabel("one-way latency (ms)")
        _finish(top, bottom, logarithmic, limits)
        _mark(top, drawn)
    return figure


def _edges(values_ms: np.ndarray, logarithmic: bool) -> tuple[np.ndarray, tuple[float, float]]:
    """The edges of the bars, and the ends of the axis."""
    low, high = float(values_ms[0]), float(values_ms[-1])
    if logarithmic:
        return np.geomspace(low, high, _BINS + 1), (low / 1.1, high * 1.2)
    if low == high:  # All values are equal, so any width of the axis will do.
        width = 0.1 * high or 0.001
        return np.linspace(low - width / _BINS, low + width / _BINS, 2), (low - width, low + width)
    margin = 0.03 * (high - low)
    return np.linspace(low, high, _BINS + 1), (max(low - margin, 0.0), high + margin)


def _mark(axes: Axes, drawn: np.ndarray) -> None:
    """Drop lines at the median and the 99th percentile."""
    # Labels stand at the lower edge, because the curve lies above them.
    for name, height in (("median", 0.05), ("p99", 0.12)):
        share = _QUANTILES[name]
        value_ms = float(np.quantile(drawn, share, method="inverted_cdf")) * 1e3
        axes.plot([value_ms, value_ms], [0, share], color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
        across, _ = axes.transAxes.inverted().transform(axes.transData.transform((value_ms, 0)))
        axes.annotate(
            f"{name} {value_ms:,.4g} ms",
            (value_ms, height),
            (6 if across < _RIGHT_SIDE else -6, 0),
            textcoords="offset points",
            ha="left" if across < _RIGHT_SIDE else "right",
            fontsize=8,
            color=GREY,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )


def _finish(top: Axes, bottom: Axes, logarithmic: bool, limits: tuple[float, float]) -> None:
    for axes in (top, bottom):
        axes.grid()
        axes.set_xlim(*limits)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    if logarithmic:
        bottom.set_xscale("log")
        bottom.set_yscale("log")  # A logarithmic axis makes the few values in the tail visible.
        bottom.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        bottom.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        bottom.xaxis.set_minor_locator(NullLocator())


def write_figure(figure: Figure, path: Path) -> None:
    """Write the figure into a new file, whose suffix names the format.

    Raises FileExistsError if the file exists, ValueError for an unknown format, and OSError if it cannot be written.
    """
    kind = path.suffix.removeprefix(".").lower()
    if kind not in Figure().canvas.get_supported_filetypes():
        raise ValueError(f"{path.name} ends with no known format; write .png, .svg or .pdf")
    with path.open("xb") as file:
        try:
            with style():
                figure.savefig(file, format=kind)
        except BaseException:
            path.unlink()  # A failure leaves no half-written figure.
            raise
