"""SimPy's environment, with a bounded run.

Time is an integer count of nanoseconds. The hot path pushes its own slotted entries on SimPy's queue: an entry
looks like an event that has already succeeded (`callbacks` and `_ok`), which is all that SimPy's loop asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop
from itertools import repeat
from typing import Any

import simpy
from simpy.core import StopSimulation
from simpy.events import URGENT


class EventLimitError(RuntimeError):
    """A trial has handled more events than its scenario allows: it is a runaway."""


class Entry:
    """Something due: what the queue holds in place of an event."""

    __slots__ = ("callbacks",)
    _ok = True

    def __init__(self, callback: Callable[[Any], None]) -> None:
        self.callbacks: Any = (callback,)


def _stop(_: object) -> None:
    raise StopSimulation(None)


class Kernel(simpy.Environment):
    """An environment whose clock is an integer."""

    _now: int

    def __init__(self) -> None:
        super().__init__(initial_time=0)

    def call_after(self, delay_ns: int, callback: Callable[[Any], None]) -> None:
        """Call back after a delay; two things due at one instant happen in the order in which they were scheduled."""
        self.schedule(Entry(callback), delay=delay_ns)  # type: ignore[arg-type]

    def stop(self) -> None:
        """End the run at this instant, after the step that is under way."""
        self.schedule(Entry(_stop), priority=URGENT)  # type: ignore[arg-type]

    def run_until(self, end_ns: int, event_limit: int) -> None:
        """Handle what is due before `end_ns`, at most `event_limit` events.

        The loop is SimPy's own `step`, inlined, since a call per event costs a tenth of the speed.
        """
        self.schedule(Entry(_stop), priority=URGENT, delay=end_ns - self.now)  # type: ignore[arg-type]
        queue = self._queue
        try:
            for _ in repeat(None, event_limit):
                self._now, _, _, event = heappop(queue)  # type: ignore[assignment]
                callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
                for callback in callbacks:
                    callback(event)
                if not event._ok and not hasattr(event, "_defused"):
                    raise event._value
        except StopSimulation:
            return
        raise EventLimitError(
            f"more than {event_limit:,} events before the end of the trial, at {self.now / 1e9:.6f} s: "
            "raise limits.events if this is meant"
        )
