"""Requests that change something: a member proposes them, and answers when it has applied them.

A member that does not lead passes a proposal to the leader, once. If it knows no leader, it waits for one
(etcd-io/raft, node.go). A proposal may be lost with its leader. The member gives up after the request timeout, and
tells the client, which cannot know whether the request will still be carried out (server/etcdserver/v3_server.go).
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.algorithms.coordination.calls import Calls
from simulator.algorithms.etcd.member import Member
from simulator.algorithms.etcd.messages import (
    Failed,
    Forward,
    LeaseGrant,
    LeaseRevoke,
    Proposal,
    Response,
    Result,
    Transaction,
)
from simulator.protocol import NodeId

PROPOSAL = "etcd-proposal "  # Begins the name of a timer; the number of the proposal follows.


class Asked(NamedTuple):
    """The call of a client that a proposal is for."""

    client: NodeId
    call: int


class Proposals:
    """The proposals of this member that it has not applied yet. `life` tells them from those of an earlier process."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self._life = member.host.random.getrandbits(62)
        self._calls: Calls[Asked | None] = Calls()
        self._waiting: list[Proposal] = []  # For a leader.

    def propose(self, request: Transaction | LeaseGrant | LeaseRevoke, asked: Asked | None = None) -> None:
        """Propose a request of a client; or of the lessor, if `asked` is None."""
        host = self.member.host
        number = self._calls.open(asked)
        host.set_timer(f"{PROPOSAL}{number}", self.member.config.request_timeout)
        self._pass_on(Proposal(host.me, self._life, number, request))

    def on_leader_changed(self) -> None:
        """Another leader is known, or none."""
        waiting, self._waiting = self._waiting, []
        for proposal in waiting:
            if self._calls.awaits(proposal.number):
                self._pass_on(proposal)

    def on_forward(self, message: Forward) -> None:
        """Propose what another member has passed on. It is lost if this member does not lead."""
        self.member.append(message.proposal)

    def on_applied(self, proposal: Proposal, result: Result) -> None:
        """The store has applied a proposal. Answer the client, if it has asked this process for it."""
        me = self.member.host.me
        if proposal.member != me or proposal.life != self._life or not self._calls.awaits(proposal.number):
            return
        asked = self._close(proposal.number)
        if asked is not None:
            self.member.host.send(asked.client, Response(asked.call, result))

    def on_timer(self, name: str) -> None:
        """A proposal was not applied in time."""
        asked = self._close(int(name.removeprefix(PROPOSAL)))
        if asked is not None:
            self.member.host.send(asked.client, Failed(asked.call))

    def _pass_on(self, proposal: Proposal) -> None:
        leader = self.member.leader
        if leader is None:
            self._waiting.append(proposal)
        elif self.member.leads:
            self.member.append(proposal)
        else:
            self.member.host.send(leader, Forward(proposal))

    def _close(self, number: int) -> Asked | None:
        self.member.host.cancel_timer(f"{PROPOSAL}{number}")
        return self._calls.close(number)
