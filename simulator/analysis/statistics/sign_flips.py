"""Fisher's exact test of paired differences. It compares their sum with the sums that all other choices of their signs
would give.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_LARGEST_MEAN = 8  # The largest mean of the rounded differences: it bounds the time to compute their distribution.


def sign_flip_test(differences: npt.ArrayLike) -> float:
    """The probability of a sum at least as far from 0 if a fair coin decides the sign of each difference. `differences`
    has the shape (pairs,).

    If the two trials of each pair have the same distribution, a fair coin decides the signs, whatever that distribution
    is (Fisher 1935, section 21). Exact: all sums are counted, by their characteristic function, a product of cosines
    (Pagano and Tritchler 1983). Differences with a large sum are first rounded to a coarser unit, and the test is as
    exact for these. Raises ValueError for a difference that is not finite.
    """
    array = np.asarray(differences, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError("a difference is not finite")
    steps = _in_whole_steps(array)
    total = int(np.abs(steps).sum())
    if total == 0:
        return 1.0
    sizes, times = np.unique(np.abs(steps[steps != 0]), return_counts=True)
    # This is more than the number of sums from -total to total, so each sum has a place of its own.
    cells = 1 << (2 * total).bit_length()
    angles = 2 * math.pi / cells * np.arange(cells // 2 + 1)
    wave = np.ones(angles.size)
    for size, count in zip(sizes, times, strict=True):
        wave *= np.cos(angles * size) ** count
    chances = np.fft.irfft(wave, cells)  # The chances of the sums 0, 1, … and, from the end on, -1, -2, …
    sums = np.minimum(np.arange(cells), cells - np.arange(cells))
    return float(np.clip(chances[sums >= abs(int(steps.sum()))].sum(), 0.0, 1.0))


def _in_whole_steps(differences: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The differences as whole numbers. Whole numbers are kept if their sum is small enough. Other numbers are rounded
    to the finest unit with which the sum is small enough.
    """
    total = float(np.abs(differences).sum())
    largest = _LARGEST_MEAN * max(int(np.count_nonzero(differences)), 512)
    whole = (differences == np.rint(differences)).all()
    unit = 1.0 if total == 0 or (whole and total <= largest) else total / largest
    return np.rint(differences / unit).astype(np.int64)
