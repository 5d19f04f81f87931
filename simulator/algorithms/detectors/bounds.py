"""What the options of a detector mean for the algorithm that it is part of: how late is too late, how long is long."""

from __future__ import annotations

from typing import Any

from simulator.algorithms.detectors.heartbeat import HeartbeatOptions
from simulator.algorithms.detectors.phi import PhiOptions, deviations
from simulator.protocol import Nanoseconds


def patience(options: Any) -> Nanoseconds:
    """A message that takes longer than this, with its handling, may let a node that is up be suspected.

    Heartbeats, or a question and its answer, must keep below the timeout. φ accrual waits longer after it has seen late
    heartbeats; what is given here is its margin for a window without any.
    """
    if isinstance(options, HeartbeatOptions):
        return options.timeout - options.interval
    if hasattr(options, "timeout"):  # It asks, and waits for an answer.
        wait: Nanoseconds = options.timeout
        return wait // 2
    if isinstance(options, PhiOptions):
        return int(deviations(options.threshold) * options.least_deviation)
    margin: Nanoseconds = options.alpha
    return margin


def detection_time(options: Any, delay: Nanoseconds) -> Nanoseconds:
    """How long a dead node may go unsuspected, at most, where no message takes longer than `delay`.

    φ accrual knows no bound, and gets a guess.
    """
    if isinstance(options, HeartbeatOptions):
        return options.timeout + delay
    tries = 1 + getattr(options, "retries", 0)
    waits: Nanoseconds = getattr(options, "timeout", 0) * tries + getattr(options, "alpha", 0)
    between: Nanoseconds = options.interval
    return 2 * delay + waits + between * (2 if waits else 20)
