"""How every figure looks: colours that colour-blind readers tell apart (Okabe and Ito 2008), and no ornament."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.protocol import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE, Role

BLACK = "#000000"
ORANGE = "#E69F00"
SKY_BLUE = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#666666"

# Followers are the quiet background; in grey print the roles still differ: pale, light, medium, dark.
ROLES = {FOLLOWER: "#D6ECF8", PRE_CANDIDATE: YELLOW, CANDIDATE: ORANGE, LEADER: GREEN}
UNDECLARED = "#EEEEEE"  # The node runs, and has declared no role yet.
DOWN = "#FFFFFF"
FAULT = VERMILLION
SERIES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY_BLUE, BLACK)
MESSAGES = (BLUE, PURPLE, GREY, SKY_BLUE, BLACK, VERMILLION, "#8C6D00")

_SETTINGS = {
    "font.family": "DejaVu Sans",  # Comes with matplotlib: the same figure on any machine.
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "hatch.linewidth": 0.7,
    "savefig.dpi": 150,
    "svg.hashsalt": "electsim",  # The ids in an SVG are random otherwise.
}


@contextmanager
def style() -> Iterator[None]:
    """The settings, for as long as a figure is made or written."""
    with mpl.rc_context(_SETTINGS):  # type: ignore[arg-type]
        yield


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of this size in inches, bound to no window and no global state."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def short(value: float) -> str:
    """A number with three significant digits, or as a whole number from 100 on; a large number has no exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def role_colour(role: Role | None) -> str:
    """The colour of a role; None is a node that has not declared a role."""
    return UNDECLARED if role is None else ROLES[role]
