"""What happened in one trial: rows in order of time, and what is needed to read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.protocol import ELECTORATE, SECOND, NodeId, Role
from simulator.trace import event_types
from simulator.trace.requests import RequestRow, WriteRow

if TYPE_CHECKING:
    import pandas as pd


class Row(NamedTuple):
    """One event. A column that the event type of the row does not use is None."""

    time_ns: int
    kind: str
    node: NodeId | None
    term: int | None = None
    role: Role | None = None
    leader: NodeId | None = None
    group: str | None = None
    detail: tuple[tuple[str, Any], ...] = ()
    sent: tuple[int, ...] = ()  # Messages sent by then, in the order of the trace's `message_types`.
    # For each type, the bytes sent until then beyond those of the same number of messages of usual size.
    extra_bytes: tuple[int, ...] = ()

    def field(self, name: str) -> Any:
        """The value of a field in the detail. Raises KeyError if the row has no such field."""
        return dict(self.detail)[name]


_DIGESTED = Row._fields.index("extra_bytes")  # The digest covers this number of a row's fields.


class MessageRow(NamedTuple):
    """One message, recorded on request only. `arrives_ns` is None for a message that the network lost."""

    sent_ns: int
    arrives_ns: int | None
    sender: NodeId
    to: NodeId
    type: str
    text: str


class ViewRow(NamedTuple):
    """What a node shows of itself from this instant on, recorded on request only.

    `view` is what its `Algorithm.view` returned, `timers` the names of its pending timers, sorted. A node that crashes
    gets no row: the row of its crash says that there is nothing to show.
    """

    time_ns: int
    node: NodeId
    view: Mapping[str, object]
    timers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One trial.

    `groups` names the members of each group, absent ones included, since a quorum counts them.
    `end_ns` is the instant at which observation ended.
    """

    rows: Sequence[Row]
    end_ns: int
    groups: Mapping[str, Sequence[NodeId]]
    primary_group: str = ELECTORATE
    message_types: Sequence[str] = ()
    sent: Sequence[int] = ()  # Messages sent in all, by type.
    usual_bytes: Sequence[int] = ()  # The size of a usual message of each type; see `cluster.network.message_size`.
    # For each type, the bytes sent in all beyond those of the same number of messages of usual size.
    extra_bytes: Sequence[int] = ()
    messages: Sequence[MessageRow] = field(default=(), repr=False)
    views: Sequence[ViewRow] = field(default=(), repr=False)
    # Faults of the schedule that were injected and changed nothing: the number of the entry, the fault, and why.
    without_effect: Sequence[tuple[int, str, str]] = ()
    clients: Sequence[NodeId] = ()  # They belong to no group. None if the trial has no clients.
    pathless_client: NodeId | None = None  # The client of a workload, which has requests, too, but no node.
    requests: Sequence[RequestRow] = field(default=(), repr=False)
    writes: Sequence[WriteRow] = field(default=(), repr=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the rows. The bytes are left out, since they follow from the rest, and so are the optional rows.

        It covers requests and writes if the trial has clients with paths. Those of a workload follow from the rows.
        """
        rows = (row[:_DIGESTED] for row in self.rows)
        of_clients = (tuple(self.requests), tuple(self.writes)) if self.clients else ()
        return sha256(repr([self.end_ns, *rows, tuple(self.sent), *of_clients]).encode()).hexdigest()

    def of_group(self, group: str) -> Trace:
        """One group's part of a trial: the rows of its nodes, and all lifecycle and fault rows."""
        if list(self.groups) == [group]:
            return self
        members = frozenset(self.groups[group])
        rows = (
            row
            for row in self.rows
            if row.node in members or row.node is None or row.kind in event_types.LIFECYCLE_EVENTS
        )
        return replace(self, rows=tuple(rows), groups={group: self.groups[group]}, primary_group=group)

    def of_type(self, kind: str) -> list[Row]:
        """The rows of one event type, in order."""
        return [row for row in self.rows if row.kind == kind]

    def seconds(self, kind: str) -> np.ndarray:
        """The instants of the rows of one event type, in seconds; shape (rows of this type,)."""
        return np.array([row.time_ns for row in self.of_type(kind)], dtype=np.int64) / SECOND

    def to_frame(self) -> pd.DataFrame:
        """The rows as a table, one column per field of `Row`."""
        import pandas as pd  # Slow to import, and needed here only.

        return pd.DataFrame(self.rows, columns=list(Row._fields))
