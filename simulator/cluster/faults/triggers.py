"""Triggers by name: how often each has happened, and which events wait for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any


class Triggers:
    """The triggers of one trial. `event` makes an event of SimPy, for a process that waits."""

    def __init__(self, event: Callable[[], Any]) -> None:
        self._event = event
        self._count: Counter[str] = Counter()
        self._waiting: dict[tuple[str, int], Any] = {}

    def happened(self, name: str) -> None:
        """Count the trigger, and let the event that waits for this occurrence succeed."""
        self._count[name] += 1
        event = self._waiting.pop((name, self._count[name]), None)
        if event is not None:
            event.succeed()

    def trigger(self, name: str, occurrence: int) -> Any:
        """Returns an event that succeeds with that occurrence, or at once if that is over."""
        if self._count[name] >= occurrence:
            return self._event().succeed()
        return self._waiting.setdefault((name, occurrence), self._event())
