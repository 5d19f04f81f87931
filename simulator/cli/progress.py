"""How far trials are, on standard error: a bar on a terminal, and a line every 30 s without one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from simulator.cli.printing import print_note
from simulator.printable import printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_EVERY_S = 30.0


class Report(Protocol):
    """What a run calls when trials are finished."""

    def __call__(self, done: int, total: int, place: str = "") -> None:
        """So many trials of so many are finished; `place`: where in a study it is."""


@contextmanager
def trials_progress(name: str, clock: Callable[[], float] = time.monotonic) -> Iterator[Report]:
    """What a run calls with the numbers of trials finished and asked for, and with the place in a study.

    Both forms say the rate, and the time that is left at this rate. `clock` is in seconds.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:  # A disabled bar still prints an empty line when it stops, before rich 14.3.
        yield _Lines(name, clock)
        return
    description = TextColumn("{task.description}", markup=False)  # A variant's name may hold brackets.
    speed = TextColumn("{task.fields[speed]}", markup=False)
    columns = (description, BarColumn(), MofNCompleteColumn(), speed, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bar(progress, progress.add_task(printable(f"{name}: trials"), total=None, speed=""), name)


class _Bar:
    """A bar of rich, with the place in a study before it."""

    def __init__(self, progress: Progress, task: TaskID, name: str) -> None:
        self._progress, self._task, self._name = progress, task, name

    def __call__(self, done: int, total: int, place: str = "") -> None:
        rate = self._progress.tasks[self._task].speed
        self._progress.update(
            self._task,
            description=printable(f"{self._name}: {place or 'trials'}"),
            completed=done,
            total=total,
            speed="" if not rate else f"{rate:,.0f} a second",
        )


class _Lines:
    """Prints `name: 120 of 1,000 trials after 60 s, 2.0 a second, 440 s left`, at most every 30 s.

    The rate is that since the first call: trials of a resumed run that were finished before do not count.
    """

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self._name, self._clock = name, clock
        self._start = self._last = clock()
        self._first: tuple[float, int] | None = None

    def __call__(self, done: int, total: int, place: str = "") -> None:
        now = self._clock()
        since, before = self._first = self._first or (now, done)
        if now - self._last < _EVERY_S or done >= total:
            return
        self._last = now
        speed = ""
        if now > since and done > before:
            rate = (done - before) / (now - since)
            speed = f", {rate:,.1f} a second, {(total - done) / rate:,.0f} s left"
        where = f" ({place})" if place else ""
        print_note(f"{self._name}: {done:,} of {total:,} trials{where} after {now - self._start:.0f} s{speed}")
