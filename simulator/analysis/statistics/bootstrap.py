"""The bootstrap over trials: resamples, and the bias-corrected and accelerated (BCa) interval of Efron (1987)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

CONFIDENCE = 0.95
TAIL = (1 - CONFIDENCE) / 2
RESAMPLES = 2000
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


@dataclass(frozen=True, eq=False)
class Bca:
    """A statistic's resampled values (resamples,), and the two corrections by which they become intervals."""

    resampled: FloatArray
    bias: float
    acceleration: float

    @classmethod
    def of(cls, value: float, resampled: FloatArray, influence: FloatArray) -> Bca:
        """`influence` has an entry for each unit that is resampled: by how much leaving it out lowers the statistic."""
        below = (np.mean(resampled < value) + np.mean(resampled <= value)) / 2
        bias = special.ndtri(np.clip(below, 0.5 / resampled.size, 1 - 0.5 / resampled.size))
        scaled = influence / np.abs(influence).max()  # Cubes of tiny durations must not underflow.
        acceleration = (scaled**3).sum() / (6 * (scaled**2).sum() ** 1.5)
        return cls(resampled, float(bias), float(acceleration))

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """The ends of the interval. An end is infinite if the resamples at that end are infinite."""
        half = float(special.ndtri((1 + confidence) / 2))
        shifted = self.bias + np.array([-half, half])
        at = special.ndtr(self.bias + shifted / (1 - self.acceleration * shifted))
        smooth = np.isfinite(self.resampled).all()
        low, high = np.quantile(self.resampled, at, method="linear" if smooth else "inverted_cdf")
        return float(low), float(high)

    def p_value(self, truth: float) -> float:
        """The p value of the hypothesis that the statistic is `truth`: 1 minus the confidence of the interval that just
        reaches `truth`. The p value is never less than that of one resample in each tail. If no resample reaches
        `truth`, the corrections are not used, because they are wrong in the far tails.
        """
        least = 2 / (self.resampled.size + 1)
        below = float(np.mean(self.resampled < truth) + np.mean(self.resampled <= truth)) / 2
        if below in (0, 1):
            return least
        shifted = float(special.ndtri(below)) - self.bias
        if 1 + self.acceleration * shifted <= 0:
            return least
        one_sided = special.ndtr(shifted / (1 + self.acceleration * shifted) - self.bias)
        return float(np.clip(2 * min(one_sided, 1 - one_sided), least, 1))
