"""SimPy's environment, with a bounded run.

Time is an integer count of nanoseconds. The queue holds calls, `(at_ns, priority, order, act, one, other)`, in place
of SimPy's events: a message or an alarm needs no event around it, and an event of SimPy's own is one more call.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import repeat
from typing import Any

import simpy
from simpy.core import StopSimulation
from simpy.events import NORMAL, URGENT


class EventLimitError(RuntimeError):
    """A trial has handled more events than its scenario allows: it is a runaway."""


def _stop(_: object, __: object) -> None:
    raise StopSimulation(None)


def _check_nothing() -> None:
    """The check of a run that has none."""


def _process(event: Any, _: object) -> None:
    """What SimPy's own `step` does with an event that has come due."""
    callbacks, event.callbacks = event.callbacks, None
    for callback in callbacks:
        callback(event)
    if not event._ok and not hasattr(event, "_defused"):
        raise event._value


class Kernel(simpy.Environment):
    """An environment whose clock is an integer."""

    _now: int

    def __init__(self) -> None:
        super().__init__(initial_time=0)
        self._queue: list[Any] = []
        self.events_left = 0  # The least number of events that may still be handled.

    def push(self, at_ns: int, act: Callable[[Any, Any], None], one: Any = None, other: Any = None) -> None:
        """Call `act(one, other)` at an instant; things due at one instant happen in the order of their scheduling."""
        heappush(self._queue, (at_ns, NORMAL, next(self._eid), act, one, other))

    def schedule(self, event: Any, priority: int = NORMAL, delay: Any = 0) -> None:
        """Schedule an event of SimPy's own: its timeouts and processes call this."""
        heappush(self._queue, (self._now + delay, priority, next(self._eid), _process, event, None))

    def step(self) -> None:
        """Handle what is due next; raises IndexError where nothing is."""
        self._now, _, _, act, one, other = heappop(self._queue)
        act(one, other)

    def stop(self) -> None:
        """End the run at this instant, after the step that is under way."""
        self._stop_at(self._now)

    def _stop_at(self, at_ns: int) -> None:
        heappush(self._queue, (at_ns, URGENT, next(self._eid), _stop, None, None))

    def run_until(
        self,
        end_ns: int,
        event_limit: int,
        check: Callable[[], int | None] = _check_nothing,
        events_between: int = 1 << 62,
    ) -> None:
        """Handle all events before `end_ns`, and call `check` after every `events_between` events.

        If `check` skips events, it returns how many.

        `step` is inlined, which is a tenth faster. Raises EventLimitError after `event_limit` events, and what `check`
        raises.
        """
        queue = self._queue
        self._stop_at(end_ns)
        left = event_limit
        try:
            while left > 0:
                turn = min(left, events_between)
                self.events_left = left - turn
                for _ in repeat(None, turn):
                    self._now, _, _, act, one, other = heappop(queue)
                    act(one, other)
                left -= turn + (check() or 0)
        except StopSimulation:
            return
        raise EventLimitError(
            f"more than {event_limit:,} events before the end of the trial, at {self.now / 1e9:.6f} s: "
            "raise limits.events if this is meant"
        )
