"""A duration that is the sum of several random delays, which may change while the simulation runs."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.protocol import Nanoseconds


class SumOfDelays:
    """The sum of several random delays. Faults add and remove delays while the simulation runs.

    Used for disk writes and message processing. `none` is true while there are no delays.
    """

    __slots__ = ("_delays", "none")

    def __init__(self, base: Iterator[int] | None) -> None:
        self._delays: list[Iterator[int]] = [] if base is None else [base]
        self.none = base is None

    def draw(self) -> Nanoseconds:
        """One duration: the sum of the next value of each delay."""
        return sum(map(next, self._delays))

    def add(self, delay: Iterator[int]) -> None:
        """Add a delay, an endless iterator of nanoseconds, to the sum."""
        self._delays.append(delay)
        self.none = False

    def remove(self, delay: Iterator[int]) -> None:
        """Remove a delay that was added; the iterator is found by identity."""
        self._delays = [other for other in self._delays if other is not delay]
        self.none = not self._delays
