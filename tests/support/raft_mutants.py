"""Copies of Raft with one deliberate fault each, which the witness of the random schedules must convict.

Those of `tests.checks.mutants` are convicted by the safety checks over simulated trials; some of these break no safety,
but what an option of Raft promises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest
from hypothesis import Phase, given, settings

from simulator.algorithms.raft import (
    AppendEntries,
    AppendEntriesReply,
    PreVote,
    PreVoteReply,
    Raft,
    RequestVote,
    RequestVoteReply,
)
from simulator.algorithms.raft.check_quorum import CheckQuorum
from simulator.algorithms.raft.election_timer import ElectionTimer
from simulator.algorithms.raft.replication import Replication
from simulator.protocol import CANDIDATE, FOLLOWER, PRE_CANDIDATE, Message, NodeId, Role
from tests.support.raft_schedules import SCHEDULES, ViolationError, openings, play, schedules

# --- Faults in the paper's rules


class VoteForgottenAtRestart(Raft):
    """Figure 2: votedFor is persistent."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.voted_for = None


class VoteClearedWhenSteppingDown(Raft):
    """Section 5.2: one vote a term, also after stepping down within it."""

    def _become_follower(self, term: int, leader: NodeId | None) -> None:
        super()._become_follower(term, leader)
        self.voted_for = None


class DuplicateVotesCounted(Raft):
    """Section 5.2, a majority "of the servers": not of messages."""

    counted = 0

    def _count_vote(self, voter: NodeId) -> None:
        if self.role is not CANDIDATE:
            super()._count_vote(voter)
            return
        self.counted = 1 if not self.candidacy.votes else self.counted + 1
        self.candidacy.votes.add(voter)
        if self.counted >= self.membership.quorum:
            self._become_leader()


class VoteForAStaleLog(Raft):
    """Section 5.4.1: a voter denies its vote to a candidate whose log is behind."""

    def _on_request_vote(self, sender: NodeId, message: RequestVote | PreVote) -> None:
        own_log, self.last_log = self.last_log, (0, 0)
        super()._on_request_vote(sender, message)
        self.last_log = own_log

    receive: ClassVar = {**Raft.receive, RequestVote: _on_request_vote}


class ReplyBeforeTheWrite(Raft):
    """Figure 2: "updated on stable storage before responding to RPCs"."""

    def _reply(self, to: NodeId, reply: Message) -> None:
        self.host.send(to, reply, ordered=False)
        if self.unsaved:
            self._save_term_and_vote()


class RequestBeforeTheWrite(Raft):
    """Its requests pass its own vote on the way to the disk."""

    def _request_votes(self) -> None:
        for peer in self.host.peers:
            self.host.send(peer, RequestVote(self.term, *self.last_log), ordered=False)


class QuorumOfThoseWhoAnswered(Raft):
    """Half of the servers is enough for it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.membership.quorum = max(1, self.membership.quorum - 1)


class VoteOfAnyTermCounts(Raft):
    """Section 5.2: votes "for the same term"."""

    def _on_vote_reply(self, sender: NodeId, message: RequestVoteReply | PreVoteReply) -> None:
        if self.role is CANDIDATE and message.vote_granted:
            self._count_vote(sender)

    receive: ClassVar = {**Raft.receive, RequestVoteReply: _on_vote_reply}


class TermForgottenAtRestart(Raft):
    """Figure 2: currentTerm is persistent."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.term = 0


# --- Faults in the options


class PromisesWhileALeaderIsHeard(Raft):
    """9.6: "the voters have not received heartbeats from a valid leader for at least a baseline election timeout"."""

    def _on_request_vote(self, sender: NodeId, message: RequestVote | PreVote) -> None:
        if message.term > self.term and self._is_up_to_date(sender, message):
            self._reply(sender, PreVoteReply(message.term, vote_granted=True))
        else:
            super()._on_request_vote(sender, message)

    receive: ClassVar = {**Raft.receive, PreVote: _on_request_vote}


