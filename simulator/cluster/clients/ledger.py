"""Keeps the requests of clients and the writes of leaders in true time, and makes the rows of the trace of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.cluster.kernel import Kernel
from simulator.protocol import Nanoseconds, NodeId, Role
from simulator.trace import event_types
from simulator.trace.requests import Attempt, AttemptOutcome, RequestOutcome, RequestRow, WriteRow


@dataclass(slots=True)
class _OpenRequest:
    """A request under way. Each attempt: when it was sent, to which server, its outcome, and when it had one."""

    client: NodeId
    number: int
    operation: str
    key: int
    value: int
    sent_ns: Nanoseconds
    attempts: list[Attempt] = field(default_factory=list)


class Ledger:
    """The `Observer` of all clients, and the record of writes."""

    def __init__(self, kernel: Kernel, clients: Collection[NodeId] = ()) -> None:
        self.clients = clients  # Those with a path to the servers.
        self.requests: list[RequestRow] = []
        self.writes: list[WriteRow] = []
        self._kernel = kernel
        self._entries: set[tuple[int, int]] = set()
        self._under_way: dict[tuple[NodeId, int], _OpenRequest] = {}

    # --- What clients declare (`Observer`)

    def on_transition(self, node: NodeId, role: Role, term: int, leader: NodeId | None, group: str) -> None:
        raise AssertionError("a client has no role")

    def on_note(self, node: NodeId, kind: str, fields: Mapping[str, Any]) -> None:
        now_ns = int(self._kernel._now)
        if kind == event_types.WROTE:  # The resource has decided.
            self.writes.append(WriteRow(time_ns=now_ns, **fields))
            return
        if kind == "request":
            self._under_way[node, fields["number"]] = _OpenRequest(node, sent_ns=now_ns, **fields)
            return
        request = self._under_way[node, fields["number"]]
        if kind == "attempt":
            request.attempts.append(Attempt(now_ns, fields["server"], AttemptOutcome.PENDING, None))
        elif kind == "answer":
            place = fields["attempt"] - 1
            outcome = AttemptOutcome(fields["outcome"])
            request.attempts[place] = request.attempts[place]._replace(outcome=outcome, answered_ns=now_ns)
        else:
            self._end(request, RequestOutcome(fields["outcome"]), now_ns, fields)

    def client_died(self, client: NodeId) -> None:
        """A client has crashed: what becomes of its requests is unknown."""
        for request in [request for request in self._under_way.values() if request.client == client]:
            self._end(request, RequestOutcome.UNKNOWN, int(self._kernel._now), {})

    # --- Writes

    def committed(self, leader: NodeId, fields: Mapping[str, Any]) -> None:
        """A leader has committed a client's write. An entry counts once, even if another leader commits it again."""
        entry = fields["token"], fields["log_index"]
        if entry not in self._entries:
            self._entries.add(entry)
            now_ns = int(self._kernel._now)
            self.writes.append(WriteRow(time_ns=now_ns, node=leader, claimed_ns=None, accepted=True, **fields))

    # --- The end of the trial

    def close(self) -> None:
        """Add a row for every request that is still under way."""
        for request in list(self._under_way.values()):
            self._end(request, RequestOutcome.WAITING, None, {})

    def _end(
        self, request: _OpenRequest, outcome: RequestOutcome, ended_ns: Nanoseconds | None, done: Mapping[str, Any]
    ) -> None:
        del self._under_way[request.client, request.number]
        written = request.value if request.operation == "write" else None
        self.requests.append(
            RequestRow(
                client=request.client,
                number=request.number,
                operation=request.operation,
                key=request.key,
                sent_ns=request.sent_ns,
                ended_ns=ended_ns,
                outcome=outcome,
                attempts=tuple(request.attempts),
                value=done.get("value", written),
                token=done.get("token"),
                log_index=done.get("log_index"),
                stale=done.get("stale", False),
            )
        )
