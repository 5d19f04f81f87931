"""The client of a `workload`: it has no path to the servers, and no node.

It gives each command to the current leader at once, and never repeats it. The answer reaches it at once, too. So it
sees what the log does with its commands, and nothing else.
"""

from __future__ import annotations

from simulator.clients.client import value_of
from simulator.clients.messages import Operation, Reply, Request, Status
from simulator.cluster.clients.ledger import Ledger
from simulator.cluster.control import ClusterControl
from simulator.protocol import NodeId
from simulator.trace.requests import AttemptOutcome, RequestOutcome

_OUTCOMES = {
    Status.DONE: (AttemptOutcome.DONE, RequestOutcome.ACKNOWLEDGED),
    Status.REDIRECTED: (AttemptOutcome.REDIRECTED, RequestOutcome.REFUSED),
    Status.REFUSED: (AttemptOutcome.REFUSED, RequestOutcome.REFUSED),
    Status.LOST: (AttemptOutcome.LOST, RequestOutcome.UNKNOWN),
}


class PathlessClient:
    """Writes its requests to the ledger as other clients do. Each has one attempt."""

    def __init__(self, me: NodeId, ledger: Ledger, control: ClusterControl) -> None:
        self.me = me
        self._ledger = ledger
        self._control = control
        self._last_number = 0
        self._server = control.members()[0]  # The last leader.
        self._asked: dict[int, NodeId] = {}  # The server of each request under way.

    def propose(self, size_bytes: int) -> None:
        """Give the leader a write of that size. It is not delivered if no leader is awake."""
        self._last_number += 1
        number, value = self._last_number, value_of(self.me, self._last_number)
        leader = self._control.leader()
        is_awake = leader is not None and leader in self._control.nodes_in_state("awake")
        if leader is not None:
            self._server = leader
        asked = {"operation": "write", "key": 0, "value": value}
        self._ledger.on_note(self.me, "request", {"number": number, **asked})
        self._ledger.on_note(self.me, "attempt", {"number": number, "server": self._server})
        if not is_awake:
            self._end(number, AttemptOutcome.UNREACHABLE, RequestOutcome.FAILED)
            return
        self._asked[number] = self._server
        self._control.request(self._server, self.me, Request(number, 1, Operation.WRITE, 0, value, size_bytes))

    def on_reply(self, reply: Reply) -> None:
        """The leader answers."""
        if self._asked.pop(reply.number, None) is not None:
            self._end(reply.number, *_OUTCOMES[reply.status], token=reply.token, log_index=reply.log_index)

    def server_died(self, server: NodeId) -> None:
        """What becomes of the writes that this server was asked for is unknown."""
        for number in [number for number, asked in self._asked.items() if asked == server]:
            del self._asked[number]
            self._end(number, AttemptOutcome.CLOSED, RequestOutcome.UNKNOWN)

    def _end(self, number: int, attempt: AttemptOutcome, outcome: RequestOutcome, **done: object) -> None:
        self._ledger.on_note(self.me, "answer", {"number": number, "attempt": 1, "outcome": attempt})
        self._ledger.on_note(self.me, "ended", {"number": number, "outcome": outcome, **done})
