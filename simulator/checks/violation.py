"""A broken promise."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.protocol import SECOND, Nanoseconds, NodeId


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise: what happened, when, and between which nodes."""

    guarantee: str  # A Guarantee; or `liveness`, which no algorithm promises, and a scenario may demand.
    time_ns: Nanoseconds
    text: str
    nodes: tuple[NodeId, ...]

    def __str__(self) -> str:
        return f"{self.guarantee} at {self.time_ns / SECOND:.6f} s: {self.text}"
