"""Raft's elections (5.1, 5.2, 5.4.1): terms, votes, heartbeats and roles; CheckQuorum (dissertation, 6.2) and leader
stickiness (4.2.3). What else a server does it adds by overriding: see `prevote` and `server`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from simulator.algorithms.raft.config import RaftConfig
from simulator.algorithms.raft.messages import AppendEntries, AppendEntriesReply, RequestVote, RequestVoteReply
from simulator.algorithms.raft.ways import pace
from simulator.protocol import (
    CANDIDATE,
    FOLLOWER,
    LEADER,
    PRE_CANDIDATE,
    Algorithm,
    Guarantee,
    Host,
    Message,
    NodeId,
    Role,
)

RETRY = "retry"


class Elector(Algorithm):
    """One Raft server, as far as elections go."""

    guarantees = frozenset(
        {
            Guarantee.ELECTION_SAFETY,
            Guarantee.ONE_VOTE,
            Guarantee.QUORUM_OF_VOTES,
            Guarantee.MONOTONIC_TERMS,
            Guarantee.LOG_UP_TO_DATE,
            Guarantee.DISJOINT_LEASES,
            Guarantee.LEADER_COMPLETENESS,
        }
    )

    def __init__(self, host: Host, config: RaftConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.config: RaftConfig = config
        self.term: int = durable.get("term", 0)
        self.voted_for: NodeId | None = durable.get("voted_for")
        self.last_log: tuple[int, int] = durable.get("last_log", (0, 0))  # Term and index of the last entry.
        self.unsaved = False  # Whether term or vote differ from what has been sent to the disk.
        self.role: Role = FOLLOWER
        self.leader: NodeId | None = None
        self.votes: set[NodeId] = set()  # Whose votes, or promises of one, this candidate holds for its term.
        self.replied: set[NodeId] = set()  # Who has answered this candidate's request, for a vote or against.
        self.is_transfer = False  # Whether this candidate stands since the leader has asked it to.
        self.refused = 0  # Candidacies in a row, up to this one, that somebody has refused.
        self.active: set[NodeId] = set()  # Who has answered this leader since it last saw to its quorum.
        self.peers: Sequence[NodeId] = host.peers  # Whom it leads when it leads.
        self.electors: Sequence[NodeId] = host.peers  # Whose votes it asks for, and
        self.counts_itself = True  # whether its own counts.
        self.quorum = (len(host.peers) + 1) // 2 + 1
        self.pace = pace(host, config, self)
        self.polls = config.poll_interval is not None
        self.checks_quorum = config.check_quorum
        turns_away = config.pre_vote or config.leader_stickiness != "off"
        # Who got ahead of a leader whom others hear would be stuck if its refusals did not tell (etcd-io/raft, `Step`).
        self.refuses_heartbeats = config.refusals != "never" or turns_away
        self.watches_answers = False  # Whether a leader learns from answers to heartbeats.
        self.accept: Callable[[AppendEntries], AppendEntriesReply] | None = None  # Where heartbeats carry something.
        self.timers: dict[str, Callable[[], None]] = {RETRY: self._request_votes}  # Its own; the others are its pace's.

    # --- Inputs

    def on_start(self) -> None:
        self._note_log()
        self.host.transition(FOLLOWER, self.term, None)
        self.pace.start()

    def on_message(self, sender: NodeId, message: Message) -> None:
        if message.term <= self.term or self._moves_on(sender, message):
            self.receive[type(message)](self, sender, message)
        if self.unsaved:  # Nothing was answered that would have needed it on disk first.
            self._save_term_and_vote()
        if self.polls:
            self.pace.woken()

    def _moves_on(self, sender: NodeId, message: Message) -> bool:
        """A message of a higher term has come: see to the term, and tell whether there is more to do about it."""
        if self._is_hypothetical(message):
            return True
        if type(message) is RequestVote and not message.is_transfer and self._is_sticky(sender):
            self._turn_away(sender)
            return False
        # "If one server's current term is smaller …, then it updates" (5.1).
        steps_down = self.role is not FOLLOWER
        self._become_follower(message.term, leader=None)
        if self.config.new_term_heartbeat_only_steps_down and type(message) is AppendEntries:
            return False
        if steps_down and not self.config.votes_after_stepping_down and type(message) is RequestVote:
            self._refuse(sender, RequestVoteReply(self.term, vote_granted=False))
            return False
        return True

    def on_timer(self, name: str) -> None:
        ring = self.timers.get(name)
        if ring is None:
            self.pace.ring(name)
        else:
            ring()

    def on_saved(self, name: str) -> None:
        if name == self._own_vote and self.role is CANDIDATE and self.counts_itself:
            self._count_vote(self.host.me)  # A candidate's own vote counts once a crash cannot take it back.

    def on_disconnect(self, peer: NodeId, reason: str) -> None:
        if self.polls:
            self.pace.woken()  # A closed connection wakes a poll loop, too.

    # --- Votes (5.2, 5.4.1)

    def _on_request_vote(self, sender: NodeId, message: RequestVote) -> None:
        """One vote a term, and none for another while a leader is heard, whatever the term (4.2.3)."""
        busy = self.voted_for is None and not message.is_transfer and self._is_sticky(sender)
        free = self.voted_for in (None, sender) and not busy
        if message.term == self.term and free and self._is_fit(sender, message):
            if self.voted_for is None:
                self.voted_for = sender
                self.unsaved = True
                self._has_voted()
            self.pace.voted()
            self._reply(sender, RequestVoteReply(self.term, vote_granted=True))
        elif message.term == self.term or self.config.refusals != "not_stale":
            self._refuse(sender, RequestVoteReply(self.term, vote_granted=False))

    def _on_request_vote_reply(self, sender: NodeId, message: RequestVoteReply) -> None:
        if self.role is CANDIDATE and message.term == self.term:
            if message.vote_granted:
                self.replied.add(sender)
                self._count_vote(sender)
            else:
                self._count_refusal(sender)

    def _count_vote(self, voter: NodeId) -> None:
        if voter not in self.votes:
            self.votes.add(voter)
            self.host.note("vote", term=self.term, voter=voter)
            if len(self.votes) >= self.quorum:
                self._become_leader()

    def _count_refusal(self, voter: NodeId) -> None:
        if voter in self.replied:
            return  # A duplicate.
        self.replied.add(voter)
        refusals = len(self.replied - self.votes)
        if refusals == 1:
            self.refused += 1
        others = len(self.electors) + self.counts_itself - refusals  # Who has voted for it, or may yet.
        if self.config.refusals_end_candidacy and others < self.quorum:
            self._become_follower(self.term, leader=None)
            self.pace.gave_up()

    # --- Heartbeats (5.2)

    def _on_append_entries(self, sender: NodeId, message: AppendEntries) -> None:
        current = message.term == self.term
        if current and self.role is not LEADER:  # Two leaders of a term cannot be; if they were, a check would tell.
            if self.leader != sender:
                self._become_follower(self.term, leader=sender)
            self.pace.heard()
            if self.accept is not None:
                self._reply(sender, self.accept(message))
                return
        if current or self.refuses_heartbeats:
            self._reply(sender, AppendEntriesReply(self.term, current))

    def _on_append_entries_reply(self, sender: NodeId, message: AppendEntriesReply) -> None:
        """A higher term has been dealt with on arrival; a quorum of answers keeps a leader with CheckQuorum."""
        if self.watches_answers and message.term == self.term and self.role is LEADER:
            if self.checks_quorum:
                self.active.add(sender)
                self.pace.answered(sender)
            self._has_answered(sender, message)

    # --- What the pace asks for

    def stand(self) -> None:
        """No leader was heard for an election timeout."""
        self.is_transfer = False
        if self._may_stand:
            self._begin_election()

    def send_heartbeats(self) -> None:
        """Send AppendEntries to everybody."""
        if self.accept is None:
            heartbeat = AppendEntries(self.term)
            for peer in self.peers:
                self.host.send(peer, heartbeat)
        else:
            self._send_round()
        self.pace.sent_heartbeats()

    def check_quorum(self) -> None:
        """A leader "steps down if an election timeout elapses without a successful round of heartbeats" (6.2)."""
        self._keep_leading()
        self.active.clear()

    def lose_touch(self, peer: NodeId) -> None:
        """The last answer of a peer is as old as the lease of a leader whose lease slides."""
        self.active.discard(peer)
        self._keep_leading()

    def _keep_leading(self) -> None:
        if len(self.active.intersection(self.electors)) + self.counts_itself < self.quorum:
            self._become_follower(self.term, leader=None)

    # --- Roles

    def _become_follower(self, term: int, leader: NodeId | None) -> None:
        assert term > self.term or term == self.term
        was, higher_term = self.role, term > self.term
        if higher_term:
            self.term = term
            self.voted_for = None
            self.unsaved = True
        if was in (CANDIDATE, PRE_CANDIDATE):
            self.host.cancel_timer(RETRY)
        elif was is LEADER:
            self._leads_no_more()
        if leader is not None:
            self.refused = 0
        self.role = FOLLOWER
        self.leader = leader
        self.pace.stepped_down(was, higher_term)
        self.host.transition(FOLLOWER, term, leader)

    def _become_candidate(self) -> None:
        assert self.role in (FOLLOWER, CANDIDATE, PRE_CANDIDATE)
        self._suspect()
        self.term += 1
        self.voted_for = self.host.me
        self.role = CANDIDATE
        self._begin_asking()
        self.host.transition(CANDIDATE, self.term, None)
        self._save_term_and_vote(then=self._own_vote)
        self.pace.stood(self.refused)
        self._request_votes()

    def _become_leader(self) -> None:
        assert self.role is CANDIDATE
        self.role = LEADER
        self.leader = self.host.me
        self.refused = 0
        self.active = set(self.electors) if self.config.lease_slides else set()
        self.host.cancel_timer(RETRY)
        self.pace.leads()
        self.host.transition(LEADER, self.term, self.host.me)
        self._leads()
        self.send_heartbeats()

    # --- What a server may add

    @property
    def _may_stand(self) -> bool:
        """Whether an election timeout makes this server stand."""
        return True

    def _begin_election(self) -> None:
        """Stand, or see first whether there is a point in it."""
        self._become_candidate()

    def _is_hypothetical(self, message: Message) -> bool:
        """Whether the message speaks of a term that nobody is in yet."""
        return False

    def _request(self) -> Message:
        """What a candidate asks of the others."""
        return RequestVote(self.term, *self.last_log, self.is_transfer)

    def _defers_to(self, candidate: NodeId, message: Any) -> bool:
        """Whether a candidate with the same log will do."""
        return True

    def _has_voted(self) -> None:
        """It has a new vote of this term to save, not for itself."""

    def _has_answered(self, sender: NodeId, message: AppendEntriesReply) -> None:
        """A peer has answered what this leader has sent it in this term."""

    def _send_round(self) -> None:
        """Send heartbeats that carry something."""

    def _leads(self) -> None:
        """It leads, and is about to send its first heartbeats."""

    def _leads_no_more(self) -> None:
        """It is about to be a follower."""

    # --- Inside

    def _hears_a_leader(self, asking: NodeId) -> bool:
        """Whether this server leads, or has heard a leader lately: within the least election timeout, or its own."""
        if self.config.stickiness_lasts == "own_timeout":
            return self.leader is not None and self.leader != asking
        return self.role is LEADER or self.pace.leader_was_heard

    def _is_sticky(self, asking: NodeId) -> bool:
        return self.config.leader_stickiness != "off" and self._hears_a_leader(asking)

    def _is_fit(self, candidate: NodeId, message: Any) -> bool:
        """Whether a candidate's log is up-to-date (5.4.1); one that is no more than that may have to be preferred."""
        log = (message.last_log_term, message.last_log_index)
        return log > self.last_log or (log == self.last_log and self._defers_to(candidate, message))

    def _note_log(self, **runs: object) -> None:
        self.host.note("log", last_term=self.last_log[0], last_index=self.last_log[1], **runs)

    def _suspect(self) -> None:
        if self.role is FOLLOWER and not self.is_transfer:
            self.host.note("suspected", leader=self.leader)

    def _begin_asking(self) -> None:
        self.leader = None
        self.votes = set()
        self.replied = set()

    def _request_votes(self) -> None:
        request = self._request()
        for peer in self.electors:
            if peer not in self.replied:
                self.host.send(peer, request)
        if self.config.vote_retry_interval is not None:
            self.host.set_timer(RETRY, self.config.vote_retry_interval)

    def _turn_away(self, sender: NodeId) -> None:
        """A request that comes while a leader is heard changes no term and gets no vote (4.2.3)."""
        if self.config.leader_stickiness == "refuse":
            self._refuse(sender, RequestVoteReply(self.term, vote_granted=False))

    def _refuse(self, to: NodeId, refusal: Message) -> None:
        if self.config.refusals != "never":
            self._reply(to, refusal)

    def _reply(self, to: NodeId, reply: Message) -> None:
        """Answer; term and vote are "updated on stable storage before responding to RPCs" (Fig. 2)."""
        if self.unsaved:
            self._save_term_and_vote()
        self.host.send(to, reply)

    @property
    def _own_vote(self) -> str:
        """The name of the write that holds this term's vote for itself: one of an earlier term must not count."""
        return f"own vote, term {self.term}"

    def _save_term_and_vote(self, then: str | None = None) -> None:
        self.unsaved = False
        if self.config.separate_writes and self.role is FOLLOWER and self.voted_for is not None:
            self.host.save(term=self.term, voted_for=None)
        self.host.save(then, term=self.term, voted_for=self.voted_for)

    receive: ClassVar = {
        RequestVote: _on_request_vote,
        RequestVoteReply: _on_request_vote_reply,
        AppendEntries: _on_append_entries,
        AppendEntriesReply: _on_append_entries_reply,
    }
