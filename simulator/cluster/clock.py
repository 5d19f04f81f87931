"""A node's clocks. Its monotonic clock drifts and never jumps; its wall clock is that, with an offset that may.

A drift is given in parts per billion by which the clock is too fast: integers leave no rounding to differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from simulator.protocol import Nanoseconds

_BILLION = 1_000_000_000


def elapsed(true_ns: Nanoseconds, drift_ppb: int) -> Nanoseconds:
    """How far a clock of that drift gets in a time, rounded down."""
    return true_ns * (_BILLION + drift_ppb) // _BILLION


def true_delay(delay_ns: Nanoseconds, drift_ppb: int) -> Nanoseconds:
    """The time that passes until a clock of that drift has told a delay, rounded up."""
    return -(-delay_ns * _BILLION // (_BILLION + drift_ppb))


class Skew(NamedTuple):
    """One way in which clocks are wrong; None where it leaves that as it is."""

    drift_ppb: int | None
    offset_ns: Nanoseconds | None
    jump_ns: Nanoseconds


def combined(skews: Iterable[Skew]) -> tuple[int, Nanoseconds]:
    """Drift and offset under skews in the order in which they came: the latest of each, and the jumps since then."""
    drift_ppb = offset_ns = 0
    for skew in skews:
        drift_ppb = drift_ppb if skew.drift_ppb is None else skew.drift_ppb
        offset_ns = (offset_ns if skew.offset_ns is None else skew.offset_ns) + skew.jump_ns
    return drift_ppb, offset_ns


class Clock:
    """Both clocks of one node; they begin at 0 with the trial, whatever the node does."""

    __slots__ = ("_since_ns", "_told_ns", "drift_ppb", "offset_ns")

    def __init__(self) -> None:
        self.drift_ppb = 0
        self.offset_ns: Nanoseconds = 0
        self._since_ns: Nanoseconds = 0  # When the drift changed last, and what the monotonic clock told then.
        self._told_ns: Nanoseconds = 0

    def monotonic(self, now_ns: Nanoseconds) -> Nanoseconds:
        return self._told_ns + elapsed(now_ns - self._since_ns, self.drift_ppb)

    def wall(self, now_ns: Nanoseconds) -> Nanoseconds:
        return self.monotonic(now_ns) + self.offset_ns

    def drift(self, drift_ppb: int, now_ns: Nanoseconds) -> None:
        """Change the drift from now on."""
        self._told_ns, self._since_ns = self.monotonic(now_ns), now_ns
        self.drift_ppb = drift_ppb
