"""Raft leader election: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014).

Sections 5.1 (terms), 5.2 (election), 5.4.1 (up-to-date logs) and 5.6 (timing). Logs are given as the term and
index of their last entry; heartbeats are AppendEntries without entries.

Assumes crash-recovery nodes with stable storage, and a network that may lose, duplicate, delay and reorder.
Promises at most one leader in a term, always; a leader eventually, once a majority can talk within a time well
below the election timeout. An undisturbed election costs n - 1 requests and as many replies; the winner's first
heartbeats cost the same again, and the first vote request goes out one election timeout after the last heartbeat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from simulator.protocol import (
    CANDIDATE,
    FOLLOWER,
    LEADER,
    MILLISECOND,
    Algorithm,
    Duration,
    DurationRange,
    Guarantee,
    Host,
    Message,
    NodeId,
    Role,
    message,
    option,
    uniform,
)

ELECTION, HEARTBEAT, RETRY = "election", "heartbeat", "retry"


@message
class RequestVote:
    """A candidate asks for a vote (5.2), and shows the end of its log (5.4.1)."""

    term: int
    last_log_term: int = 0
    last_log_index: int = 0


@message
class RequestVoteReply:
    """A voter's answer; `term` tells a candidate that is behind to step down."""

    term: int
    vote_granted: bool


@message
class AppendEntries:
    """A leader's heartbeat (5.2)."""

    term: int


@message
class AppendEntriesReply:
    """A follower's answer; a refusal tells a leader that its term is over."""

    term: int
    success: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RaftConfig:
    """Options of Raft; the defaults are the paper's (5.6, 9.3)."""

    election_timeout: DurationRange = option(
        (150 * MILLISECOND, 300 * MILLISECOND),
        "The range that each election timeout is drawn from, anew at each reset (5.2).",
    )
    heartbeat_interval: Duration = option(50 * MILLISECOND, "How often a leader sends AppendEntries (5.2).")
    vote_retry_interval: Duration | None = option(
        None, "A candidate asks those who have not replied again this often (5.1); none by default, as most systems do."
    )
    new_term_heartbeat_only_steps_down: bool = option(
        False, "AppendEntries of a higher term does no more than end the old role, as in AvailSim (dissertation, 9.3)."
    )

    def __post_init__(self) -> None:
        low, high = self.election_timeout
        if not 0 < low <= high:
            raise ValueError("election_timeout: the range must be positive and its first end not above its second")
        if self.heartbeat_interval <= 0:
            raise ValueError("heartbeat_interval: must be positive")
        if self.vote_retry_interval is not None and self.vote_retry_interval <= 0:
            raise ValueError("vote_retry_interval: must be positive")


