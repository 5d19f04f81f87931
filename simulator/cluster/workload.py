"""Clients: they send commands to the leader at random instants."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from simulator.cluster.distributions import Exponential, durations
from simulator.protocol import SECOND, Nanoseconds
from simulator.randomness import Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Commands of one size, at a mean rate, from `start` on. The times between commands are exponential."""

    rate_per_s: float
    size_bytes: int = 100
    start: Nanoseconds = 0


def run_workload(
    workload: Workload, propose: Callable[[int], None], timeout: Callable[[int], Any], streams: Streams
) -> Generator[Any, Any, None]:
    """The SimPy process of all clients: calls `propose(size_bytes)` for each command, which is never repeated."""
    yield timeout(workload.start)
    for gap in durations(Exponential(round(SECOND / workload.rate_per_s)), streams, "workload"):
        yield timeout(gap)
        propose(workload.size_bytes)
