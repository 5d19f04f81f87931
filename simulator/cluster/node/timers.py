"""A node's named timers.

A timer keeps its deadline, and has one entry in the kernel's queue. If the entry comes due before the deadline, it is
queued again for the deadline. So postponing an election timeout, as every heartbeat does, costs no heap operation.

Things that are due at the same instant happen in the order in which they were scheduled. A timer takes its place in
that order when it is set, so that queuing its entry again does not change the order.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush
from typing import Any

from simpy.events import NORMAL

from simulator.cluster.kernel import Kernel
from simulator.protocol import Nanoseconds

_NOT_QUEUED = 1 << 62  # An instant later than any deadline: this entry is not in the queue.


class TimerEntry:
    """The entry in the kernel's queue for one named timer."""

    __slots__ = ("deadline_ns", "name", "order", "queued_for_ns", "queued_order")

    def __init__(self, name: str, deadline_ns: Nanoseconds, order: int) -> None:
        self.name = name
        self.deadline_ns: Nanoseconds | None = deadline_ns  # None if the timer is cancelled.
        self.order = order
        self.queued_for_ns = deadline_ns
        self.queued_order = order


class Timers:
    """The timers of one node. `on_due` is called with a timer's entry at its deadline."""

    def __init__(self, kernel: Kernel, on_due: Callable[[TimerEntry], None]) -> None:
        self._kernel = kernel
        self._queue: list[Any] = kernel._queue
        self._order = kernel._eid
        self._on_due = on_due
        self._entries: dict[str, TimerEntry] = {}

    @property
    def pending(self) -> tuple[str, ...]:
        """The names of the timers that have not come due, sorted."""
        return tuple(sorted(name for name, entry in self._entries.items() if entry.deadline_ns is not None))

    def set(self, name: str, delay: Nanoseconds) -> None:
        """Set a timer to come due after a delay; a timer with this name that is pending is replaced."""
        deadline_ns = self._kernel._now + delay
        order = next(self._order)
        entry = self._entries.get(name)
        if entry is not None and entry.queued_for_ns <= deadline_ns:
            entry.deadline_ns = deadline_ns
            entry.order = order
        else:
            entry = self._entries[name] = TimerEntry(name, deadline_ns, order)
            self._push(entry)

    def cancel(self, name: str) -> None:
        """Cancel a timer, if one with this name is pending."""
        entry = self._entries.get(name)
        if entry is not None:
            entry.deadline_ns = None

    def move_deadlines(self, moved: Callable[[Nanoseconds], Nanoseconds]) -> None:
        """Replace the deadline of each pending timer by `moved(deadline_ns)`. The timers keep their order."""
        now_ns = self._kernel._now
        for entry in sorted(self._entries.values(), key=lambda entry: entry.order):
            if entry.deadline_ns is not None and entry.deadline_ns > now_ns:
                self.set(entry.name, moved(entry.deadline_ns) - now_ns)

    def place(self, name: str) -> tuple[Nanoseconds, int] | None:
        """When a pending timer is due, and its place among things due at this instant; None if it is not pending."""
        entry = self._entries.get(name)
        return None if entry is None or entry.deadline_ns is None else (entry.deadline_ns, entry.order)

    def move(self, name: str, deadline_ns: Nanoseconds, order: int) -> None:
        """Give a pending timer another deadline and place, and queue it anew. Its old entry does nothing when due."""
        self._entries[name] = entry = TimerEntry(name, deadline_ns, order)
        self._push(entry)

    def forget_cancelled(self) -> None:
        """Forget timers that are not pending, whose entries may have been taken out of the queue."""
        self._entries = {name: entry for name, entry in self._entries.items() if entry.deadline_ns is not None}

    def clear(self) -> None:
        """Forget all timers. Their entries in the queue do nothing when they come due."""
        self._entries = {}

    def use_up(self, entry: TimerEntry, deadline_ns: Nanoseconds) -> bool:
        """Remove a timer that has come due. False if it was set anew, cancelled or cleared since that deadline."""
        if self._entries.get(entry.name) is entry and entry.deadline_ns == deadline_ns:
            del self._entries[entry.name]
            return True
        return False

    def _push(self, entry: TimerEntry) -> None:
        entry.queued_for_ns = entry.deadline_ns  # type: ignore[assignment]
        entry.queued_order = entry.order
        heappush(self._queue, (entry.deadline_ns, NORMAL, entry.order, self._come_due, entry, None))

    def _come_due(self, entry: TimerEntry, _: None) -> None:
        if self._entries.get(entry.name) is not entry:
            return
        if entry.deadline_ns is None:
            del self._entries[entry.name]
        elif entry.order != entry.queued_order:  # The timer was set again since then, for this instant or a later one.
            self._push(entry)
        else:
            entry.queued_for_ns = _NOT_QUEUED
            self._on_due(entry)
