"""The bootstrap over trials: resamples, for the intervals that have no closed form."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

CONFIDENCE = 0.95
TAIL = (1 - CONFIDENCE) / 2
Z = NormalDist().inv_cdf(1 - TAIL)  # Standard errors.
RESAMPLES = 2000


class Tails(NamedTuple):
    """The probabilities by which the true value is below the low end of an interval, and above its high end."""

    low: float
    high: float


TAILS = Tails(TAIL, TAIL)
_BATCH_CELLS = 1 << 20  # This number bounds the memory of a bootstrap, whatever the size of the sample.
_SEED = 20_070_101


def default_generator() -> np.random.Generator:
    """An interval is a function of its sample: the same data always give the same one."""
    return np.random.Generator(np.random.PCG64(_SEED))


def resamples(generator: np.random.Generator, trials: int, width: int, count: int = RESAMPLES) -> Iterator[IntArray]:
    """Yields resamples of the trials in arrays of shape (rows, trials). The caller makes `width` cells of each row, so
    the number of rows is bounded by memory.
    """
    rows = max(1, _BATCH_CELLS // max(trials, width))
    for first in range(0, count, rows):
        yield generator.integers(0, trials, size=(min(rows, count - first), trials))


def times_drawn(drawn: IntArray) -> IntArray:
    """How often each trial is in each resample; shape (rows, trials), the same as the shape of `drawn`."""
    rows, trials = drawn.shape
    cells = (drawn + trials * np.arange(rows)[:, None]).ravel()
    return np.bincount(cells, minlength=rows * trials).reshape(rows, trials)
