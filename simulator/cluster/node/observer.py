"""What a node reports to: the cluster implements it, and a test may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from simulator.protocol import NodeId, Role


class Observer(Protocol):
    """What a node reports its transitions and notes to."""

    def on_transition(self, node: NodeId, role: Role, term: int, leader: NodeId | None, group: str) -> None:
        """The algorithm of a node has declared its role, its term and the leader that it knows of."""
        ...

    def on_note(self, node: NodeId, kind: str, fields: Mapping[str, object]) -> None:
        """The algorithm of a node has noted something for metrics and checks."""
        ...
