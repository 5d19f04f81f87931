"""Timers that are looked at in a loop, as PySyncObj's are."""

from __future__ import annotations

from typing import Protocol

from simulator.protocol import Host, Nanoseconds


class TimerHost(Protocol):
    """What sets and cancels named timers: a `Host`, or `PolledTimers`."""

    def set_timer(self, name: str, delay: Nanoseconds) -> None:
        """Set a timer, in place of one of the same name."""
        ...

    def cancel_timer(self, name: str) -> None:
        """Cancel a timer, if it is set."""
        ...


class PolledTimers:
    """Timers of a host that are looked at in a loop. One that came due waits; setting or cancelling it calls it off."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.due: dict[str, None] = {}  # Names, in the order in which they came due.

    def set_timer(self, name: str, delay: Nanoseconds) -> None:
        """Set the host's timer with this name."""
        self.due.pop(name, None)
        self.host.set_timer(name, delay)

    def cancel_timer(self, name: str) -> None:
        """Cancel the host's timer with this name."""
        self.due.pop(name, None)
        self.host.cancel_timer(name)