class AskingCostsATerm(Raft):
    """9.6: a pre-candidate "only increments its term if it first learns from a majority" that it may."""

    def _become_pre_candidate(self) -> None:
        if self.role is FOLLOWER:
            self.term += 1
            self.voted_for = None
        super()._become_pre_candidate()


class BeingAskedCostsATerm(Raft):
    """9.6: a voter that is asked whether it would vote changes nothing."""

    def _is_pre_vote(self, message: Message) -> bool:
        return type(message) is not PreVote and super()._is_pre_vote(message)


class PromisesOfAnyTermCount(Raft):
    """9.6: a promise is about one term; one for an earlier term is stale."""

    def _on_vote_reply(self, sender: NodeId, message: RequestVoteReply | PreVoteReply) -> None:
        if self.role is PRE_CANDIDATE and message.vote_granted:
            self._count_vote(sender)
        else:
            super()._on_vote_reply(sender, message)

    receive: ClassVar = {**Raft.receive, PreVoteReply: _on_vote_reply}


class DuplicatePromisesCount(Raft):
    """9.6, "from a majority of the cluster": of servers, not of messages."""

    counted = 0

    def _count_vote(self, voter: NodeId) -> None:
        if self.role is not PRE_CANDIDATE:
            super()._count_vote(voter)
            return
        self.counted = 1 if not self.candidacy.votes else self.counted + 1
        self.candidacy.votes.add(voter)
        if self.counted >= self.membership.quorum:
            self._become_candidate()


class PromisesAreVotes(Raft):
    """9.6, and 5.2: a promise begins an election, a vote decides it."""

    def _begin_candidacy(self, role: Role) -> None:
        promised = self.candidacy.votes if role is CANDIDATE and self.config.pre_vote else set()
        super()._begin_candidacy(role)
        self.candidacy.votes = promised - {self.host.me}


class StickyButMovesOn(Raft):
    """4.2.3: a server that hears a leader "does not update its term or grant its vote"."""

    def _handle_higher_term(self, sender: NodeId, message: Message) -> bool:
        if type(message) is RequestVote and not message.is_transfer and self._is_sticky(sender):
            self._become_follower(self.term + 1, leader=None)
            if self.stickiness == "refuse":
                self._refuse_vote(sender)
            return False
        return super()._handle_higher_term(sender, message)


class LeaderIsNotSticky(Raft):
    """4.2.3: "it will not be deposed by larger term numbers"."""

    def _hears_a_leader(self, candidate: NodeId) -> bool:
        return self.role is FOLLOWER and super()._hears_a_leader(candidate)


class CountsItselfTwice(Raft):
    """6.2: "a successful round of heartbeats to a majority of its cluster", of which the leader is one member."""

    def _keep_leading(self, check_quorum: CheckQuorum) -> None:
        if len(check_quorum.active) + 2 < self.membership.quorum:
            self._become_follower(self.term, leader=None)


class LeaseOfOldAnswers(Raft):
    """6.2: a server that has answered once counts for ever."""

    def _check_quorum(self) -> None:
        assert self.check_quorum is not None
        answered = set(self.check_quorum.active)
        super()._check_quorum()
        self.check_quorum.active |= answered


# --- Faults that random schedules hardly meet: a scene convicts each


class _KeepsMatchIndex(Replication):
    def lead(self, peers: Sequence[NodeId]) -> None:
        before = dict(self.match_index)
        super().lead(peers)
        for peer in peers:
            self.match_index[peer] = before.get(peer, 0)


class MatchIndexOutlivesLeadership(Raft):
    """Figure 2: matchIndex is "reinitialized after election". Acknowledgements of an old log must commit nothing."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        if self.replication is not None:
            self.replication.__class__ = _KeepsMatchIndex


class TransferNeverTakenBack(Raft):
    """3.10, 4.2.3: only the candidacy that the leader has asked for may disturb servers that hear a leader."""

    def _campaign(self) -> None:
        if self._may_campaign:
            if self.config.pre_vote:
                self._become_pre_candidate()
            else:
                self._become_candidate()


class _RemembersOldLeaders(ElectionTimer):
    def _forget_leader(self) -> None:
        pass


class OldLeaderCountsAsHeard(Raft):
    """4.2.3: a server that has heard "from a current leader" refuses; a leader of an earlier term is none."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        if type(self.timer) is ElectionTimer:
            self.timer.__class__ = _RemembersOldLeaders


