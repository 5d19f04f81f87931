"""Writes rows while a trial runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulator.protocol import NodeId, Role
from simulator.trace.trace import Row


class Recorder:
    """Collects the rows of one trial. Each row has the counts of what was sent before it: messages by type, and bytes
    beyond the usual size.
    """

    def __init__(self, sent: Sequence[int], extra_bytes: Sequence[int]) -> None:
        self.rows: list[Row] = []
        self._sent = sent
        self._extra_bytes = extra_bytes

    def transition(
        self, time_ns: int, kind: str, node: NodeId, term: int, role: Role, leader: NodeId | None, group: str
    ) -> None:
        """Add a row: a node has declared its role, term and leader."""
        sent, extra = tuple(self._sent), tuple(self._extra_bytes)
        self.rows.append(Row(time_ns, kind, node, term, role, leader, group, (), sent, extra))

    def note(self, time_ns: int, kind: str, node: NodeId | None, detail: Mapping[str, object]) -> None:
        """Add a row of another kind. `node` is None if the row is about no node, or several."""
        sent, extra = tuple(self._sent), tuple(self._extra_bytes)
        self.rows.append(Row(time_ns, kind, node, None, None, None, None, tuple(detail.items()), sent, extra))
