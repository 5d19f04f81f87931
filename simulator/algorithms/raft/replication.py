"""Log replication (5.3) and commitment (5.4.2), as far as elections depend on them: which logs differ at a crash.

A leader sends what a follower lacks with each heartbeat and each new entry, on the assumption that what it has sent has
arrived; a refusal sends it back to where the logs agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from simulator.algorithms.raft.configuration import Configuration
from simulator.algorithms.raft.log import Entry, Log
from simulator.algorithms.raft.messages import AppendEntries, AppendEntriesReply
from simulator.protocol import Host, NodeId

MOST_ENTRIES = 64  # In one message.


class Server(Protocol):
    """What replication knows of its server."""

    term: int
    peers: Sequence[NodeId]
    electors: Sequence[NodeId]
    counts_itself: bool
    quorum: int
    last_log: tuple[int, int]


class Replication:
    """The log of one server, and, while it leads, how far the others' logs are known to agree with it."""

    def __init__(self, host: Host, durable: Mapping[str, Any], server: Server) -> None:
        self.host = host
        self.server = server
        self.log = Log.restored(durable)
        self.commit_index = 0
        self.next_index: dict[NodeId, int] = {}  # What each follower is to be sent next.
        self.match_index: dict[NodeId, int] = {}  # How far each log, its own on disk too, is known to agree.
        server.last_log = self.log.last

    # --- As a leader

    def lead(self, *, no_op: bool) -> None:
        """A new leader knows nothing of the others' logs, and tries from its own end."""
        self.next_index = dict.fromkeys(self.server.peers, self.log.last_index + 1)
        self.match_index = dict.fromkeys((*self.server.peers, self.host.me), 0)
        self.match_index[self.host.me] = self.log.last_index
        if no_op:
            self.append(size=0)

    def meet(self) -> None:
        """Those whom this leader leads are others than before."""
        for peer in [peer for peer in self.next_index if peer not in self.server.peers]:
            del self.next_index[peer], self.match_index[peer]
        for peer in self.server.peers:
            self.next_index.setdefault(peer, self.log.last_index + 1)
            self.match_index.setdefault(peer, 0)

    def append(self, size: int = 0, configuration: Configuration | None = None) -> None:
        """Take a command into the log; it counts as this server's once it is on disk (`saved`)."""
        saved = self.log.append(Entry(self.server.term, size, configuration))
        self.server.last_log = self.log.last
        self.host.save(self.write_of(self.log.last_index), **saved)

    def write_of(self, index: int) -> str:
        """The name of the write that brings this leader's log up to an index."""
        return f"log {index}, term {self.server.term}"

    def saved(self, name: str) -> None:
        """A write is on disk: if it is one of this leadership's, the leader's own log is that long."""
        own = self.match_index[self.host.me]
        while own < self.log.last_index and name != self.write_of(own):
            own += 1
        if name == self.write_of(own):
            self.match_index[self.host.me] = own
            self._advance()

    def message_for(self, peer: NodeId) -> AppendEntries:
        """What a follower is to be sent now."""
        before = self.next_index[peer] - 1
        entries = self.log.after(before, MOST_ENTRIES)
        self.next_index[peer] = before + len(entries) + 1
        return AppendEntries(self.server.term, before, self.log.term_at(before), entries, self.commit_index)

    def answered(self, peer: NodeId, reply: AppendEntriesReply) -> bool:
        """Learn from a follower's answer of this term; whether it is to be sent more at once."""
        if peer not in self.match_index:
            return False  # It has been removed.
        if not reply.success:
            agreed = self.match_index[peer]
            self.next_index[peer] = max(agreed, min(reply.match_index, self.log.last_index)) + 1
            return reply.match_index >= agreed  # Otherwise it is old, or of a peer that has lost its disk: no hurry.
        self.match_index[peer] = max(self.match_index[peer], reply.match_index)
        self._advance()
        return self.next_index[peer] <= self.log.last_index

    def has_all(self, peer: NodeId) -> bool:
        """Whether a follower's log is known to be as long as the leader's."""
        return self.match_index[peer] == self.log.last_index

    def _advance(self) -> None:
        """Commit what a majority holds, if it is of this term: "only log entries from the leader's current term are
        committed by counting replicas" (5.4.2).
        """
        counted = (*self.server.electors, self.host.me) if self.server.counts_itself else self.server.electors
        held = sorted((self.match_index[voter] for voter in counted), reverse=True)[self.server.quorum - 1]
        if held > self.commit_index and self.log.term_at(held) == self.server.term:
            self.commit_index = held
            self.host.note("commit", term=self.server.term, index=held, entry_term=self.log.term_at(held))

    # --- As a follower

    def accept(self, message: AppendEntries) -> AppendEntriesReply:
        """Take a leader's entries, if the logs agree up to where they begin. New ones are saved before the reply."""
        before = message.prev_log_index
        if not self.log.holds(before, message.prev_log_term):
            last = self.log.last_index
            hint = last if before > last else self.log.first_of_term_at(before) - 1
            return AppendEntriesReply(self.server.term, success=False, match_index=hint)
        saved = self.log.merge(before, message.entries)
        if saved:
            self.host.save(None, **saved)
            self.server.last_log = self.log.last
        agreed = before + len(message.entries)
        self.commit_index = max(self.commit_index, min(message.leader_commit, agreed))
        return AppendEntriesReply(self.server.term, success=True, match_index=agreed)
