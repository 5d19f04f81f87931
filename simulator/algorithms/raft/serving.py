"""A Raft server that serves clients from its log (section 8; dissertation, chapter 6). Trials with clients run it.

A write is appended, and acknowledged once it is committed. A server that does not lead names the leader that it knows
of ("that server will reject the client's request and supply information about the most recent leader it has heard
from", section 8). A leader that steps down does not know what becomes of the writes that it has not committed.

A read returns the state of the committed entries, by the way that the client asks for (`Consistency`). By default, a
leader uses its lease if the server has lease reads, and confirms otherwise that it still leads (dissertation, 6.4): it
waits until an entry of its own term is committed, and until a majority has answered a round of heartbeats that it sent
after the read had come. Reads that come while a round is under way share the next one, as in etcd.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from simulator.algorithms.raft.config import RaftConfig
from simulator.algorithms.raft.log import Entry, Log
from simulator.algorithms.raft.membership import Membership
from simulator.algorithms.raft.messages import AppendEntriesReply
from simulator.algorithms.raft.node import Raft
from simulator.algorithms.raft.replication import Replication
from simulator.clients.messages import Command, Consistency, Operation, Reply, Request, Status
from simulator.clients.sureness import Sureness
from simulator.protocol import LEADER, Host, NodeId, Role

UNHEARD = "unheard"  # The timer of a leader that no majority answers.


@dataclass(slots=True)
class Waiting:
    """A client's request that this leader has not answered yet."""

    client: NodeId
    request: Request


class Registers:
    """The state machine: the value of each key, after the committed entries up to `applied`."""

    def __init__(self) -> None:
        self.applied = 0
        self.values: dict[int, int] = {}

    def apply(self, log: Log, commit_index: int) -> list[tuple[int, Command]]:
        """Apply what is committed now. Return the new commands, each with its index."""
        found = []
        for index in range(self.applied + 1, commit_index + 1):
            command = log.entry_at(index).command
            if command is not None:
                self.values[command.key] = command.value
                found.append((index, command))
        self.applied = max(self.applied, commit_index)
        return found


class ReadRounds:
    """Reads that wait for a round of heartbeats, and those that wait for the next one."""

    def __init__(self) -> None:
        self.number = 0  # Of the last round of heartbeats that was sent for reads.
        self.confirming: list[Waiting] = []
        self.queued: list[Waiting] = []
        self._answered: set[NodeId] = set()

    def begin(self, number: int) -> None:
        """The queued reads are confirmed by the round with this number, which is sent now."""
        self.number = number
        self.confirming, self.queued = self.queued, []
        self._answered.clear()

    def on_response(self, peer: NodeId, number: int, membership: Membership) -> list[Waiting]:
        """A peer has answered a round. Return the reads that a majority has confirmed with this answer."""
        if not self.confirming or number < self.number:
            return []
        self._answered.add(peer)
        if not membership.is_majority(self._answered):
            return []
        confirmed, self.confirming = self.confirming, []
        return confirmed


