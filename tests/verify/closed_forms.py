"""What theory says, and how simulated figures are held against it."""

from __future__ import annotations

from math import comb
from typing import Any


def majority(nodes: int) -> int:
    return nodes // 2 + 1


def split_probability(nodes: int, available: int, latency: float) -> float:
    """That the first round of a Raft election splits; `latency` is a fraction of the range of timeouts.

    Dissertation, section 9.2: so many of the available servers time out within one latency of the first that too few
    are left to give it a majority.
    """
    colliding = available - nodes // 2 + 1
    return sum(
        comb(available, k) * latency**k * (1 - latency) ** (available - k) for k in range(colliding - 1, available + 1)
    )


def first_timeout_cdf(fraction: Any, available: int) -> Any:
    """That the first of the available servers has timed out by then: the least of so many uniform draws.

    `fraction`: a time, or an array of times, as fractions of the range.
    """
    return 1 - (1 - fraction) ** available
