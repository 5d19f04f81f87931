"""SIGINT (Ctrl-C) and SIGTERM: the first one ends a run in order, and the second one ends the program at once.

The command line installs the handlers with `handled`. A program or a notebook that calls `simulator.run` keeps its own:
there, Ctrl-C raises KeyboardInterrupt as always, and SIGTERM does what that program has decided.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED, TERMINATED = "interrupted", "terminated"  # `stopped_by` of a run that a signal has ended.

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# The command `timeout` sends its signal twice: to the process and to its group. Two signals within this time count as
# one.
_SAME_S = 0.25


class Terminated(KeyboardInterrupt):
    """SIGTERM, handled as Ctrl-C is."""


class _Handlers:
    """What has been received, and whether it may be raised now."""

    def __init__(self) -> None:
        self.received: int | None = None
        self.raised = False
        self.deferred = 0  # The number of code blocks under way in which signals are deferred.
        self._when = 0.0

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: raise it at once or later. A second one ends the process at once."""
        if self.received is not None:
            if number != self.received or time.monotonic() > self._when + _SAME_S:
                os._exit(128 + number)  # Workers see that their coordinator is gone, and end.
            return
        self.received, self._when = number, time.monotonic()
        self.raise_pending()

    def raise_pending(self) -> None:
        """Raise the exception of a signal that was received, unless it was raised or must wait."""
        if self.received is not None and not self.raised and not self.deferred:
            self.raised = True
            raise Terminated if self.received == signal.SIGTERM else KeyboardInterrupt


_current: _Handlers | None = None


@contextmanager
def handled() -> Iterator[None]:
    """Raise KeyboardInterrupt for the first SIGINT, Terminated for the first SIGTERM; exit at once for the second.

    Does nothing outside the main thread. A signal that was ignored when the program started (`nohup`, a background job
    of a script) stays ignored.
    """
    global _current
    if threading.current_thread() is not threading.main_thread() or _current is not None:
        yield
        return
    handlers = _Handlers()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    mine = [number for number in _SIGNALS if before[number] not in (signal.SIG_IGN, None)]
    try:
        _current = handlers
        for number in mine:
            signal.signal(number, handlers.receive)
        yield
    finally:
        for number in mine:
            signal.signal(number, before[number])
        _current = None


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let nothing be lost to a first signal: under `handled`, it is raised when the block has ended.

    Without these handlers, Ctrl-C is ignored in the block. A second signal ends the program even here.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
    elif (handlers := _current) is not None:
        handlers.deferred += 1
        try:
            yield
        finally:
            handlers.deferred -= 1
        # If the block has failed, its error is raised instead, because it says more than the signal.
        handlers.raise_pending()
    else:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside `uninterrupted`, let signals through again: for the part that may take hours."""
    handlers = _current
    if handlers is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    deferred = handlers.deferred
    try:
        handlers.deferred = 0
        handlers.raise_pending()
        yield
    finally:
        handlers.deferred = deferred


def name_of_signal(error: KeyboardInterrupt) -> str:
    """What a result's `stopped_by` says of the signal that has ended its run."""
    return TERMINATED if isinstance(error, Terminated) else INTERRUPTED


def signal_named(name: str | None) -> KeyboardInterrupt:
    """The exception that ended a run, from its `stopped_by`."""
    return Terminated() if name == TERMINATED else KeyboardInterrupt()
