"""A node's clocks. The monotonic clock drifts and never jumps. The wall clock is the monotonic clock plus an offset,
which may jump.

A list of skews is in force. The drift and the offset of the latest skew count, and a jump adds to the offset before it.
A skew can therefore be removed alone, while the others stay in force.

A drift is given in parts per billion by which the clock is too fast: integers leave no rounding to differ.
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.protocol import Nanoseconds

_BILLION = 1_000_000_000


def elapsed(true_ns: Nanoseconds, drift_ppb: int) -> Nanoseconds:
    """The time that a clock with this drift shows after a true time, rounded down."""
    return true_ns * (_BILLION + drift_ppb) // _BILLION


def true_delay(delay_ns: Nanoseconds, drift_ppb: int) -> Nanoseconds:
    """The true time that passes until a clock with this drift has advanced by a delay, rounded up."""
    return -(-delay_ns * _BILLION // (_BILLION + drift_ppb))


class Skew(NamedTuple):
    """One error of clocks: a drift, an offset and a jump. None means that the skew does not change this value."""

    drift_ppb: int | None = None  # Above -10**9: a clock does not stand still.
    offset_ns: Nanoseconds | None = None  # How far the wall clock is ahead. This replaces the offset before it.
    jump_ns: Nanoseconds = 0  # How far the wall clock jumps ahead. This adds to the offset before it.


class Clock:
    """Both clocks of one node; they begin at 0 with the trial, whatever the node does."""

    __slots__ = ("_since_ns", "_skews", "_told_ns", "drift_ppb", "offset_ns")

    def __init__(self) -> None:
        self.drift_ppb = 0
        self.offset_ns: Nanoseconds = 0
        self._skews: tuple[Skew, ...] = ()
        # The instant of the last change of the drift, and what the monotonic clock showed then.
        self._since_ns: Nanoseconds = 0
        self._told_ns: Nanoseconds = 0

    def monotonic(self, now_ns: Nanoseconds) -> Nanoseconds:
        """What the monotonic clock shows at an instant of the simulation."""
        return self._told_ns + elapsed(now_ns - self._since_ns, self.drift_ppb)

    def wall(self, now_ns: Nanoseconds) -> Nanoseconds:
        """What the wall clock shows at an instant of the simulation."""
        return self.monotonic(now_ns) + self.offset_ns

    def reaches(self, told_ns: Nanoseconds) -> Nanoseconds:
        """The first instant, from the last change on, at which the monotonic clock shows this time."""
        return self._since_ns + true_delay(told_ns - self._told_ns, self.drift_ppb)

    def add(self, skew: Skew, now_ns: Nanoseconds) -> None:
        """Put a skew in force from this instant on."""
        self._apply((*self._skews, skew), now_ns)

    def remove(self, skew: Skew, now_ns: Nanoseconds) -> None:
        """Remove a skew. It is found by identity, so an equal skew stays in force."""
        self._apply(tuple(other for other in self._skews if other is not skew), now_ns)

    def _apply(self, skews: tuple[Skew, ...], now_ns: Nanoseconds) -> None:
        self._told_ns, self._since_ns = self.monotonic(now_ns), now_ns
        self._skews, self.drift_ppb, self.offset_ns = skews, 0, 0
        for skew in skews:
            if skew.drift_ppb is not None:
                self.drift_ppb = skew.drift_ppb
            if skew.offset_ns is not None:
                self.offset_ns = skew.offset_ns
            self.offset_ns += skew.jump_ns
