"""The messages in the figure of one trial: arrows between the lines of its nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median

import numpy as np
from matplotlib.axes import Axes

from simulator.metrics.node_timelines import Window
from simulator.protocol import Nanoseconds, NodeId
from simulator.report.figures.style import MESSAGES
from simulator.trace.trace import MessageRow, Trace

BAR_HEIGHT = 0.42  # A fraction of the distance between two lines; arrows need the rest.
Place = Callable[[Nanoseconds], float]  # Converts an instant to its place on the axis.


def within(message: MessageRow, shown: Window) -> bool:
    """Whether a message was under way at some instant of a window."""
    end_ns = message.sent_ns if message.arrives_ns is None else message.arrives_ns
    return message.sent_ns <= shown[1] and end_ns >= shown[0]


def message_colours(trace: Trace, messages: Sequence[MessageRow]) -> dict[str, str]:
    """A colour per type, the same whatever the window; only of types that are shown."""
    types = list(dict.fromkeys([*trace.message_types, *(message.type for message in messages)]))
    seen = {message.type for message in messages}
    return {name: MESSAGES[number % len(MESSAGES)] for number, name in enumerate(types) if name in seen}


def draw_messages(
    axes: Axes, messages: Sequence[MessageRow], rows: Mapping[NodeId, int], colours: Mapping[str, str], place: Place
) -> None:
    """Thin arrows from sender to receiver, from sending to arrival. A lost message ends in a cross half-way."""
    flights = [m.arrives_ns - m.sent_ns for m in messages if m.arrives_ns is not None]
    half_flight_ns = round(median(flights) / 2) if flights else 0
    alpha = float(np.clip(60 / max(len(messages), 1), 0.3, 0.9))
    for name, colour in colours.items():
        tails, heads, crosses = [], [], []
        for message in (m for m in messages if m.type == name):
            down = 1 if rows[message.to] > rows[message.sender] else -1
            start = rows[message.sender] + down * BAR_HEIGHT / 2
            end = rows[message.to] - down * BAR_HEIGHT / 2
            tails.append((place(message.sent_ns), start))
            if message.arrives_ns is None:
                heads.append((place(message.sent_ns + half_flight_ns), (start + end) / 2))
                crosses.append(heads[-1])
            else:
                heads.append((place(message.arrives_ns), end))
        tail, head = np.array(tails), np.array(heads)
        axes.quiver(
            *tail.T,
            *(head - tail).T,
            angles="xy",
            scale_units="xy",
            scale=1,
            units="dots",
            width=1.1,
            headwidth=6,
            headlength=7,
            headaxislength=6,
            minlength=0,
            color=colour,
            alpha=alpha,
            zorder=3,
            label=name,
        )
        if crosses:
            x, y = np.array(crosses).T
            axes.scatter(x, y, marker="x", s=22, c=colour, linewidths=1.2, zorder=4, label="lost")
