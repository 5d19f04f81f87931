"""Occasions by name: how often each has come, and who waits for one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any


class Triggers:
    """`event` makes an event of SimPy, for whoever waits."""

    def __init__(self, event: Callable[[], Any]) -> None:
        self._event = event
        self._come: Counter[str] = Counter()
        self._waiting: dict[tuple[str, int], Any] = {}

    def happened(self, name: str) -> None:
        self._come[name] += 1
        event = self._waiting.pop((name, self._come[name]), None)
        if event is not None:
            event.succeed()

    def trigger(self, name: str, occurrence: int) -> Any:
        """An event that succeeds with that occurrence; at once if it is over."""
        if self._come[name] >= occurrence:
            return self._event().succeed()
        return self._waiting.setdefault((name, occurrence), self._event())
