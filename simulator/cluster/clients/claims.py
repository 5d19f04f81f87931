"""Serves clients without a log: a node that claims to lead, in its own belief, asks the resource.

Neither an election algorithm nor a resource knows whether the claim still holds when the request arrives: this is what
fencing tokens are for.
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.algorithms.registration import Registration
from simulator.clients.messages import Reply, Request, Status
from simulator.clients.resource import Decision, ResourceRequest
from simulator.clients.sureness import Sureness
from simulator.cluster.leadership import LeadershipTracker
from simulator.protocol import Message, NodeId


class ClaimService:
    """What one server does with requests. It keeps no state: a decision of the resource names its request."""

    def __init__(
        self,
        me: NodeId,
        tracker: LeadershipTracker,
        resource: NodeId,
        registration: Registration,
        ask: Callable[[NodeId, Message], None],
        answer: Callable[[NodeId, Message], None],
        sureness: Sureness,
    ) -> None:
        self._me = me
        self._tracker = tracker
        self._resource = resource
        self._registration = registration
        self._ask = ask
        self._answer = answer
        self.sureness = sureness

    def on_request(self, client: NodeId, request: Request) -> None:
        """Ask the resource, or do what a server that does not lead does: redirect, refuse, or say nothing."""
        claim = self._tracker.claims.get(self._me)
        asked = request.number, request.attempt, request.operation, request.key, request.value
        if claim is not None:
            token = claim.term if self._registration.fencing_token else None
            self._ask(self._resource, ResourceRequest(client, *asked, token, int(claim.since_ns)))
        elif self.sureness.allows_stale_read(request):
            self._ask(self._resource, ResourceRequest(client, *asked, None, None, stale=True))
        elif (does := self._registration.non_leaders) != "silent":
            leader = self._tracker.leader_named_by(self._me) if does == "redirect" else None
            status = Status.REFUSED if leader in (None, self._me) else Status.REDIRECTED
            self._answer(client, Reply(request.number, request.attempt, status, leader))

    def on_decision(self, decision: Decision) -> None:
        """Tell the client what the resource has decided."""
        status = Status.DONE if decision.accepted else Status.REFUSED
        value, token = decision.value, decision.token
        reply = Reply(decision.number, decision.attempt, status, None, value, token, stale=decision.stale)
        self._answer(decision.client, reply)
