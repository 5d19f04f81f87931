"""A violation of a guarantee."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.protocol import SECOND, Nanoseconds, NodeId


@dataclass(frozen=True, slots=True)
class Violation:
    """A guarantee that a trial violated: what happened, when, and which nodes took part."""

    guarantee: str  # A Guarantee, or `liveness`, which a scenario may demand and no algorithm guarantees.
    time_ns: Nanoseconds
    text: str
    nodes: tuple[NodeId, ...]

    def __str__(self) -> str:
        return f"{self.guarantee} at {self.time_ns / SECOND:.6f} s: {self.text}"
