"""Writes rows while a trial runs."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.protocol import NodeId, Role
from simulator.trace.trace import Row


class Recorder:
    """Collects the rows of one trial, each with the number of messages sent by then, by type."""

    def __init__(self, sent: Mapping[type, int]) -> None:
        self.rows: list[Row] = []
        self._sent = sent

    def transition(
        self, time_ns: int, kind: str, node: NodeId, term: int, role: Role, leader: NodeId | None, group: str
    ) -> None:
        self.rows.append(Row(time_ns, kind, node, term, role, leader, group, (), tuple(self._sent.values())))

    def note(self, time_ns: int, kind: str, node: NodeId | None, detail: Mapping[str, object]) -> None:
        self.rows.append(
            Row(time_ns, kind, node, None, None, None, None, tuple(detail.items()), tuple(self._sent.values()))
        )
