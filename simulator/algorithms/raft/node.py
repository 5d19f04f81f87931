"""Raft leader election: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014).

Sections 5.1 (terms), 5.2 (election), 5.3 (replication), 5.4 (up-to-date logs, commitment) and 5.6 (timing); Ongaro's
dissertation, sections 3.10 (leadership transfer), 4.1 and 4.2 (membership changes, one server at a time), 4.2.3 and 6.2
(leader stickiness, CheckQuorum), 6.4.1 (leases for reads) and 9.6 (PreVote).
Without replication, a log is the term and index of its last entry, and heartbeats are AppendEntries without entries.

Assumes crash-recovery nodes with stable storage, and a network that may lose, duplicate, delay and reorder messages.
Guarantees at most one leader in a term, always. Guarantees a leader eventually, once a majority can talk within a time
well below the election timeout. An undisturbed election costs n - 1 requests and as many replies; the winner's first
heartbeats cost the same again. The first vote request goes out one election timeout after the last heartbeat.

Election, terms and votes are in this file. `election_timer` decides when to campaign. Log, leases, transfers and
membership are parts with files of their own: they keep their state, and this file tells them what happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from simulator.algorithms.raft.candidacy import Candidacy
from simulator.algorithms.raft.check_quorum import CheckQuorum
from simulator.algorithms.raft.config import RaftConfig
from simulator.algorithms.raft.configuration import Configuration
from simulator.algorithms.raft.election_timer import ELECTION, HEARTBEAT, POLL, QUORUM, TOUCH, PollingTimer
from simulator.algorithms.raft.guarantees import GUARANTEES
from simulator.algorithms.raft.leadership_transfer import ABORT_TRANSFER, LeadershipTransfer, default_target
from simulator.algorithms.raft.lease import LEASE, Lease
from simulator.algorithms.raft.log import Entry, Log
from simulator.algorithms.raft.membership import Membership
from simulator.algorithms.raft.membership_change import CATCH_UP, MembershipChange
from simulator.algorithms.raft.messages import (
    AddServer,
    AppendEntries,
    AppendEntriesReply,
    PreVote,
    PreVoteReply,
    Propose,
    RemoveServer,
    RequestVote,
    RequestVoteReply,
    TimeoutNow,
    TransferRequest,
)
from simulator.algorithms.raft.quiet import part, skipped
from simulator.algorithms.raft.replication import Replication, write_name
from simulator.algorithms.raft.timers import new_timer
from simulator.algorithms.raft.voting import is_electable
from simulator.protocol import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE, Algorithm, Host, Message, NodeId, Role
from simulator.quiet import Quiet

RETRY = "retry"  # The timer after which a candidate asks again.


class Raft(Algorithm):
    """One Raft server. Without replication it keeps the log that it was given."""

    guarantees = GUARANTEES

    def __init__(self, host: Host, config: RaftConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.config: RaftConfig = config
        # What survives a crash (Figure 2, "persistent state").
        self.term: int = durable.get("term", 0)
        self.voted_for: NodeId | None = durable.get("voted_for")
        self.last_log: tuple[int, int] = durable.get("last_log", (0, 0))  # Term and index of the last entry.
        self.unsaved = False  # Whether term or vote differ from what was sent to the disk.
        # The role, and the current candidacy.
        self.role: Role = FOLLOWER
        self.leader: NodeId | None = None
        self.candidacy = Candidacy(config)
        self.is_transfer = False  # Whether this server campaigns because the leader has asked it to.
        # The parts. None if the option is off.
        self.timer = new_timer(host, config)
        self.polling = self.timer if isinstance(self.timer, PollingTimer) else None
        self.check_quorum = CheckQuorum(self.timer.timers, config, host.peers) if config.check_quorum else None
        self.lease = Lease(host, config) if config.lease_reads else None
        self.transfer = LeadershipTransfer(host, config.election_timeout[0])
        log = Log.restored(durable) if config.replication else None
        self.membership = Membership(host, config, log)
        self.replication: Replication | None = None
        self.membership_change: MembershipChange | None = None
        if log is not None:
            self.last_log = log.last
            self.replication = Replication(host.me, log)
            self.membership_change = MembershipChange(host, self.replication, self.membership, self.transfer.timeout_ns)
        self.heartbeats_carry = self.replication is not None or self.lease is not None  # Entries, or a round's number.
        self.heeds_replies = config.check_quorum or self.heartbeats_carry
        self.refuses_heartbeats = config.refuses_heartbeats
        self.stickiness = config.stickiness

    def view(self) -> Mapping[str, object]:
        view: dict[str, object] = {"role": self.role, "term": self.term, "leader": self.leader}
        view |= {"voted for": self.voted_for, "votes": sorted(self.candidacy.votes), "last log": self.last_log}
        view |= self.membership.view()
        view |= {} if self.replication is None else self.replication.view(leads=self.role is LEADER)
        view |= {} if self.lease is None else self.lease.view()
        return view

    # --- What happens to the server

    def on_start(self) -> None:
        if self.membership.is_special:
            self._note_configuration()
        self._note_log()
        self.host.transition(FOLLOWER, self.term, None, self.membership.group)
        self.timer.start()
        if self.lease is not None:
            self.timer.assume_heartbeat()

    def on_message(self, sender: NodeId, message: Message) -> None:
        """The rule of terms comes first (5.1), then the message's own handler."""
        if message.term <= self.term or self._handle_higher_term(sender, message):
            self.receive[type(message)](self, sender, message)
        if self.unsaved:  # No reply to this message requires the new term or vote to be on disk.
            self._save_term_and_vote()
        if self.polling is not None:
            self.polling.wake(self._on_due)

    def _handle_higher_term(self, sender: NodeId, message: Message) -> bool:
        """Adopt the higher term of a message. Return whether the message's handler has to see it, too."""
        if self._is_pre_vote(message):
            return True
        if type(message) is RequestVote and not message.is_transfer and self._is_sticky(sender):
            if self.stickiness == "refuse":
                self._refuse_vote(sender)
            return False  # Such a request changes no term (4.2.3).
        # "If one server's current term is smaller than the other's, then it updates" (5.1).
        steps_down = self.role is not FOLLOWER
        self._become_follower(message.term, leader=None)
        if self.config.new_term_heartbeat_only_steps_down and type(message) is AppendEntries:
            return False
        if steps_down and not self.config.votes_after_stepping_down and type(message) is RequestVote:
            self._refuse_vote(sender)
            return False
        return True

    def on_timer(self, name: str) -> None:
        for due in self.timer.fire(name, self.role):
            self._on_due(due)

    def _on_due(self, name: str) -> None:
        """Do what a timer has announced."""
        if name == HEARTBEAT:
            if self.role is LEADER:
                self._send_heartbeats()
        elif name == ELECTION:
            self._campaign()
        elif name == QUORUM:
            self._check_quorum()
        elif name == RETRY:
            self._request_votes()
        elif name == POLL:
            self.timer.wake(self._on_due)
        elif name == ABORT_TRANSFER:
            self.transfer.abort()
        elif name == CATCH_UP and self.membership_change is not None:
            self.membership_change.on_timeout()
            self._proceed_with_change()
        elif name.startswith(TOUCH):
            self._lose_touch(int(name.removeprefix(TOUCH)))
        elif name.startswith(LEASE) and self.lease is not None:
            self.lease.expire(int(name.removeprefix(LEASE)))

    def on_saved(self, name: str) -> None:
        if self.role is LEADER and self.replication is not None:
            if self.replication.on_saved(name, self.term):
                self._commit(self.replication)
            self._proceed_with_change()
        elif name == self._own_vote and self.role is CANDIDATE and self.membership.is_voter:
            self._count_vote(self.host.me)  # A candidate's own vote counts once a crash cannot take it back.

    def on_connect(self, peer: NodeId) -> None:
        self.timer.wake(self._on_due)

    def on_disconnect(self, peer: NodeId, reason: str) -> None:
        self.timer.wake(self._on_due)

    def on_command(self, command: Message) -> None:
        """Propose and membership changes: only a leader obeys. A transfer: a follower passes it on to the leader."""
        if isinstance(command, Propose):
            if self.replication is not None and self.role is LEADER and self.transfer.target is None:
                self.append(self.replication, Entry(self.term, command.size))
                self.send_to_all()
        elif isinstance(command, AddServer | RemoveServer):
            if self.role is LEADER and self.membership_change is not None:
                self.membership_change.request(command)
                self._proceed_with_change()
        elif self.role is LEADER:
            self._begin_transfer(command.to)
        elif self.leader is not None:
            self.host.send(self.leader, TransferRequest(self.term, command.to))

    # --- Roles

    def _become_follower(self, term: int, leader: NodeId | None) -> None:
        assert term >= self.term
        was, new_term = self.role, term > self.term
        if new_term:
            self.term = term
            self.voted_for = None
            self.unsaved = True
        was_candidate = was in (CANDIDATE, PRE_CANDIDATE)
        if was_candidate:
            self.host.cancel_timer(RETRY)
        elif was is LEADER:
            self._on_stepped_down()
        if new_term or leader is not None:
            self.candidacy.end(knows_leader=leader is not None)
        self.role = FOLLOWER
        self.leader = leader
        gave_up = was_candidate and not new_term and leader is None
        self.timer.reset(FOLLOWER, was, new_term=new_term, gave_up=gave_up)
        self.host.transition(FOLLOWER, term, leader, self.membership.group)

    def _become_pre_candidate(self) -> None:
        self._begin_candidacy(PRE_CANDIDATE)
        self._request_votes()
        if self.membership.is_voter:
            self._count_vote(self.host.me)

    def _become_candidate(self) -> None:
        self.term += 1
        self.voted_for = self.host.me
        self._begin_candidacy(CANDIDATE)
        self._request_votes()

    def _begin_candidacy(self, role: Role) -> None:
        assert self.role in (FOLLOWER, CANDIDATE, PRE_CANDIDATE)
        if self.role is FOLLOWER and not self.is_transfer:
            self.host.note("suspected", leader=self.leader)
        self.role = role
        self.leader = None
        self.candidacy.begin(self.membership)
        self.host.transition(role, self.term, None, self.membership.group)
        if role is CANDIDATE:
            self._save_term_and_vote(then=self._own_vote)
        self.timer.reset(role, refused=self.candidacy.refused)

    def _become_leader(self) -> None:
        assert self.role is CANDIDATE
        if self.replication is not None:
            self._note_log(runs=self.replication.log.runs())
        self.role = LEADER
        self.leader = self.host.me
        self.candidacy.end(knows_leader=True)
        self.host.cancel_timer(RETRY)
        self.timer.reset(LEADER)
        if self.check_quorum is not None:
            self.check_quorum.begin(self.membership.other_voters)
        self.host.transition(LEADER, self.term, self.host.me, self.membership.group)
        self._on_elected()
        self._send_heartbeats()

    def _on_elected(self) -> None:
        if self.replication is not None and self.membership_change is not None:
            self.replication.lead(self.membership.peers)
            if self.config.no_op:
                self.append(self.replication, Entry(self.term))
            self.membership_change.begin()
        elif self.config.first_entry:
            self.last_log = (self.term, self.last_log[1] + 1)
            self._note_log()
            self.host.save(last_log=self.last_log)

    def _on_stepped_down(self) -> None:
        self.transfer.end()
        if self.lease is not None:
            self.lease.end()
        if self.check_quorum is not None:
            self.check_quorum.end()
        if self.membership_change is not None:
            self.membership_change.end()

    # --- Campaigning (5.2; PreVote: dissertation, 9.6)

    def _campaign(self) -> None:
        """No leader was heard for an election timeout. With PreVote, ask first whether a majority would vote."""
        self.is_transfer = False
        if self._may_campaign:
            if self.config.pre_vote:
                self._become_pre_candidate()
            else:
                self._become_candidate()

    @property
    def _may_campaign(self) -> bool:
        commit_index = 0 if self.replication is None else self.replication.commit_index
        return self.membership.may_campaign(commit_index)

    def _request_votes(self) -> None:
        """Ask the voters that have not answered yet; ask again after an interval, if the options say so."""
        request: Message = RequestVote(self.term, *self.last_log, self.is_transfer)
        if self.role is PRE_CANDIDATE:
            request = PreVote(self.term + 1, *self.last_log)
        for peer in self.membership.other_voters:
            if peer not in self.candidacy.replied:
                self.host.send(peer, request)
        if self.config.vote_retry_interval is not None:
            self.host.set_timer(RETRY, self.config.vote_retry_interval)

    def _on_vote_reply(self, sender: NodeId, message: RequestVoteReply | PreVoteReply) -> None:
        """Count a vote for this term, or a promise for the next one, of a server that votes now (4.1).

        A refused pre-vote has the voter's own term. etcd, where refusals end a candidacy, ignores it if that is lower.
        """
        is_pre_vote = type(message) is PreVoteReply
        is_awaited = self.role is (PRE_CANDIDATE if is_pre_vote else CANDIDATE)
        if not is_awaited or sender not in self.membership.other_voters:
            return
        if message.vote_granted:
            if message.term == self.term + is_pre_vote:
                self._count_vote(sender)
        elif message.term == self.term or (is_pre_vote and not self.config.refusals_end_candidacy):
            self._count_refusal(sender)

    def _count_vote(self, voter: NodeId) -> None:
        """A majority of votes elects a candidate; a majority of promises lets a pre-candidate campaign."""
        if not self.candidacy.add_vote(voter):
            return
        if self.role is CANDIDATE:
            self.host.note("vote", term=self.term, voter=voter)
        if len(self.candidacy.votes) >= self.membership.quorum:
            if self.role is PRE_CANDIDATE:
                self._become_candidate()
            else:
                self._become_leader()

    def _count_refusal(self, voter: NodeId) -> None:
        is_new = self.candidacy.add_refusal(voter)
        if is_new and self.config.refusals_end_candidacy and self.candidacy.is_lost(self.membership):
            self._become_follower(self.term, leader=None)

    # --- Voting (5.2, 5.4.1; PreVote: 9.6; leader stickiness: 4.2.3)

    def _on_request_vote(self, sender: NodeId, message: RequestVote | PreVote) -> None:
        """Grant a candidate one vote a term, or promise a pre-candidate a vote, if its log is up-to-date.

        Only a PreVote can be of a higher term here: it asks about a term that nobody is in yet. A refused PreVote is
        always answered, with the voter's term. Otherwise two servers might wait for each other for ever
        (etcd-io/etcd#9586).
        """
        is_pre_vote = type(message) is PreVote
        is_ahead = message.term > self.term
        if is_ahead and self.stickiness == "ignore" and self._hears_a_leader(sender):
            return
        is_free = is_ahead or (message.term == self.term and self.voted_for in (None, sender))
        grants = is_free and self._is_up_to_date(sender, message) and not self._is_held_off(sender, message)
        if is_pre_vote:
            self._reply(sender, PreVoteReply(message.term if grants else self.term, grants))
        elif grants:
            self._grant_vote(sender)
        elif message.term == self.term or self.config.refusals != "not_stale":
            self._refuse_vote(sender)

    def _grant_vote(self, candidate: NodeId) -> None:
        if self.voted_for is None:
            self.voted_for = candidate
            self.unsaved = True
            if self.replication is not None:
                self._note_log()
        self.timer.on_vote()
        self._reply(candidate, RequestVoteReply(self.term, vote_granted=True))

    def _refuse_vote(self, candidate: NodeId) -> None:
        if self.config.refusals != "never":
            self._reply(candidate, RequestVoteReply(self.term, vote_granted=False))

    def _is_up_to_date(self, candidate: NodeId, message: RequestVote | PreVote) -> bool:
        """Whether a candidate's log is up-to-date (5.4.1). Options can change this rule."""
        return is_electable(candidate, message, self.host.me, self.last_log, self.config)

    def _is_held_off(self, candidate: NodeId, message: RequestVote | PreVote) -> bool:
        """Whether a leader that was heard keeps this server from granting (4.2.3, 9.6)."""
        if isinstance(message, PreVote):
            return self._hears_a_leader(candidate)
        return self.voted_for is None and not message.is_transfer and self._is_sticky(candidate)

    def _is_sticky(self, candidate: NodeId) -> bool:
        return self.stickiness != "off" and self._hears_a_leader(candidate)

    def _hears_a_leader(self, candidate: NodeId) -> bool:
        """Whether this server leads, or has heard a leader within the least election timeout or its own timeout."""
        if self.config.stickiness_lasts == "own_timeout":
            return self.leader is not None and self.leader != candidate
        return self.role is LEADER or self.timer.leader_was_heard

    def _is_pre_vote(self, message: Message) -> bool:
        """Whether a message speaks of a term that nobody is in yet."""
        return type(message) is PreVote or (type(message) is PreVoteReply and message.vote_granted)

    # --- Heartbeats and the log (5.2, 5.3)

    def _on_append_entries(self, sender: NodeId, message: AppendEntries) -> None:
        current = message.term == self.term
        if current and self.role is not LEADER:  # A term cannot have two leaders; a check would report them.
            if self.leader != sender:
                self._become_follower(self.term, leader=sender)
            self.timer.on_heartbeat()
            if self.heartbeats_carry:
                self._reply(sender, self._accept(message))
                return
        if current or self.refuses_heartbeats:
            self._reply(sender, AppendEntriesReply(self.term, current))

    def _accept(self, message: AppendEntries) -> AppendEntriesReply:
        """Take a leader's entries. They are saved before the reply."""
        replication = self.replication
        if replication is None:
            return AppendEntriesReply(self.term, success=True, round=message.round)
        reply, changed = replication.accept(message)
        if changed:
            self.host.save(None, **changed)
            self.last_log = replication.log.last
        self._follow_log()
        return reply if message.round is None else replace(reply, round=message.round)

    def _on_append_entries_reply(self, sender: NodeId, message: AppendEntriesReply) -> None:
        if not self.heeds_replies or message.term != self.term or self.role is not LEADER:
            return
        if self.check_quorum is not None:
            self.check_quorum.on_response(sender)
        if self.replication is not None:
            if sender in self.replication.match_index:  # Otherwise, it was removed.
                is_behind = self.replication.on_reply(sender, message)
                if message.success:
                    self._commit(self.replication)
                if is_behind:
                    self._send_append_entries(sender)
            self._proceed_with_transfer()
            self._proceed_with_change()
        if message.round is not None and self.lease is not None and self.role is LEADER:
            self.lease.on_response(sender, message.round, self.membership)

    def _commit(self, replication: Replication) -> None:
        if replication.commit(self.term, self.membership.counted, self.membership.quorum):
            index = replication.commit_index
            self.host.note("commit", term=self.term, index=index, entry_term=replication.log.term_at(index))

    def append(self, replication: Replication, entry: Entry) -> None:
        """Append an entry to a leader's log. It counts as replicated on this server once it is on disk."""
        changed = replication.log.append(entry)
        self.last_log = replication.log.last
        self.host.save(write_name(replication.log.last_index, self.term), **changed)

    def _send_heartbeats(self) -> None:
        """Send AppendEntries to all peers, and set the timer for the next round."""
        if self.heartbeats_carry:
            if self.lease is not None:
                self.lease.begin_round(self.term, self.membership)
            self.send_to_all()
        else:
            heartbeat = AppendEntries(self.term)
            for peer in self.membership.peers:
                self.host.send(peer, heartbeat)
        self.timer.restart_heartbeat()

    def send_to_all(self) -> None:
        """Send AppendEntries to all peers now: what they lack, or how far the log is committed."""
        for peer in self.membership.peers:
            self._send_append_entries(peer)

    def _send_append_entries(self, peer: NodeId) -> None:
        """Send a peer what its log lacks, or a heartbeat."""
        replication, lease = self.replication, self.lease
        message = AppendEntries(self.term) if replication is None else replication.message_for(peer, self.term)
        self.host.send(peer, message if lease is None else replace(message, round=lease.round))

    # --- CheckQuorum (dissertation, 6.2)

    def _check_quorum(self) -> None:
        """A leader "steps down if an election timeout elapses without a successful round of heartbeats" (6.2)."""
        if self.check_quorum is None:
            return
        self._keep_leading(self.check_quorum)
        self.check_quorum.active.clear()
        if self.role is LEADER:
            self.check_quorum.restart()

    def _lose_touch(self, peer: NodeId) -> None:
        """A peer's last answer is as old as the lease of a leader whose lease slides."""
        if self.check_quorum is not None:
            self.check_quorum.active.discard(peer)
            self._keep_leading(self.check_quorum)

    def _keep_leading(self, check_quorum: CheckQuorum) -> None:
        """Step down unless a majority is active."""
        if not self.membership.is_majority(check_quorum.active):
            self._become_follower(self.term, leader=None)

    # --- Leadership transfer (dissertation, 3.10)

    def _begin_transfer(self, to: NodeId | None) -> None:
        """Transfer leadership to a voter; to the one whose log is known to be the longest, if none is named."""
        voters = self.membership.other_voters
        if self.transfer.target is not None or (to is not None and to not in voters):
            return
        electable = [peer for peer in voters if peer not in self.config.ineligible]
        target = default_target(electable, self.replication) if to is None else to
        if target is not None:
            self.transfer.begin(target)
            self._proceed_with_transfer()
            if not self.transfer.is_told:
                self._send_append_entries(target)

    def _proceed_with_transfer(self) -> None:
        """Tell the target to campaign as soon as it has the whole log."""
        target, replication = self.transfer.target, self.replication
        if target is None or self.transfer.is_told or not (replication is None or replication.has_all(target)):
            return
        self.transfer.is_told = True
        if self.lease is not None:
            self.lease.revoke()
        self.host.send(target, TimeoutNow(self.term))

    def _on_transfer_request(self, sender: NodeId, message: TransferRequest) -> None:
        if self.role is LEADER and message.term == self.term:
            self._begin_transfer(message.to)

    def _on_timeout_now(self, sender: NodeId, message: TimeoutNow) -> None:
        """Campaign at once, as if the election timer had fired, and without PreVote.

        The rule of terms is enough: servers obey requests "without consulting their current configurations" (4.1), and
        AppendEntries of this leader may be late, or forgotten by a restart.
        """
        if self.role is not LEADER and message.term == self.term and self._may_campaign:
            self.is_transfer = True
            self._become_candidate()

    # --- Members (dissertation, chapter 4)

    def _follow_log(self) -> None:
        """The log has changed: use the latest configuration in it."""
        if self.membership.follow_log():
            self._note_configuration()

    def _proceed_with_change(self) -> None:
        """Take the steps of a membership change that are possible now."""
        change = self.membership_change
        if change is None or not change.is_active:
            return
        if change.must_step_down:
            self._become_follower(self.term, leader=None)
            return
        while (step := change.next_step(self.term, is_transferring=self.transfer.target is not None)) is not None:
            if isinstance(step, Configuration):
                self.append(change.replication, Entry(self.term, configuration=step))
                self._follow_log()
                change.replication.replicate_to(self.membership.peers)
                self.send_to_all()
            else:
                self._send_append_entries(step)

    # --- Replies, notes and the disk

    def _reply(self, to: NodeId, reply: Message) -> None:
        """Answer. Term and vote are "updated on stable storage before responding to RPCs" (Figure 2)."""
        if self.unsaved:
            self._save_term_and_vote()
        self.host.send(to, reply)

    @property
    def _own_vote(self) -> str:
        """The name of the write that holds this server's vote for itself. A vote of an earlier term must not count."""
        return f"own vote, term {self.term}"

    def _save_term_and_vote(self, then: str | None = None) -> None:
        self.unsaved = False
        if self.config.separate_writes and self.role is FOLLOWER and self.voted_for is not None:
            self.host.save(term=self.term, voted_for=None)
        self.host.save(then, term=self.term, voted_for=self.voted_for)

    def _note_log(self, **runs: object) -> None:
        self.host.note("log", last_term=self.last_log[0], last_index=self.last_log[1], **runs)

    def _note_configuration(self) -> None:
        self.host.note("configuration", **self.membership.current._asdict())

    def quiet(self) -> Quiet | None:
        if self.leader is None or self.unsaved or self.transfer.target is not None:
            return None
        return part(self.config, self.role, self.term, self.leader, self.membership, self.timer, self.check_quorum)

    def on_skipped(self, elapsed: int, running: frozenset[NodeId]) -> None:
        if self.role is LEADER:
            skipped(self.timer, self.check_quorum, elapsed, running & {*self.membership.peers})

    # The message counts in the rows of a trace have this order.
    receive: ClassVar = {
        RequestVote: _on_request_vote,
        RequestVoteReply: _on_vote_reply,
        AppendEntries: _on_append_entries,
        AppendEntriesReply: _on_append_entries_reply,
        PreVote: _on_request_vote,
        PreVoteReply: _on_vote_reply,
        TimeoutNow: _on_timeout_now,
        TransferRequest: _on_transfer_request,
    }
