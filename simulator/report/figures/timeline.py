"""One trial as a figure: a line per node, coloured by role, with terms, faults and messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from simulator.metrics.elections import Cause, Election
from simulator.metrics.node_timelines import (
    FAULT_ROWS,
    Segment,
    Window,
    election_window,
    fault_label,
    node_timelines,
    primary_election,
)
from simulator.protocol import FOLLOWER, MILLISECOND, SECOND, Nanoseconds, NodeId, Role
from simulator.report.figures.style import DOWN, FAULT, GREY, new_figure, role_colour, short, style
from simulator.report.figures.timeline_messages import BAR_HEIGHT, Place, draw_messages, message_colours, within
from simulator.trace import event_types
from simulator.trace.trace import MessageRow, Row, Trace

_LABEL_EVERY = 0.03  # A fraction of the window. If terms change faster than this on one line, some are not written.
_CHARACTER = 0.0075  # The width of one character, as a share of the window.
_MOST_NODES, _MOST_ARROWS, _MOST_LABELS = 60, 5000, 6  # More labels above each other could not be told apart.


def timeline_figure(
    trace: Trace, window: tuple[float, float] | None = None, *, title: str = "", arrows: bool = True
) -> Figure:
    """One trial between two instants in seconds; by default around its first election after a loss.

    Arrows need the trial's messages (`run_trial(…, journal=True)`).
    """
    election = primary_election(trace) if window is None else None
    shown = (
        election_window(trace, election) if window is None else (round(window[0] * SECOND), round(window[1] * SECOND))
    )
    origin_ns = election.start_ns if election is not None else 0
    timelines = node_timelines(trace)
    members = _most_telling(timelines, shown)
    rows = {node: number for number, node in enumerate(members)}
    with style():
        figure, axes = new_figure(9.5, _height(len(members)))
        place = _axis(axes, shown, origin_ns, _origin_name(election))
        _draw_timelines(axes, members, rows, shown, place)
        messages = [m for m in trace.messages if arrows and within(m, shown) and m.sender in rows and m.to in rows]
        unnamed = _draw_faults(axes, trace.rows, shown, place)
        notes = _left_out(len(timelines) - len(members), messages, unnamed)
        messages = messages if len(messages) <= _MOST_ARROWS else []
        colours = message_colours(trace, messages)
        draw_messages(axes, messages, rows, colours, place)
        _draw_crashes(axes, trace.rows, rows, shown, place)
        _legend(figure, members, shown, colours, any(m.arrives_ns is None for m in messages))
        figure.suptitle(
            "\n".join(line for line in (title, _parts(election), notes) if line), x=0.01, ha="left", fontsize=10
        )
    return figure


def _height(node_count: int) -> float:
    return 1.7 + node_count * (0.5 if node_count <= 10 else 0.26)


# --- Axes


def _axis(axes: Axes, shown: Window, origin_ns: Nanoseconds, origin_name: str) -> Place:
    unit, unit_ns = ("ms", MILLISECOND) if shown[1] - shown[0] < 10 * SECOND else ("s", SECOND)

    def place(time_ns: Nanoseconds) -> float:
        return (time_ns - origin_ns) / unit_ns

    axes.set_xlim(place(shown[0]), place(shown[1]))
    axes.set_xlabel(f"time since {origin_name} ({unit})")
    axes.grid(axis="x")
    return place


def _origin_name(election: Election | None) -> str:
    if election is None or election.cause is Cause.BOOT:
        return "the start of the trial"
    at = f"at {election.start_ns / SECOND:.3f} s"
    if election.cause is Cause.LOSS:
        return f"the loss of n{election.lost_leader} {at}"
    return f"the first suspicion {at}"


def _parts(election: Election | None) -> str:
    """The parts of an election in numbers."""
    if election is None:
        return ""
    parts = [("detection", election.detection_ns), ("election", election.election_ns)]
    if election.announced_majority_ns is not None and election.claimed_ns is not None:
        parts.append(("announced to a majority after", election.announced_majority_ns - election.claimed_ns))
    texts = [f"{name} {_duration(time_ns)}" for name, time_ns in parts if time_ns is not None]
    if election.claimed_ns is None:
        texts.append(str(election.outcome))
    return ", ".join(texts)


def _duration(time_ns: Nanoseconds) -> str:
    """`150 ms`, and `7.28 s` from one second on."""
    return f"{short(time_ns / SECOND)} s" if time_ns >= SECOND else f"{short(time_ns / MILLISECOND)} ms"


def _left_out(node_count: int, messages: Sequence[MessageRow], labels: int) -> str:
    notes = [f"{node_count:,} other nodes are left out"] if node_count else []
    if len(messages) > _MOST_ARROWS:
        notes.append(f"{len(messages):,} messages are left out: choose a shorter window")
    if labels:
        notes.append(f"{labels:,} names of faults are left out: choose a shorter window")
    return "; ".join(notes)


# --- Nodes


def _most_telling(members: Mapping[NodeId, Sequence[Segment]], shown: Window) -> Mapping[NodeId, Sequence[Segment]]:
    """The nodes to show if there are too many: first those that did more than follow, then the lowest ids."""

    def only_follows(node: NodeId) -> bool:
        return all(s.running and not s.paused and s.role is FOLLOWER for s in _clip(members[node], shown))

    chosen = sorted(members, key=lambda node: (only_follows(node), node))[:_MOST_NODES]
    return {node: members[node] for node in sorted(chosen)}


def _draw_timelines(
    axes: Axes, members: Mapping[NodeId, Sequence[Segment]], rows: Mapping[NodeId, int], shown: Window, place: Place
) -> None:
    small = 7 if len(rows) <= 10 else 5.5
    for node, segments in members.items():
        y = rows[node]
        for segment in _clip(segments, shown):
            left, width = place(segment.start_ns), place(segment.end_ns) - place(segment.start_ns)
            axes.barh(y, width, BAR_HEIGHT, left, **_look(segment), zorder=2)
        for time_ns, term in _term_labels(_clip(segments, shown), shown):
            axes.text(place(time_ns), y, f" {term}", va="center", fontsize=small, zorder=5, clip_on=True)
    axes.set_yticks(list(rows.values()), [f"n{node}" for node in rows], fontsize=8 if len(rows) <= 10 else 6)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _look(segment: Segment) -> dict[str, Any]:
    if not segment.running:
        return {"facecolor": DOWN, "edgecolor": "#BBBBBB", "linewidth": 0.6, "linestyle": ":"}
    hatch = {"hatch": "/////", "edgecolor": "#444444"} if segment.paused else {"edgecolor": "none"}
    return {"facecolor": role_colour(segment.role), "linewidth": 0, **hatch}


def _clip(segments: Iterable[Segment], shown: Window) -> list[Segment]:
    return [
        replace(segment, start_ns=max(segment.start_ns, shown[0]), end_ns=min(segment.end_ns, shown[1]))
        for segment in segments
        if segment.start_ns < shown[1] and segment.end_ns > shown[0]
    ]


def _term_labels(segments: Sequence[Segment], shown: Window) -> list[tuple[Nanoseconds, int]]:
    """The instants at which the term of a node changes, and its first; none for algorithms without terms."""
    found: list[tuple[Nanoseconds, int]] = []
    for segment in segments:
        if segment.term and segment.running and (not found or found[-1][1] != segment.term):
            found.append((segment.start_ns, segment.term))
    least_ns = _LABEL_EVERY * (shown[1] - shown[0])
    ends = [time_ns for time_ns, _ in found[1:]] + [shown[1]]
    return [label for label, end_ns in zip(found, ends, strict=False) if end_ns - label[0] >= least_ns]


def _draw_crashes(
    axes: Axes, trace_rows: Iterable[Row], rows: Mapping[NodeId, int], shown: Window, place: Place
) -> None:
    for kind, marker in ((event_types.CRASHED, "X"), (event_types.STARTED, "^")):
        injected = [row for row in trace_rows if row.kind == kind and row.node in rows and row.time_ns > 0]
        points = [(place(r.time_ns), rows[r.node]) for r in injected if r.node and shown[0] <= r.time_ns <= shown[1]]
        if points:
            x, y = zip(*points, strict=True)
            axes.scatter(x, y, marker=marker, s=42, c="black", edgecolors="white", linewidths=0.8, zorder=6, label=kind)


def _draw_faults(axes: Axes, trace_rows: Iterable[Row], shown: Window, place: Place) -> int:
    """Draw a vertical mark for each fault, dotted if the fault is not injected. Return how many labels had no room
    above the axes.
    """
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_MOST_LABELS)]
    width = place(shown[1]) - place(shown[0])
    left_out = 0
    for row in trace_rows:
        if row.kind not in FAULT_ROWS or not shown[0] <= row.time_ns <= shown[1]:
            continue
        x, label = place(row.time_ns), fault_label(row)
        dashes, width_pt = ((4, 2), 1.1) if row.kind == event_types.FAULT else ((1, 2), 0.9)
        axes.axvline(x, color=FAULT, linewidth=width_pt, linestyle=(0, dashes), zorder=1.5, label=row.kind)
        length = width * _CHARACTER * (len(label) + 2)
        at_end = x + length > place(shown[1])
        left, right = (x - length, x) if at_end else (x, x + length)
        level = next((n for n, others in enumerate(taken) if all(right <= a or left >= b for a, b in others)), None)
        if level is None:
            left_out += 1
            continue
        taken[level].append((left, right))
        axes.annotate(
            label,
            (x, 1),
            (-3 if at_end else 3, 3 + 11 * level),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            color=FAULT,
            fontsize=8,
            ha="right" if at_end else "left",
        )
    return left_out


# --- Legend


def _legend(
    figure: Figure, members: Mapping[NodeId, Sequence[Segment]], shown: Window, colours: Mapping[str, str], lost: bool
) -> None:
    """Explain what the window shows, and nothing else."""
    visible = [segment for segments in members.values() for segment in _clip(segments, shown)]
    roles = {segment.role for segment in visible if segment.running}
    handles: list[Patch | Line2D] = [Patch(facecolor=role_colour(r), label=r) for r in Role if r in roles]
    if None in roles:
        handles.append(Patch(facecolor=role_colour(None), label="undeclared"))
    if any(segment.paused for segment in visible):
        handles.append(Patch(facecolor="white", edgecolor="#444444", hatch="/////", linewidth=0, label="paused"))
    if not all(segment.running for segment in visible):
        handles.append(Patch(facecolor=DOWN, edgecolor="#BBBBBB", linestyle=":", label="down"))
    if any(segment.term for segment in visible):
        handles.append(Line2D([], [], linestyle="none", marker="$2$", color="black", markersize=5, label="term"))
    for marker, label in (("X", "crashed"), ("^", "started")):
        if any(path.get_label() == label for path in figure.axes[0].collections):
            handles.append(Line2D([], [], linestyle="none", marker=marker, color="black", label=label))
    handles += [Line2D([], [], color=colour, linewidth=1.3, label=name) for name, colour in colours.items()]
    if lost:
        handles.append(Line2D([], [], linestyle="none", marker="x", color=GREY, label="lost"))
    figure.legend(handles=handles, loc="outside lower left", ncols=6, columnspacing=1.4, handlelength=1.4)
