"""A member of an etcd cluster: it takes requests of clients, whether it leads or not.

A member has a Raft server, with a log of proposals. After each input that the Raft server handles, the member looks
what is ready, as etcd does: entries that are committed, which it applies to its store, and another leader or role. A
leader tells its followers at once that more is committed; so they apply it a message later (etcd-io/raft, bcastAppend).

A member that starts knows what its log says, but not yet how far that is committed. It applies the log again from the
beginning. (etcd keeps its store on disk. The result is the same, since clients read linearizably.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from simulator.algorithms.etcd.config import EtcdConfig
from simulator.algorithms.etcd.lessor import LESSOR, Lessor
from simulator.algorithms.etcd.member import Member
from simulator.algorithms.etcd.messages import (
    Call,
    CancelWatch,
    Connect,
    Connected,
    Disconnect,
    Forward,
    LeaseGrant,
    LeaseId,
    LeaseKeepAlive,
    LeaseRevoke,
    Ping,
    Pong,
    Proposal,
    Range,
    ReadIndex,
    ReadIndexResponse,
    Renew,
    Renewed,
    Result,
    Watch,
)
from simulator.algorithms.etcd.proposals import PROPOSAL, Asked, Proposals
from simulator.algorithms.etcd.reads import READ_RETRY, LeaderReads, MemberReads
from simulator.algorithms.etcd.renewals import GIVE_UP, MONITOR, RENEW, Renewals
from simulator.algorithms.etcd.store import Store
from simulator.algorithms.etcd.watch_streams import WatchStreams
from simulator.algorithms.raft import Raft
from simulator.algorithms.raft.guarantees import GUARANTEES
from simulator.algorithms.raft.messages import AppendEntriesReply
from simulator.protocol import Algorithm, Host, Message, NodeId


class EtcdServer(Algorithm):
    """One member. Timers whose names begin with `etcd-` are its own, all others those of its Raft server."""

    guarantees = GUARANTEES

    def __init__(self, host: Host, config: EtcdConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.config: EtcdConfig = config
        self.raft = Raft(host, config.raft, durable)
        self.store = Store(config.least_ttl_s)
        self.member = Member(host, config, self.raft, self.store)
        self.lessor = Lessor(host, config.request_timeout)
        self.proposals = Proposals(self.member)
        self.leader_reads = LeaderReads(self.member)
        self.reads = MemberReads(self.member)
        self.renewals = Renewals(self.member, self.lessor)
        self.watches = WatchStreams(self.member)
        self.clients: set[NodeId] = set()  # The clients that are connected.
        self._known = (self.raft.role, self.raft.term, self.raft.leader)  # At the last look.
        self._to_revoke: list[LeaseId] = []  # Once this member has proved that it leads.

    def view(self) -> Mapping[str, object]:
        return {
            **self.raft.view(),
            "applied": self.member.applied,
            "revision": self.store.keys.revision,
            "keys": self.store.keys.view(),
            "leases": {lease: granted.ttl_s for lease, granted in self.store.leases.items()},
            "primary lessor": self.lessor.is_primary,
            **self.lessor.view(),
            "clients": sorted(self.clients),
        }

    # --- Inputs

    def on_start(self) -> None:
        self.raft.on_start()
        self.renewals.start()

    def on_message(self, sender: NodeId, message: Message) -> None:
        self.receive[type(message)](self, sender, message)

    def on_timer(self, name: str) -> None:
        if not name.startswith("etcd-"):
            self.member.last_tick_ns = self.host.monotonic()
            self.raft.on_timer(name)
        elif name == LESSOR:
            self._revoke(self.lessor.on_timer())
        elif name == READ_RETRY:
            self._ask_for_index(self.reads.again())
        elif name.startswith(PROPOSAL):
            self.proposals.on_timer(name)
        elif name == MONITOR or name.startswith((RENEW, GIVE_UP)):
            self.renewals.on_timer(name)
        self._look()

    def on_saved(self, name: str) -> None:
        self.raft.on_saved(name)
        self._look()

    def on_connect(self, peer: NodeId) -> None:
        self.raft.on_connect(peer)

    def on_disconnect(self, peer: NodeId, reason: str) -> None:
        self.raft.on_disconnect(peer, reason)
        self.renewals.on_disconnected(peer)
        self._forget(peer)
        self._look()

    def on_command(self, command: Message) -> None:
        """A transfer of the leadership of the cluster."""
        self.raft.on_command(command)
        self._look()

    def _on_raft_message(self, sender: NodeId, message: Message) -> None:
        self.raft.on_message(sender, message)
        if isinstance(message, AppendEntriesReply):
            self._answer_reads(self.leader_reads.on_reply(sender, message))
        self._look()

    # --- What is ready

    def _look(self) -> None:
        """Look what the Raft server has got ready, and do it. Then ask for what reads and renewals need."""
        known = self.raft.role, self.raft.term, self.raft.leader
        if known != self._known:
            self._known = known
            self._on_leader_changed()
        if self.member.replication.commit_index > self.member.applied:
            self._apply_committed()
        if self.renewals.wants_proof:
            self.renewals.wants_proof = False
            self.reads.read(None, 0, None)
        self._serve_reads()
        if self.reads.has_to_ask:
            self._ask_for_index(self.reads.begin())

    def _on_leader_changed(self) -> None:
        self.leader_reads.clear()
        if not self.member.leads and self.lessor.is_primary:
            self.lessor.demote()
            self._to_revoke.clear()
        self.proposals.on_leader_changed()
        self.renewals.on_leader_changed()
        self._ask_for_index(self.reads.again())

    def _apply_committed(self) -> None:
        member = self.member
        commit_index = member.replication.commit_index
        if member.leads:
            self.raft.send_to_all()
        while member.applied < commit_index:
            member.applied += 1
            entry = member.replication.log.entry_at(member.applied)
            if isinstance(entry.command, Proposal):
                self._apply(member.applied, entry.command)
            elif member.leads and entry.term == self.raft.term and not self.lessor.is_primary:
                self.lessor.promote(self.store.leases, self.config.election_timeout)
                self.renewals.on_leader_changed()
        self._answer_reads(self.leader_reads.on_committed())

    def _apply(self, index: int, proposal: Proposal) -> None:
        seen = len(self.store.keys.events)
        result: Result = self.store.apply(index, proposal.request)
        self.watches.on_events(self.store.keys.events[seen:])
        if isinstance(proposal.request, LeaseGrant):
            self.lessor.on_granted(index, self.store.leases[index])
        elif isinstance(proposal.request, LeaseRevoke):
            self.lessor.on_revoked(proposal.request.lease)
            self.renewals.on_revoked(proposal.request.lease)
        self.proposals.on_applied(proposal, result)

    # --- Expired leases

    def _revoke(self, leases: Iterable[LeaseId]) -> None:
        """Propose to revoke leases that have expired, if it is sure that this member leads."""
        self._to_revoke += leases
        if self._to_revoke and self.member.is_active:
            self._propose_revocations()
        elif self._to_revoke:
            self.renewals.wants_proof = True

    def _propose_revocations(self) -> None:
        leases, self._to_revoke = self._to_revoke, []
        for lease in leases:
            self.host.note("session-expired", session=lease, server=self.host.me)
            self.proposals.propose(LeaseRevoke(lease))

    # --- Clients

    def _on_connect(self, client: NodeId, message: Connect) -> None:
        self._forget(client)
        self.clients.add(client)
        self.host.send(client, Connected(message.number))

    def _on_ping(self, client: NodeId, message: Ping) -> None:
        if client in self.clients:
            self.host.send(client, Pong())

    def _on_disconnect(self, client: NodeId, message: Disconnect) -> None:
        self._forget(client)

    def _on_call(self, client: NodeId, call: Call) -> None:
        if client not in self.clients:
            return
        if isinstance(call.request, Range):
            self.reads.read(client, call.number, call.request)
        else:
            self.proposals.propose(call.request, Asked(client, call.number))
        self._look()

    def _on_keep_alive(self, client: NodeId, message: LeaseKeepAlive) -> None:
        if client in self.clients:
            self.renewals.on_keep_alive(client, message)
            self._look()

    def _on_watch(self, client: NodeId, message: Watch) -> None:
        if client in self.clients:
            self.watches.watch(client, message)

    def _on_cancel_watch(self, client: NodeId, message: CancelWatch) -> None:
        self.watches.cancel(client, message.number)

    def _forget(self, client: NodeId) -> None:
        self.clients.discard(client)
        self.watches.forget(client)
        self.renewals.forget(client)

    # --- Other members

    def _on_forward(self, sender: NodeId, message: Forward) -> None:
        self.proposals.on_forward(message)
        self._look()

    def _on_renew(self, sender: NodeId, message: Renew) -> None:
        self.renewals.on_renew(sender, message)

    def _on_renewed(self, sender: NodeId, message: Renewed) -> None:
        self.renewals.on_renewed(message)
        self._look()

    def _on_read_index(self, sender: NodeId, message: ReadIndex) -> None:
        """Only a leader answers. A member that does not lead any more says nothing; the other asks again."""
        if self.member.leads:
            self._answer_reads(self.leader_reads.ask(sender, message.number))

    def _on_read_index_response(self, sender: NodeId, message: ReadIndexResponse) -> None:
        if sender == self.member.leader:
            self.reads.on_index(message)
            self._look()

    def _ask_for_index(self, request: ReadIndex | None) -> None:
        if request is None or self.member.leader is None:
            return
        if self.member.leads:
            self._answer_reads(self.leader_reads.ask(self.host.me, request.number))
        else:
            self.host.send(self.member.leader, request)

    def _answer_reads(self, answers: Iterable[tuple[NodeId, int, int]]) -> None:
        for asker, number, index in answers:
            if asker == self.host.me:
                self.reads.on_index(ReadIndexResponse(number, index))
            else:
                self.host.send(asker, ReadIndexResponse(number, index))

    def _serve_reads(self) -> None:
        if self.reads.serve() and self.member.leads:
            self._propose_revocations()
            self.renewals.on_proven()

    receive: ClassVar = {
        **dict.fromkeys(Raft.receive, _on_raft_message),
        Connect: _on_connect,
        Ping: _on_ping,
        Disconnect: _on_disconnect,
        Call: _on_call,
        LeaseKeepAlive: _on_keep_alive,
        Watch: _on_watch,
        CancelWatch: _on_cancel_watch,
        Forward: _on_forward,
        ReadIndex: _on_read_index,
        ReadIndexResponse: _on_read_index_response,
        Renew: _on_renew,
        Renewed: _on_renewed,
    }
