"""Clients: commands that reach whoever leads, at random instants."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from simulator.cluster.distributions import Exponential, durations
from simulator.protocol import SECOND, Nanoseconds
from simulator.randomness import Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Commands of one size, so many per second on average, with exponential times between them, from `start` on."""

    rate_per_s: float
    size_bytes: int = 100
    start: Nanoseconds = 0


def ask(
    workload: Workload, propose: Callable[[int], None], timeout: Callable[[int], Any], streams: Streams
) -> Generator[Any, Any, None]:
    """The process of all clients together. A command that finds no leader is not repeated."""
    yield timeout(workload.start)
    for gap in durations(Exponential(round(SECOND / workload.rate_per_s)), streams, "workload"):
        yield timeout(gap)
        propose(workload.size_bytes)
