"""Linearizable reads (server/etcdserver/read; etcd-io/raft, read_only.go; Ongaro's dissertation, section 6.4).

A member asks the leader for a read index. The leader notes how far its log is committed, sends heartbeats, and answers
once a majority has answered those. It must have committed an entry of its own term; until then the request waits. The
member serves its reads when it has applied the log up to that index. It asks for one index at a time; reads that come
meanwhile wait for the next. It asks again every 500 ms, and at once if it learns of another leader.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.algorithms.etcd.member import Member
from simulator.algorithms.etcd.messages import Failed, Range, ReadIndex, ReadIndexResponse, Response
from simulator.algorithms.raft.messages import AppendEntries, AppendEntriesReply
from simulator.protocol import MILLISECOND, NodeId

READ_RETRY = "etcd-read-retry"  # The timer after which a member asks again.
RETRY_INTERVAL = 500 * MILLISECOND


@dataclass(slots=True)
class Round:
    """Heartbeats that confirm that this member still led when it sent them. `askers`: members, and their numbers."""

    index: int
    term: int
    askers: list[tuple[NodeId, int]]
    answered: set[NodeId] = field(default_factory=set)


class LeaderReads:
    """The read indexes that this member gives while it leads."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self._last_round = 0
        self._rounds: dict[int, Round] = {}
        self._postponed: list[tuple[NodeId, int]] = []  # Until an entry of this term is committed.

    def ask(self, asker: NodeId, number: int) -> list[tuple[NodeId, int, int]]:
        """A member, maybe this one, asks. Returns what can be answered now, as `on_reply` does."""
        raft, replication = self.member.raft, self.member.replication
        index = replication.commit_index
        if replication.log.term_at(index) != raft.term:
            self._postponed.append((asker, number))
            return []
        self._last_round += 1
        self._rounds[self._last_round] = Round(index, raft.term, [(asker, number)])
        for peer in raft.membership.peers:
            self.member.host.send(peer, AppendEntries(raft.term, round=self._last_round))
        return self._confirmed(self._last_round)

    def on_reply(self, peer: NodeId, reply: AppendEntriesReply) -> list[tuple[NodeId, int, int]]:
        """A peer has answered heartbeats. Returns each member that is answered, with its number and the index."""
        confirmed = self._rounds.get(reply.round or 0)
        if confirmed is None or reply.round is None or not (self.member.leads and reply.term == confirmed.term):
            return []
        confirmed.answered.add(peer)
        return self._confirmed(reply.round)

    def on_committed(self) -> list[tuple[NodeId, int, int]]:
        """An entry was committed: begin what was postponed until then."""
        postponed, self._postponed = self._postponed, []
        return [answer for asker, number in postponed for answer in self.ask(asker, number)]

    def clear(self) -> None:
        """This member leads no more, or leads in another term."""
        self._rounds.clear()
        self._postponed.clear()

    def _confirmed(self, number: int) -> list[tuple[NodeId, int, int]]:
        """What a majority has confirmed with this round: also all earlier rounds."""
        if not self.member.raft.membership.is_majority(self._rounds[number].answered):
            return []
        done = [earlier for earlier in self._rounds if earlier <= number]
        return [(*asker, found.index) for found in map(self._rounds.pop, done) for asker in found.askers]


@dataclass(slots=True)
class Read:
    """The read of a client, or (without a client) the proof that a leader asks for. `due` is when it is given up."""

    client: NodeId | None
    call: int
    request: Range | None
    due: int


class MemberReads:
    """The reads that this member is asked for."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self._number = 0  # Of the index that is asked for.
        self._asked: list[Read] = []  # These wait for that index.
        self._next: list[Read] = []  # These wait for the next one.
        self._indexed: list[tuple[int, Read]] = []  # These wait until the log is applied up to their index.

    def read(self, client: NodeId | None, call: int, request: Range | None) -> None:
        """Serve a read, when that is possible."""
        due = self.member.host.monotonic() + self.member.config.request_timeout
        self._next.append(Read(client, call, request, due))

    @property
    def has_to_ask(self) -> bool:
        """Whether an index has to be asked for now. If so, `begin` returns its number."""
        return not self._asked and bool(self._next)

    def begin(self) -> ReadIndex:
        """Returns the request for the next index."""
        self._number += 1
        self._asked, self._next = self._next, []
        self.member.host.set_timer(READ_RETRY, RETRY_INTERVAL)
        return ReadIndex(self._number)

    def again(self) -> ReadIndex | None:
        """Returns the request for the index once more, if it is still needed. Gives up reads that took too long."""
        now = self.member.host.monotonic()
        for read in [read for read in self._asked if read.due <= now]:
            self._asked.remove(read)
            if read.client is not None:
                self.member.host.send(read.client, Failed(read.call))
        if not self._asked:
            return None
        self.member.host.set_timer(READ_RETRY, RETRY_INTERVAL)
        return ReadIndex(self._number)

    def on_index(self, message: ReadIndexResponse) -> None:
        """The leader has answered. An answer to an earlier request is ignored."""
        if message.number == self._number and self._asked:
            self.member.host.cancel_timer(READ_RETRY)
            self._indexed += [(message.index, read) for read in self._asked]
            self._asked = []

    def serve(self) -> bool:
        """Serve the reads whose index is applied. Returns whether a proof that was asked for is among them."""
        ready = [read for index, read in self._indexed if index <= self.member.applied]
        self._indexed = [(index, read) for index, read in self._indexed if index > self.member.applied]
        for read in ready:
            if read.client is not None and read.request is not None:
                self.member.host.send(read.client, Response(read.call, self.member.store.read(read.request)))
        return any(read.client is None for read in ready)
