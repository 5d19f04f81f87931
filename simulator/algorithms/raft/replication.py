"""Log replication (5.3) and commitment (5.4.2), as far as elections depend on them: how logs differ at a crash.

With each heartbeat and each new entry, a leader sends what a follower lacks, and assumes that what it has sent arrives.
A refusal takes it back to where the two logs agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from simulator.algorithms.raft.log import Log
from simulator.algorithms.raft.messages import AppendEntries, AppendEntriesReply
from simulator.protocol import NodeId

MOST_ENTRIES = 64  # In one message.


class Replication:
    """The log of one server and, while it leads, how far the others' logs are known to agree with it."""

    def __init__(self, me: NodeId, log: Log) -> None:
        self.me = me
        self.log = log
        self.commit_index = 0
        self.next_index: dict[NodeId, int] = {}  # The next entry to send to each follower.
        # The index up to which each log is known to agree with this one. For this server's own log, the last index on
        # disk.
        self.match_index: dict[NodeId, int] = {}

    def view(self, *, leads: bool) -> Mapping[str, object]:
        """What a page may show of it, in plain values. `log`: each term with the last index that it reaches."""
        view = {"log": self.log.runs(), "commit index": self.commit_index}
        return {**view, "match index": dict(self.match_index)} if leads else view

    # --- As a leader

    def lead(self, peers: Sequence[NodeId]) -> None:
        """Begin to lead: nothing is known of the others' logs. Try to append to them from the end of the own log."""
        self.next_index = dict.fromkeys(peers, self.log.last_index + 1)
        self.match_index = dict.fromkeys((*peers, self.me), 0)
        self.match_index[self.me] = self.log.last_index

    def replicate_to(self, peers: Sequence[NodeId]) -> None:
        """The members have changed: replicate to these peers, and forget the others."""
        for peer in [peer for peer in self.next_index if peer not in peers]:
            del self.next_index[peer], self.match_index[peer]
        for peer in peers:
            self.next_index.setdefault(peer, self.log.last_index + 1)
            self.match_index.setdefault(peer, 0)

    def on_saved(self, name: str, term: int) -> bool:
        """A write is on disk. Return whether it is one of the log in this term; then the own log is that long."""
        saved = self.match_index[self.me]
        while saved < self.log.last_index and name != write_name(saved, term):
            saved += 1
        if name != write_name(saved, term):
            return False
        self.match_index[self.me] = saved
        return True

    def message_for(self, peer: NodeId, term: int) -> AppendEntries:
        """Return what a follower has to be sent now, and count it as sent."""
        before = self.next_index[peer] - 1
        entries = self.log.after(before, MOST_ENTRIES)
        self.next_index[peer] = before + len(entries) + 1
        return AppendEntries(term, before, self.log.term_at(before), entries, self.commit_index)

    def on_reply(self, peer: NodeId, reply: AppendEntriesReply) -> bool:
        """Learn how far a follower's log agrees. Return whether to send it what it lacks at once.

        A refusal says how far the logs agree at most. A reply below the index that is known to agree is an old reply,
        or its sender has lost its disk. Nothing is sent at once, because the next heartbeat is enough.
        """
        agreed = self.match_index[peer]
        if not reply.success:
            self.next_index[peer] = max(agreed, min(reply.match_index, self.log.last_index)) + 1
            return reply.match_index >= agreed
        self.match_index[peer] = max(agreed, reply.match_index)
        return self.next_index[peer] <= self.log.last_index

    def has_all(self, peer: NodeId) -> bool:
        """Whether a follower's log is known to be as long as the leader's."""
        return self.match_index[peer] == self.log.last_index

    def commit(self, term: int, voters: Iterable[NodeId], quorum: int) -> bool:
        """Commit what a quorum of these voters holds, if it is of this term. Return whether the commit index moved.

        "Only log entries from the leader's current term are committed by counting replicas" (5.4.2).
        """
        held = sorted((self.match_index[voter] for voter in voters), reverse=True)[quorum - 1]
        if held <= self.commit_index or self.log.term_at(held) != term:
            return False
        self.commit_index = held
        return True

    # --- As a follower

    def accept(self, message: AppendEntries) -> tuple[AppendEntriesReply, Mapping[str, object]]:
        """Take a leader's entries if the logs agree up to where they begin.

        Return the reply, and the values that have to be saved before it leaves.
        """
        before = message.prev_log_index
        if not self.log.holds(before, message.prev_log_term):
            last = self.log.last_index
            hint = last if before > last else self.log.first_of_term_at(before) - 1
            return AppendEntriesReply(message.term, success=False, match_index=hint), {}
        changed = self.log.merge(before, message.entries)
        agreed = before + len(message.entries)
        self.commit_index = max(self.commit_index, min(message.leader_commit, agreed))
        return AppendEntriesReply(message.term, success=True, match_index=agreed), changed


def write_name(index: int, term: int) -> str:
    """Return the name of the write that brings the log of this term's leader up to an index."""
    return f"log {index}, term {term}"