class _CommitsToItsEnd(Replication):
    def accept(self, message: AppendEntries) -> tuple[AppendEntriesReply, Mapping[str, object]]:
        reply, changed = super().accept(message)
        if reply.success:
            self.commit_index = max(self.commit_index, min(message.leader_commit, self.log.last_index))
        return reply, changed


class FollowerCommitsToItsOwnEnd(Raft):
    """Figure 2: "min(leaderCommit, index of last new entry)", not of the follower's last entry."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        if self.replication is not None:
            self.replication.__class__ = _CommitsToItsEnd


class _CountsCommittedEntriesAsAll(Replication):
    def has_all(self, peer: NodeId) -> bool:
        return self.match_index[peer] >= self.commit_index


class TimeoutNowBeforeTheLogIsThere(Raft):
    """3.10: TimeoutNow is sent once the target's log matches the leader's log; the committed entries are not enough."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        if self.replication is not None:
            self.replication.__class__ = _CountsCommittedEntriesAsAll


class RepeatedGrantResetsNoTimer(Raft):
    """Figure 2: a follower's timeout begins anew with each granted vote, also with one that it grants again."""

    def _grant_vote(self, candidate: NodeId) -> None:
        if self.voted_for is None:
            super()._grant_vote(candidate)
        else:
            self._reply(candidate, RequestVoteReply(self.term, vote_granted=True))


# The scene under tests/scripts/raft that takes another course with each.
SCENE_MUTANTS: Mapping[type[Raft], str] = {
    MatchIndexOutlivesLeadership: "replication/match_index_begins_anew_with_each_leadership",
    TransferNeverTakenBack: "transfer/only_the_candidacy_that_was_asked_for_is_a_transfer",
    OldLeaderCountsAsHeard: "stickiness/leader_of_an_earlier_term_does_not_count",
    FollowerCommitsToItsOwnEnd: "replication/heartbeat_commits_only_what_it_proves_to_agree",
    TimeoutNowBeforeTheLogIsThere: "transfer/target_needs_entries_that_are_not_committed",
    RepeatedGrantResetsNoTimer: "repeated_grant_resets_the_timer",
}

# What the witness says of each.
BENCH_MUTANTS: Mapping[type[Raft], str] = {
    VoteForgottenAtRestart: "two votes",
    VoteClearedWhenSteppingDown: "two votes",
    DuplicateVotesCounted: "no quorum",
    VoteForAStaleLog: "stale log",
    ReplyBeforeTheWrite: "two votes|term went back",
    RequestBeforeTheWrite: "two votes|term went back",
    QuorumOfThoseWhoAnswered: "no quorum|nobody asked",
    VoteOfAnyTermCounts: "no quorum",
    TermForgottenAtRestart: "term went back|a term from nowhere",
    PromisesWhileALeaderIsHeard: "not sticky",
    AskingCostsATerm: "a wish costs a term",
    BeingAskedCostsATerm: "a term from nowhere",
    PromisesOfAnyTermCount: "nobody asked",
    DuplicatePromisesCount: "nobody asked",
    PromisesAreVotes: "no quorum",
    StickyButMovesOn: "not sticky",
    LeaderIsNotSticky: "not sticky",
    CountsItselfTwice: "no lease",
    LeaseOfOldAnswers: "no lease",
}


def tries_until_convicted(mutant: type[Raft]) -> tuple[int, str]:
    """Search as the property does, and as far: the schedules it took, and the violation. Raises Failed when in vain."""
    tries = 0

    @settings(max_examples=SCHEDULES, phases=[Phase.generate], derandomize=True, database=None, deadline=None)
    @given(opening=openings(), moves=schedules)
    def search(opening: str, moves: bytes) -> None:
        nonlocal tries
        tries += 1
        play(mutant, opening, moves)

    with pytest.raises(ViolationError) as caught:
        search()
    return tries, str(caught.value)
