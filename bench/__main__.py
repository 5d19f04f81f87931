"""`python -m bench`: prints every ratio with its spread and its goal. Slowness is never an error: it exits with 0."""

from __future__ import annotations

import argparse
import json
import os
import platform
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.measure import Ratio, rates
from bench.messages import bare_timeouts, flood, process_per_message, raft_steady_state
from bench.trials import ANNOUNCED, Samesim, leader_crash_trials, samesim

NARROWEST = 130  # Columns that the table needs.
MISSING = "needs samesim: pip install --group bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One comparison. A goal of None: shown for orientation only."""

    key: str
    ours: str
    theirs: str
    goal: float | None
    ratio: Ratio | None  # None: could not be measured.

    @property
    def verdict(self) -> str:
        """`pass` or `miss`; empty without a goal."""
        if self.ratio is None:
            return MISSING
        if self.goal is None:
            return ""
        return "pass" if self.ratio.median >= self.goal else "miss"

    def to_dict(self) -> dict[str, object]:
        """As `--json` prints it."""
        measured: dict[str, object] = dict(self.ratio.to_dict()) if self.ratio else {}
        return {"key": self.key, "ours": self.ours, "theirs": self.theirs, "goal": self.goal} | {
            "verdict": self.verdict,
            **measured,
        }


def message_lines(rounds: int, size: int) -> list[Line]:
    """Our network against SimPy; `size` is the number of messages in a round."""
    measured = rates(
        {
            "flood": partial(flood, size),
            "raft": partial(raft_steady_state, size),
            "bare": partial(bare_timeouts, size),
            "idiom": partial(process_per_message, size // 4),
        },
        rounds,
    )
    compared = [
        ("messages_against_timeouts", "messages, flood", "bare SimPy timeout callbacks", 0.5, "flood", "bare"),
        ("raft_against_timeouts", "messages, Raft steady state", "bare SimPy timeout callbacks", None, "raft", "bare"),
        ("messages_against_idiom", "messages, flood", "SimPy process and Store per message", 3.5, "flood", "idiom"),
    ]
    return [
        Line(key=key, ours=ours, theirs=theirs, goal=goal, ratio=Ratio.of(measured[one], measured[other]))
        for key, ours, theirs, goal, one, other in compared
    ]


def trial_lines(rounds: int, trials: int) -> list[Line]:
    """Our trials against samesim's; `trials` of theirs in a round, and a few times as many of ours."""
    ours, example = "leader-crash trials", "samesim raft_leader_crash"
    once = partial(Line, key="trials_against_samesim", ours=ours, theirs=example, goal=10.0)
    by_name = partial(
        Line, key="trials_against_samesim_by_name", ours=ours, theirs=f"{example}, its YAML read each time", goal=None
    )
    stopped = partial(
        Line, key="stopped_trials_against_samesim", ours=f"{ours}, stopped when announced", theirs=example, goal=None
    )
    if samesim is None:
        return [once(ratio=None), by_name(ratio=None), stopped(ratio=None)]
    theirs = Samesim()
    measured = rates(
        {
            "ours": partial(leader_crash_trials, 5 * trials),
            "stopped": partial(leader_crash_trials, 10 * trials, ANNOUNCED),
            "once": partial(theirs.trials, trials),
            "by name": partial(theirs.trials_by_name, trials),
        },
        rounds,
    )
    return [
        once(ratio=Ratio.of(measured["ours"], measured["once"])),
        by_name(ratio=Ratio.of(measured["ours"], measured["by name"])),
        stopped(ratio=Ratio.of(measured["stopped"], measured["once"])),
    ]


def table(lines: list[Line]) -> Table:
    """All lines, for a reader."""
    shown = Table(title="Ours against theirs, per second of processor time", box=SIMPLE_HEAD)
    shown.add_column("ours", overflow="fold")
    shown.add_column("theirs", overflow="fold")
    for heading in ("ours/s", "theirs/s", "ratio", "quartiles", "range", "goal"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("")
    for line in lines:
        shown.add_row(line.ours, line.theirs, *_figures(line.ratio), _goal(line.goal), line.verdict)
    return shown


def _figures(ratio: Ratio | None) -> list[str]:
    if ratio is None:
        return [""] * 5
    return [
        f"{ratio.ours_per_s:,.0f}",
        f"{ratio.theirs_per_s:,.0f}",
        f"{ratio.median:.2f}",
        f"{ratio.low:.2f} … {ratio.high:.2f}",
        f"{ratio.least:.2f} … {ratio.most:.2f}",
    ]


def _goal(goal: float | None) -> str:
    return "" if goal is None else f"≥ {goal:g}"


def machine() -> dict[str, str]:
    """What a reader needs to judge the rates by; the ratios travel better."""
    packages = {name: version(name) for name in ("simpy", "numpy")}
    if samesim is not None:
        packages["samesim"] = version("samesim")
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        **packages,
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: a look, not a figure to quote")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    arguments = parser.parse_args()
    rounds, size, trials = (7, 10_000, 4) if arguments.quick else (41, 40_000, 8)
    where = machine()
    lines = message_lines(rounds, size) + trial_lines(rounds, trials)
    if arguments.json:
        print(json.dumps({"machine": where, "rounds": rounds, "lines": [line.to_dict() for line in lines]}, indent=2))
        return
    console = Console()
    console.width = max(console.width, NARROWEST)
    console.print(", ".join(f"{name}: {value}" for name, value in where.items()), soft_wrap=True)
    console.print(table(lines))
    console.print(
        f"Medians over {rounds} rounds in which the contestants take turns; quartiles and range of the ratio within a "
        "round.\nWhat is compared, and how alike it is: docs/performance.md."
    )


if __name__ == "__main__":
    main()
