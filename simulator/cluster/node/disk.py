"""A node's disk. It carries out one write after the other, and each takes time. Faults can slow or stall the disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping

from simulator.cluster.kernel import Kernel
from simulator.cluster.node.delays import SumOfDelays
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
        self.times = SumOfDelays(write_times)  # Without any delay, a write takes no time.
        self._kernel = kernel
        self._written = written
        self.activity = 0  # How many writes have begun or come due.
        self._free_at: Nanoseconds = 0
        self._stalls = 0
        self._under_way: deque[Write] = deque()
        # The number of queued writes, from the first on, that would be on disk if the disk had not stalled.
        self._due = 0

    @property
    def instant(self) -> bool:
        """Whether a write is on disk as soon as it is requested: writes take no time, and no earlier write is under
        way.
        """
        return self.times.none and not self._stalls and not self._under_way

    def write(self, write: Write) -> None:
        """Begin a write. It is on disk once it and all earlier ones have taken their time."""
        self.activity += 1
        self._free_at = max(self._kernel._now, self._free_at) + self.times.draw()
        self._under_way.append(write)
        self._kernel.push(self._free_at, self._comes_due, self._under_way)

    def forget(self) -> None:
        """Its host has crashed: no write is under way."""
        self._free_at = 0
        # A completion that was scheduled for the old disk is no longer known, and is ignored.
        self._under_way = deque()
        self._due = 0

    def stall(self) -> None:
        """Hold back all writes until `unstall` is called as often as this."""
        self._stalls += 1

    def unstall(self) -> None:
        """End one of the stalls; with the last, all that is due is written at once."""
        self._stalls -= 1
        self._catch_up()

    def _comes_due(self, under_way: deque[Write], _: None) -> None:
        if under_way is self._under_way:
            self.activity += 1
            self._due += 1
            self._catch_up()

    def _catch_up(self) -> None:
        while self._due and not self._stalls:
            self._due -= 1
            self._written(self._under_way.popleft())
