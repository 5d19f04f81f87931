"""How long a latency may be: exactly, or so long that practically no message takes longer."""

from __future__ import annotations

import math

from simulator.cluster.distributions import (
    AtLeast,
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    LogNormal,
    Mixture,
    Normal,
    Pareto,
    Uniform,
    Weibull,
)
from simulator.cluster.histogram import Halved, Histogram, half
from simulator.protocol import Nanoseconds

NEGLIGIBLE = 1e-12  # A law counts as bounded where a message exceeds the bound with less than this probability.
_Z = 7.0344869100478356  # The standard normal distribution exceeds it with that probability.
_E = -math.log(NEGLIGIBLE)  # So does the exponential distribution of mean 1.


def is_bounded(distribution: Distribution) -> bool:
    """Whether no draw can exceed `longest`."""
    match distribution:
        case AtLeast() | Halved():
            return is_bounded(distribution.of)
        case Mixture():
            return all(is_bounded(part) for _, part in distribution.parts)
    return isinstance(distribution, Constant | Uniform | Empirical | Histogram)


def longest(distribution: Distribution) -> Nanoseconds | None:
    """The longest duration that is drawn, but for those whose probability is below `NEGLIGIBLE`; None if unknown."""
    match distribution:
        case AtLeast():
            bound = longest(distribution.of)
            return None if bound is None else max(distribution.bound, bound)
        case Halved():
            bound = longest(distribution.of)
            return None if bound is None else half(bound)
        case Mixture():
            bounds = [longest(part) for _, part in distribution.parts]
            return None if None in bounds else max(bound for bound in bounds if bound is not None)
    least = _longest(distribution)
    return None if least is None else math.ceil(least)


def _longest(distribution: Distribution) -> float | None:
    match distribution:
        case Constant():
            return distribution.value
        case Uniform():
            return distribution.high
        case Empirical():
            return max(distribution.samples)
        case Histogram():
            return max(bucket.high for bucket in distribution.buckets)
        case Normal():
            return distribution.mean + (_Z + 1) * distribution.sd  # More, since draws below 0 are redrawn.
        case LogNormal():
            return distribution.median * math.exp(_Z * distribution.sigma)
        case Exponential():
            return distribution.floor + _E * distribution.mean
        case Weibull():
            return float(distribution.scale * _E ** (1 / distribution.shape))
        case Pareto():
            return float(distribution.scale * NEGLIGIBLE ** (-1 / distribution.shape))
        case Gamma():
            return distribution.floor + _gamma_tail(distribution.shape) * distribution.mean / distribution.shape
    return None


def _gamma_tail(shape: float) -> float:
    """What the gamma distribution of that shape and scale 1 exceeds with less than the negligible probability."""
    from scipy.special import gammainccinv  # Slow to import, and rarely needed.

    return float(gammainccinv(shape, NEGLIGIBLE))