class ServingRaft(Raft):
    """A server with a log, and with clients."""

    def __init__(self, host: Host, config: RaftConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        assert self.replication is not None
        self.log_of_clients: Replication = self.replication
        self.registers = Registers()
        self.writes: dict[int, Waiting] = {}  # By the index of their entries.
        self.reads = ReadRounds()
        self.sureness = Sureness(host)
        self.heard_from: set[NodeId] = set()  # By a leader, since a majority last had answered it.
        self.unconfirmed: list[Waiting] = []  # Reads that wait for the first commit of this term.

    def on_request(self, client: NodeId, request: Request) -> None:
        waiting = Waiting(client, request)
        if self.sureness.allows_stale_read(request):
            self._read(waiting, stale=True)
        elif request.operation is Operation.READ and request.consistency is Consistency.STALE:
            self._read(waiting)
        elif self.role is not LEADER:
            self._turn_away(waiting)
        elif request.operation is Operation.WRITE:
            self._write(waiting)
        elif request.consistency is Consistency.LEADER or self._may_read_by_lease(request):
            self._read(waiting)
        else:
            self._confirm(waiting)

    # --- Writes

    def _write(self, waiting: Waiting) -> None:
        if self.transfer.target is not None or self.sureness.refuses_write(waiting.request):
            self._answer(waiting, Status.REFUSED)
            return
        request = waiting.request
        command = Command(waiting.client, request.number, request.key, request.value)
        self.append(self.log_of_clients, Entry(self.term, request.size, command=command))
        self.writes[self.log_of_clients.log.last_index] = waiting
        self.send_to_all()

    def _commit(self, replication: Replication) -> None:
        super()._commit(replication)
        log = replication.log
        for index, command in self.registers.apply(log, replication.commit_index):
            self.host.note("wrote", **command._asdict(), token=log.term_at(index), log_index=index)
            waiting = self.writes.pop(index, None)
            if waiting is not None:
                self._answer(waiting, Status.DONE, token=self.term, log_index=index)
        if self.unconfirmed and self._has_committed_in_term:
            unconfirmed, self.unconfirmed = self.unconfirmed, []
            for waiting in unconfirmed:
                self._confirm(waiting)

    # --- Reads

    def _may_read_by_lease(self, request: Request) -> bool:
        asks = request.consistency in (Consistency.DEFAULT, Consistency.LEASE)
        return asks and self.lease is not None and self.lease.held is not None and self._has_committed_in_term

    @property
    def _has_committed_in_term(self) -> bool:
        replication = self.log_of_clients
        return replication.log.term_at(replication.commit_index) == self.term

    def _confirm(self, waiting: Waiting) -> None:
        """Answer a read once this server has confirmed that it leads."""
        if not self._has_committed_in_term:
            self.unconfirmed.append(waiting)
            return
        self.reads.queued.append(waiting)
        if not self.reads.confirming:
            self._begin_read_round()

    def _begin_read_round(self) -> None:
        if self.lease is not None:
            self._send_heartbeats()
            self.reads.begin(self.lease.round)
        else:
            self.reads.begin(self.reads.number + 1)
            self.send_to_all()
        self._on_read_round_answered(self.host.me, self.reads.number)

    def _on_read_round_answered(self, node: NodeId, number: int) -> None:
        for waiting in self.reads.on_response(node, number, self.membership):
            self._read(waiting)
        if self.reads.queued and not self.reads.confirming:
            self._begin_read_round()

    def _read(self, waiting: Waiting, *, stale: bool = False) -> None:
        """Answer from this server's own state."""
        registers, replication = self.registers, self.log_of_clients
        registers.apply(replication.log, replication.commit_index)
        value = registers.values.get(waiting.request.key, 0)
        state = {"token": self.term, "log_index": registers.applied, "stale": stale}
        self._answer(waiting, Status.DONE, value=value, **state)

    def _send_append_entries(self, peer: NodeId) -> None:
        if self.lease is not None or not self.reads.number:
            super()._send_append_entries(peer)
        else:
            message = self.log_of_clients.message_for(peer, self.term)
            self.host.send(peer, replace(message, round=self.reads.number))

    def _on_append_entries_reply(self, sender: NodeId, message: AppendEntriesReply) -> None:
        super()._on_append_entries_reply(sender, message)
        if message.term == self.term and self.role is LEADER:
            self._hear(sender)
        if message.round is not None and message.term == self.term and self.role is LEADER:
            self._on_read_round_answered(sender, message.round)

    # --- Read-only mode

    def on_start(self) -> None:
        self.sureness.lose("no-leader")
        super().on_start()

    def _become_follower(self, term: int, leader: NodeId | None) -> None:
        super()._become_follower(term, leader)
        if leader is None:
            self.sureness.lose("no-leader")
        else:
            self.sureness.regain()

    def _begin_candidacy(self, role: Role) -> None:
        super()._begin_candidacy(role)
        self.sureness.lose("no-leader")

    def _on_elected(self) -> None:
        super()._on_elected()
        self._have_quorum()

    def _hear(self, peer: NodeId) -> None:
        """A leader is sure while a majority has answered it within the least election timeout."""
        self.heard_from.add(peer)
        if self.membership.is_majority(self.heard_from):
            self._have_quorum()

    def _have_quorum(self) -> None:
        self.heard_from.clear()
        self.sureness.regain()
        self.host.set_timer(UNHEARD, self.config.election_timeout[0])

    def on_timer(self, name: str) -> None:
        if name != UNHEARD:
            super().on_timer(name)
        elif self.role is LEADER and not self.membership.is_majority(set()):
            self.sureness.lose("no-quorum")
            for waiting in self._take_reads():
                self.on_request(waiting.client, waiting.request)

    # --- Servers that do not lead, or not any more

    def _turn_away(self, waiting: Waiting) -> None:
        status = Status.REFUSED if self.leader is None else Status.REDIRECTED
        self._answer(waiting, status, leader=self.leader)

    def _on_stepped_down(self) -> None:
        super()._on_stepped_down()
        writes, self.writes = self.writes, {}
        for waiting in writes.values():
            self._answer(waiting, Status.LOST)
        for waiting in self._take_reads():
            self._answer(waiting, Status.REFUSED)

    def _take_reads(self) -> list[Waiting]:
        """The reads that have not been answered. They wait no more."""
        found = [*self.unconfirmed, *self.reads.confirming, *self.reads.queued]
        self.unconfirmed, self.reads.confirming, self.reads.queued = [], [], []
        return found

    def _answer(self, waiting: Waiting, status: Status, **result: Any) -> None:
        request = waiting.request
        self.host.answer(waiting.client, Reply(request.number, request.attempt, status, **result))

    receive: ClassVar = {**Raft.receive, AppendEntriesReply: _on_append_entries_reply}
