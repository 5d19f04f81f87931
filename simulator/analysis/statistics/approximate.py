"""Approximate bootstrap confidence (ABC) intervals of DiCiccio and Efron (1992): BCa intervals without resamples.

A statistic that is a smooth function of means has a bootstrap distribution whose BCa interval follows from derivatives:
the acceleration from the third moment of the influences, the bias from the second derivatives. Both methods are
second-order accurate. The cost is a few passes over the trials. Source: T. DiCiccio and B. Efron, More accurate
confidence intervals in exponential families, Biometrika 79 (1992), 231-245.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy  # Imports scipy.optimize, which is slow to import, when it is first used.

from simulator.analysis.statistics.bootstrap import CONFIDENCE, FloatArray

Statistic = Callable[[FloatArray], float]  # From means, shape (columns,), to a value; nan where it is not defined.

_STEP = 1e-3  # Of a derivative, in standard errors of the means.
_FURTHEST = 38.0  # Standard errors: beyond, the probability of an error is no floating-point number.
_CONSTANT = 1e-12  # A spread that is a smaller proportion of the value is an error of rounding.


@dataclass(frozen=True, eq=False)
class Abc:
    """A statistic's confidence distribution.

    `along(steps)` is the statistic so many standard errors along the least favourable direction: the one in which its
    uncertainty is greatest.
    """

    value: float
    along: Callable[[float], float]
    bias: float
    acceleration: float

    @classmethod
    def of(cls, statistic: Statistic, *samples: FloatArray) -> Abc | None:
        """The distribution of a function of the means of independent samples, shape (columns, trials) each.

        The statistic gets the means of all columns in one array. None if it does not vary.
        """
        means = np.concatenate([sample.mean(axis=1) for sample in samples])
        errors = np.concatenate([sample.std(axis=1) / math.sqrt(sample.shape[1]) for sample in samples])
        value = statistic(means)

        def moved(direction: FloatArray) -> float:
            return statistic(means + errors * direction)

        columns = np.eye(means.size)
        slopes = np.array([(moved(_STEP * unit) - moved(-_STEP * unit)) / (2 * _STEP) for unit in columns])
        influences, correlations = _influences(samples, means, errors, slopes)
        spread = math.sqrt(sum(float(np.square(own).sum()) for own in influences))
        if not spread > _CONSTANT * abs(value):
            return None

        def bend(direction: FloatArray) -> float:
            ends = moved(_STEP * direction) + moved(-_STEP * direction)
            return float(ends - 2 * value) / _STEP**2

        direction = correlations @ slopes / spread
        sizes, axes = np.linalg.eigh(correlations)
        curvature = sum(size * bend(axis) for size, axis in zip(sizes, axes.T, strict=True)) - bend(direction)
        acceleration = sum(float((own / spread) @ (own / spread) ** 2) for own in influences) / 6
        bias = _bias(acceleration, float(curvature) / (2 * spread))

        def along(steps: float) -> float:
            there = moved(steps * direction)
            return math.copysign(math.inf, steps) if math.isnan(there) else there

        return cls(value, along, bias, acceleration)

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """The ends of the interval; infinite if the statistic is not defined there."""
        half = float(scipy.special.ndtri((1 + confidence) / 2))
        low, high = (self.along(self._steps(self.bias + z)) for z in (-half, half))
        return low, high

    def p_value(self, truth: float) -> float:
        """One minus the confidence of the interval that just reaches `truth`."""
        furthest = min(_FURTHEST, 0.999 / max(abs(self.acceleration), 1e-9))
        side = math.copysign(furthest, truth - self.value)

        def beyond(shifted: float) -> float:
            return max(-1e300, min(1e300, self.along(self._steps(shifted)) - truth))

        reached = beyond(side) * beyond(0.0) <= 0
        shifted = float(scipy.optimize.brentq(beyond, 0.0, side, xtol=1e-9)) if reached else side
        return float(min(1.0, 2 * scipy.special.ndtr(-abs(shifted - self.bias))))

    def _steps(self, shifted: float) -> float:
        """How far along the least favourable direction the end of a corrected normal quantile is."""
        left = 1 - self.acceleration * shifted
        return shifted / left**2 if left > 0 else math.inf


def _influences(
    samples: tuple[FloatArray, ...], means: FloatArray, errors: FloatArray, slopes: FloatArray
) -> tuple[list[FloatArray], FloatArray]:
    """What each trial of each sample adds to the statistic, shape (trials,) each; and how the means correlate, shape
    (columns, columns)."""
    correlations = np.zeros((means.size, means.size))
    influences, first = [], 0
    for sample in samples:
        own = slice(first, first + len(sample))
        unit = np.where(errors[own] > 0, errors[own], 1.0) * sample.shape[1]
        scaled = (sample - means[own, None]) / unit[:, None]
        correlations[own, own] = scaled @ scaled.T
        influences.append(slopes[own] @ scaled)
        first = own.stop
    return influences, correlations


def _bias(acceleration: float, curvature: float) -> float:
    """The bias correction z0. It stays finite for a few trials of a strongly curved statistic."""
    below = 2 * float(scipy.special.ndtr(acceleration) * scipy.special.ndtr(-curvature))
    return float(scipy.special.ndtri(min(max(below, 1e-3), 1 - 1e-3)))