class Raft(Algorithm):
    """One Raft server, as far as elections go."""

    guarantees = frozenset(Guarantee)

    def __init__(self, host: Host, config: RaftConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.config: RaftConfig = config
        self.term: int = durable.get("term", 0)
        self.voted_for: NodeId | None = durable.get("voted_for")
        self.last_log: tuple[int, int] = durable.get("last_log", (0, 0))  # Term and index of the last entry.
        self.unsaved = False  # Whether term or vote differ from what has been sent to the disk.
        self.role: Role = FOLLOWER
        self.leader: NodeId | None = None
        self.votes: set[NodeId] = set()  # Whose votes this candidate holds in the current term.
        self.replied: set[NodeId] = set()  # Who has answered this candidate's request, for a vote or against.
        self.quorum = (len(host.peers) + 1) // 2 + 1

    # --- Inputs

    def on_start(self) -> None:
        last_term, last_index = self.last_log
        self.host.note("log", last_term=last_term, last_index=last_index)
        self.host.transition(FOLLOWER, self.term, None)
        self._reset_election_timer()

    def on_message(self, sender: NodeId, message: Message) -> None:
        if message.term > self.term:  # "If one server's current term is smaller …, then it updates" (5.1)
            self._become_follower(message.term, leader=None)
            if self.config.new_term_heartbeat_only_steps_down and type(message) is AppendEntries:
                self._save_term_and_vote()
                return
        self.receive[type(message)](self, sender, message)
        if self.unsaved:  # Nothing was answered that would have needed it on disk first.
            self._save_term_and_vote()

    def on_timer(self, name: str) -> None:
        if name == HEARTBEAT:
            self._send_heartbeats()
        elif name == ELECTION:
            self._become_candidate()
        else:
            self._request_votes()

    def on_saved(self, name: str) -> None:
        if name == self._own_vote and self.role is CANDIDATE:
            self._count_vote(self.host.me)  # A candidate's own vote counts once a crash cannot take it back.

    # --- Votes (5.2, 5.4.1)

    def _on_request_vote(self, sender: NodeId, message: RequestVote) -> None:
        granted = (
            message.term == self.term
            and self.voted_for in (None, sender)
            and (message.last_log_term, message.last_log_index) >= self.last_log
        )
        if granted:
            if self.voted_for is None:
                self.voted_for = sender
                self.unsaved = True
            self._reset_election_timer()  # "or granting vote to candidate" (Fig. 2, rules for followers)
        self._reply(sender, RequestVoteReply(self.term, granted))

    def _on_request_vote_reply(self, sender: NodeId, message: RequestVoteReply) -> None:
        if self.role is CANDIDATE and message.term == self.term:
            self.replied.add(sender)
            if message.vote_granted:
                self._count_vote(sender)

    def _count_vote(self, voter: NodeId) -> None:
        if voter not in self.votes:
            self.votes.add(voter)
            self.host.note("vote", term=self.term, voter=voter)
            if len(self.votes) >= self.quorum:
                self._become_leader()

    # --- Heartbeats (5.2)

    def _on_append_entries(self, sender: NodeId, message: AppendEntries) -> None:
        current = message.term == self.term
        if current and self.role is not LEADER:  # Two leaders of a term cannot be; if they were, a check would tell.
            if self.leader != sender:
                self._become_follower(self.term, leader=sender)
            self._reset_election_timer()
        self._reply(sender, AppendEntriesReply(self.term, current))

    def _on_append_entries_reply(self, sender: NodeId, message: AppendEntriesReply) -> None:
        """A higher term has been dealt with on arrival, and an acknowledged heartbeat asks for nothing."""

    # --- Roles

    def _become_follower(self, term: int, leader: NodeId | None) -> None:
        assert term > self.term or (term == self.term and self.role in (FOLLOWER, CANDIDATE))
        if term > self.term:
            self.term = term
            self.voted_for = None
            self.unsaved = True
        if self.role is LEADER:
            self.host.cancel_timer(HEARTBEAT)
            self._reset_election_timer()
        elif self.role is CANDIDATE:  # Its timer runs on: the paper resets it for a leader or a granted vote only.
            self.host.cancel_timer(RETRY)
        self.role = FOLLOWER
        self.leader = leader
        self.host.transition(FOLLOWER, term, leader)

    def _become_candidate(self) -> None:
        assert self.role in (FOLLOWER, CANDIDATE)
        if self.role is FOLLOWER:
            self.host.note("suspected", leader=self.leader)
        self.term += 1
        self.voted_for = self.host.me
        self.role = CANDIDATE
        self.leader = None
        self.votes = set()
        self.replied = set()
        self.host.transition(CANDIDATE, self.term, None)
        self._save_term_and_vote(then=self._own_vote)
        self._reset_election_timer()
        self._request_votes()

    def _become_leader(self) -> None:
        assert self.role is CANDIDATE
        self.role = LEADER
        self.leader = self.host.me
        self.host.cancel_timer(ELECTION)
        self.host.cancel_timer(RETRY)
        self.host.transition(LEADER, self.term, self.host.me)
        self._send_heartbeats()

    # --- Outputs

    def _reply(self, to: NodeId, reply: Message) -> None:
        """Answer; term and vote are "updated on stable storage before responding to RPCs" (Fig. 2), in one write."""
        if self.unsaved:
            self._save_term_and_vote()
        self.host.send(to, reply)

    def _request_votes(self) -> None:
        request = RequestVote(self.term, *self.last_log)
        for peer in self.host.peers:
            if peer not in self.replied:
                self.host.send(peer, request)
        if self.config.vote_retry_interval is not None:
            self.host.set_timer(RETRY, self.config.vote_retry_interval)

    def _send_heartbeats(self) -> None:
        heartbeat = AppendEntries(self.term)
        for peer in self.host.peers:
            self.host.send(peer, heartbeat)
        self.host.set_timer(HEARTBEAT, self.config.heartbeat_interval)

    def _reset_election_timer(self) -> None:
        self.host.set_timer(ELECTION, uniform(self.host.random, self.config.election_timeout))

    @property
    def _own_vote(self) -> str:
        """The name of the write that holds this term's vote for itself: one of an earlier term must not count."""
        return f"own vote, term {self.term}"

    def _save_term_and_vote(self, then: str | None = None) -> None:
        self.unsaved = False
        self.host.save(then, term=self.term, voted_for=self.voted_for)

    receive: ClassVar = {
        RequestVote: _on_request_vote,
        RequestVoteReply: _on_request_vote_reply,
        AppendEntries: _on_append_entries,
        AppendEntriesReply: _on_append_entries_reply,
    }
