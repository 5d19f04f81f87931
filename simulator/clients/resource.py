"""The resource that leaders write to: storage, a database, an API. It knows nothing of elections.

With fencing, it remembers the highest token that it has seen, and rejects every request with a lower one (Kleppmann,
"How to do distributed locking", 2016; Burrows, "The Chubby lock service", 2006, section 2.4, on sequencers).
"""

from __future__ import annotations

from typing import Any, ClassVar

from simulator.clients.messages import Operation
from simulator.protocol import Algorithm, Host, Nanoseconds, NodeId, message


@message
class ResourceRequest:
    """What a node that claims to lead asks of the resource, for a client. `token` is None without terms."""

    client: NodeId
    number: int
    attempt: int
    operation: Operation
    key: int
    value: int
    token: int | None
    claimed_ns: Nanoseconds | None  # Since when the node has claimed to lead. The resource does not use it; metrics do.
    stale: bool = False  # Of a read: the node knows no leader.


@message
class Decision:
    """What the resource has done: `accepted`, and the value of the register then."""

    client: NodeId
    number: int
    attempt: int
    accepted: bool
    value: int
    token: int | None
    stale: bool


class Resource(Algorithm):
    """Registers, each with its value. Their values survive a crash."""

    def __init__(self, host: Host, fencing: bool, durable: Any) -> None:
        super().__init__(host, fencing, durable)
        self.fencing = fencing
        self.registers: dict[int, int] = dict(durable.get("registers", ()))
        self.highest_token: int = durable.get("highest_token", 0)

    def _on_request(self, sender: NodeId, request: ResourceRequest) -> None:
        accepted = not self.fencing or request.token is None or request.token >= self.highest_token
        if accepted and self.fencing and request.token is not None:
            self.highest_token = request.token
        if request.operation is Operation.WRITE:
            if accepted:
                self.registers[request.key] = request.value
            self._note(sender, request, accepted)
        self.host.save(registers=tuple(self.registers.items()), highest_token=self.highest_token)
        value = self.registers.get(request.key, 0)
        reply = Decision(request.client, request.number, request.attempt, accepted, value, request.token, request.stale)
        self.host.send(sender, reply)

    def _note(self, claimant: NodeId, request: ResourceRequest, accepted: bool) -> None:
        self.host.note(
            "wrote",
            node=claimant,
            client=request.client,
            number=request.number,
            key=request.key,
            value=request.value,
            token=request.token,
            log_index=None,
            claimed_ns=request.claimed_ns,
            accepted=accepted,
        )

    receive: ClassVar = {ResourceRequest: _on_request}
