"""A node's disk: writes take their time, one after the other; it may be slow, or stall."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from simulator.cluster.delays import Delays
from simulator.cluster.kernel import Kernel
from simulator.protocol import Nanoseconds


class Write:
    """A write on its way to disk."""

    __slots__ = ("incarnation", "then", "values")

    def __init__(self, incarnation: int, then: str | None, values: Mapping[str, object]) -> None:
        self.incarnation = incarnation
        self.then = then
        self.values = values


class Disk:
    """`written` is called with each write when it is on disk, in the order in which they were requested."""

    def __init__(self, kernel: Kernel, write_times: Iterator[int] | None, written: Callable[[Write], None]) -> None:
        self.times = Delays(write_times)  # Without any, writing takes no time.
        self._kernel = kernel
        self._written = written
        self._free_at: Nanoseconds = 0
        self._stalls = 0
        self._stuck: list[Write] = []  # Writes that would be on disk if it had not stalled.

    @property
    def instant(self) -> bool:
        """Whether a write is on disk as soon as it is requested."""
        return self.times.none and not self._stalls

    def write(self, write: Write) -> None:
        self._free_at = max(self._kernel._now, self._free_at) + self.times.draw()
        self._kernel.push(self._free_at, self._due, write)

    def forget(self) -> None:
        """Its host has crashed: no write is under way. The writes themselves are known by their incarnation."""
        self._free_at = 0

    def stall(self) -> None:
        self._stalls += 1

    def unstall(self) -> None:
        """End one of the stalls; with the last, all that is due is written at once."""
        self._stalls -= 1
        if not self._stalls:
            stuck, self._stuck = self._stuck, []
            for write in stuck:
                self._written(write)

    def _due(self, write: Write, _: None) -> None:
        if self._stalls:
            self._stuck.append(write)
        else:
            self._written(write)
