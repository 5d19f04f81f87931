"""A node's named timers.

A timer keeps its deadline, and its alarm in SimPy's queue re-arms when it rings too early: postponing an election
timeout, which every heartbeat does, costs no heap operation. The alarm takes its place among the things due at one
instant when the timer is set, so that re-arming does not change the order of events.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush
from typing import Any

from simpy.events import NORMAL

from simulator.cluster.kernel import Kernel

_OUT_OF_QUEUE = 1 << 62  # An instant later than any deadline: this alarm will not ring again.


class Alarm:
    """An entry in the queue for one named timer."""

    __slots__ = ("deadline", "name", "order", "rings_at", "rings_order")

    def __init__(self, name: str, deadline: int, order: int) -> None:
        self.name = name
        self.deadline: int | None = deadline  # None: cancelled.
        self.order = order
        self.rings_at = deadline
        self.rings_order = order


class Timers:
    """The timers of one node. `due` is called with an alarm at its deadline."""

    def __init__(self, kernel: Kernel, due: Callable[[Alarm], None]) -> None:
        self._kernel = kernel
        self._queue: list[Any] = kernel._queue
        self._order = kernel._eid
        self._due = due
        self._alarms: dict[str, Alarm] = {}

    @property
    def pending(self) -> tuple[str, ...]:
        """The names of the timers that have not come due, sorted."""
        return tuple(sorted(name for name, alarm in self._alarms.items() if alarm.deadline is not None))

    def set(self, name: str, delay: int) -> None:
        deadline = self._kernel._now + delay
        order = next(self._order)
        alarm = self._alarms.get(name)
        if alarm is not None and alarm.rings_at <= deadline:
            alarm.deadline = deadline
            alarm.order = order
        else:
            alarm = self._alarms[name] = Alarm(name, deadline, order)
            self._push(alarm)

    def cancel(self, name: str) -> None:
        alarm = self._alarms.get(name)
        if alarm is not None:
            alarm.deadline = None

    def move(self, moved: Callable[[int], int]) -> None:
        """Give every timer that has not come due the deadline that `moved` makes of its own; their order stays."""
        now = self._kernel._now
        for alarm in sorted(self._alarms.values(), key=lambda alarm: alarm.order):
            if alarm.deadline is not None and alarm.deadline > now:
                self.set(alarm.name, moved(alarm.deadline) - now)

    def clear(self) -> None:
        """Forget every timer: what the queue still holds for them will find itself unknown."""
        self._alarms = {}

    def take(self, alarm: Alarm, deadline: int) -> bool:
        """Use an alarm up, unless its timer was set anew, cancelled or lost in a crash since that deadline."""
        if self._alarms.get(alarm.name) is alarm and alarm.deadline == deadline:
            del self._alarms[alarm.name]
            return True
        return False

    def _push(self, alarm: Alarm) -> None:
        alarm.rings_at = alarm.deadline  # type: ignore[assignment]
        alarm.rings_order = alarm.order
        heappush(self._queue, (alarm.deadline, NORMAL, alarm.order, self._ring, alarm, None))

    def _ring(self, alarm: Alarm, _: None) -> None:
        if self._alarms.get(alarm.name) is not alarm:
            return
        if alarm.deadline is None:
            del self._alarms[alarm.name]
        elif alarm.order != alarm.rings_order:  # The timer was set anew since, to then or later.
            self._push(alarm)
        else:
            alarm.rings_at = _OUT_OF_QUEUE
            self._due(alarm)
