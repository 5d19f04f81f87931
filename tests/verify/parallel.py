"""One measurement of many trials, over worker processes, in the order of the trials."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import TypeVar

WORKERS = os.cpu_count() or 1

T = TypeVar("T")


def over_trials(measure: Callable[[int], T], trials: int) -> Iterator[T]:
    """`measure` of trials 0 to `trials - 1`; it must be picklable: a function of a module, or a partial of one."""
    return _pool().map(measure, range(trials), chunksize=100)


@cache
def _pool() -> ProcessPoolExecutor:
    """One for the whole suite, since starting Python and NumPy anew costs more than many a measurement."""
    return ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn"))
