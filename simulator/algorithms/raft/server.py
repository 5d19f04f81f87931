"""Raft leader election: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014).

Sections 5.1 (terms), 5.2 (election), 5.3 (replication), 5.4 (up-to-date logs, commitment) and 5.6 (timing); Ongaro's
dissertation, sections 3.10 (leadership transfer), 4.1 and 4.2 (membership changes, one server at a time), 4.2.3 and 6.2
(leader stickiness, CheckQuorum), 6.4.1 (leases for reads) and 9.6 (PreVote).
Without replication, a log is the term and index of its last entry, and heartbeats are AppendEntries without entries.

Assumes crash-recovery nodes with stable storage, and a network that may lose, duplicate, delay and reorder.
Promises at most one leader in a term, always; a leader eventually, once a majority can talk within a time well
below the election timeout. An undisturbed election costs n - 1 requests and as many replies; the winner's first
heartbeats cost the same again, and the first vote request goes out one election timeout after the last heartbeat.

One server, whole: it elects (`election`, `prevote`), keeps a log and a lease, takes commands and hands leadership over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from simulator.algorithms.raft.changes import CATCH_UP, Changes
from simulator.algorithms.raft.config import RaftConfig
from simulator.algorithms.raft.handover import ABORT, Handover
from simulator.algorithms.raft.lease import Lease
from simulator.algorithms.raft.membership import Membership
from simulator.algorithms.raft.messages import (
    AddServer,
    AppendEntries,
    AppendEntriesReply,
    Propose,
    RemoveServer,
    TimeoutNow,
    TransferRequest,
)
from simulator.algorithms.raft.prevote import PreElector
from simulator.algorithms.raft.replication import Replication
from simulator.protocol import FOLLOWER, LEADER, Host, Message, NodeId


class Raft(PreElector):
    """One Raft server. Without replication it keeps the log that it was given."""

    def __init__(self, host: Host, config: RaftConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.replication = Replication(host, durable, self) if config.replication else None
        self.handover = Handover(host, self, config.election_timeout[0])
        self.timers[ABORT] = self.handover.abort
        self.lease: Lease | None = None
        self.membership: Membership | None = None  # None: everybody votes, for ever.
        self.changes: Changes | None = None
        if config.lease_reads:
            self.lease = Lease(host, config, self)
            self.timers.update(self.lease.timers())
            self.accept = self._accept
        if self.replication is not None:
            self.membership = Membership(host, config, self, self.replication.log)
            self.changes = Changes(host, self, self.membership, self.replication, config.election_timeout[0])
            self.timers[CATCH_UP] = self.changes.ring
            self.accept = self._accept
        elif config.voters is not None or config.learners:
            self.membership = Membership(host, config, self, None)
        self.watches_answers = self.checks_quorum or self.accept is not None

    # --- Inputs

    def on_start(self) -> None:
        if self.membership is not None:
            self.membership.start()
        super().on_start()
        if self.lease is not None:
            self.pace.hears_at_first()

    def on_saved(self, name: str) -> None:
        if self.role is LEADER and self.replication is not None:
            self.replication.saved(name)
            self._see_to_changes()
        else:
            super().on_saved(name)

    def on_command(self, command: Message) -> None:
        """A client's command or a change of members, which only a leader takes; or a wish for another leader."""
        if isinstance(command, Propose):
            self._propose(command.size)
        elif isinstance(command, AddServer | RemoveServer):
            if self.role is LEADER and self.changes is not None:
                self.changes.ask(command)
        elif self.role is LEADER:
            self.handover.begin(command.to)
        elif self.leader is not None:
            self.host.send(self.leader, TransferRequest(self.term, command.to))

    # --- The log (5.3)

    def _accept(self, message: AppendEntries) -> AppendEntriesReply:
        if self.replication is None or self.membership is None:
            return AppendEntriesReply(self.term, success=True, round=message.round)
        reply = self.replication.accept(message)
        self.membership.follow_log()
        return reply if message.round is None else replace(reply, round=message.round)

    def _has_answered(self, sender: NodeId, message: AppendEntriesReply) -> None:
        replication = self.replication
        if replication is not None:
            if replication.answered(sender, message):
                self.send_append_entries(sender)
            self.handover.proceed()
            self._see_to_changes()
        if message.round is not None and self.lease is not None and self.role is LEADER:
            self.lease.answered(sender, message.round)

    def _send_round(self) -> None:
        if self.lease is not None:
            self.lease.begin_round()
        self.send_to_all()

    def send_append_entries(self, peer: NodeId) -> None:
        """Send a peer what its log lacks, or a heartbeat."""
        replication, lease = self.replication, self.lease
        message = AppendEntries(self.term) if replication is None else replication.message_for(peer)
        self.host.send(peer, message if lease is None else replace(message, round=lease.round))

    def send_to_all(self) -> None:
        """Send everybody what they lack."""
        for peer in self.peers:
            self.send_append_entries(peer)

    def _has_voted(self) -> None:
        if self.replication is not None:
            self._note_log()

    # --- Priority (tikv/raft-rs#68)

    def _defers_to(self, candidate: NodeId, message: Any) -> bool:
        priorities = self.config.priorities
        if not priorities or getattr(message, "is_transfer", False):
            return True
        return priorities[candidate - 1] >= priorities[self.host.me - 1]

    # --- Members (dissertation, chapter 4)

    @property
    def _may_stand(self) -> bool:
        commit_index = 0 if self.replication is None else self.replication.commit_index
        return self.membership is None or self.membership.may_stand(commit_index)

    def _see_to_changes(self) -> None:
        if self.changes is not None and self.changes.under_way:
            self.changes.proceed()

    def retire(self) -> None:
        """A leader that the configuration does not name steps down once that is committed (4.2.2)."""
        self._become_follower(self.term, leader=None)

    # --- Commands, and leadership transfer (dissertation, 3.10)

    def _propose(self, size: int) -> None:
        if self.replication is not None and self.role is LEADER and self.handover.to is None:
            self.replication.append(size)
            self.send_to_all()

    def _on_transfer_request(self, sender: NodeId, message: TransferRequest) -> None:
        if self.role is LEADER and message.term == self.term:
            self.handover.begin(message.to)

    def _on_timeout_now(self, sender: NodeId, message: TimeoutNow) -> None:
        """Stand at once, "without waiting for an election timeout to elapse", and without asking beforehand."""
        if self.role is FOLLOWER and message.term == self.term and sender == self.leader and self._may_stand:
            self.is_transfer = True
            self._become_candidate()

    # --- Roles

    def _become_leader(self) -> None:
        if self.replication is not None:
            self._note_log(runs=self.replication.log.runs())
        super()._become_leader()

    def _leads(self) -> None:
        if self.replication is not None and self.changes is not None:
            self.replication.lead(no_op=self.config.no_op)
            self.changes.lead()

    def _leads_no_more(self) -> None:
        self.handover.end()
        if self.lease is not None:
            self.lease.end()
        if self.changes is not None:
            self.changes.end()

    receive: ClassVar = {
        **PreElector.receive,
        TimeoutNow: _on_timeout_now,
        TransferRequest: _on_transfer_request,
    }
