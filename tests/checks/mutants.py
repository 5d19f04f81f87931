"""Copies of Raft with one deliberate fault each: what the safety checks must be able to see.

They are registered here and nowhere else, so no scenario can name them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from simulator.algorithms.raft import PreVote, PreVoteReply, Raft, RaftConfig, RequestVote, RequestVoteReply
from simulator.algorithms.registration import Registration
from simulator.algorithms.registry import REGISTRY
from simulator.protocol import CANDIDATE, FOLLOWER, LEADER, Guarantee, Host, Message, NodeId, Role


class ForgetsVote(Raft):
    """A restart forgets the vote, though not the term (figure 2: votedFor is persistent)."""

    def __init__(self, host: Host, config: RaftConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.voted_for = None


class ForgetsTerm(Raft):
    """The term never reaches the disk (figure 2: currentTerm is persistent)."""

    def _save_term_and_vote(self, then: str | None = None) -> None:
        self.unsaved = False
        self.host.save(then, voted_for=self.voted_for)


class RepliesBeforeSaving(Raft):
    """A vote leaves before it is on disk (figure 2: "updated on stable storage before responding to RPCs")."""

    def _reply(self, to: NodeId, reply: Message) -> None:
        self.host.send(to, reply, ordered=False)


class FreesVoteOnStepDown(Raft):
    """A candidate that meets the leader of its term takes its vote for itself back (section 5.2: one vote a term).

    It elects no second leader: a vote so freed was a loser's, and the leader's majority is spoken for.
    """

    def _become_follower(self, term: int, leader: NodeId | None) -> None:
        if term == self.term and self.role is CANDIDATE:
            self.voted_for = None
            self.unsaved = True
        super()._become_follower(term, leader)


class CountsDuplicates(Raft):
    """Each reply counts as a vote, so a duplicated one counts twice."""

    def __init__(self, host: Host, config: RaftConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.count = 0

    def _become_candidate(self) -> None:
        self.count = 0
        super()._become_candidate()

    def _count_vote(self, voter: NodeId) -> None:
        if self.role is not CANDIDATE:
            super()._count_vote(voter)
            return
        self.count += 1
        self.host.note("vote", term=self.term, voter=voter)
        if self.count >= self.membership.quorum:
            self._become_leader()


class CountsOldVotes(Raft):
    """A vote of an earlier term counts in this one (section 5.2: "for the same term")."""

    def _on_vote_reply(self, sender: NodeId, message: RequestVoteReply | PreVoteReply) -> None:
        super()._on_vote_reply(sender, replace(message, term=self.term))

    receive: ClassVar = {**Raft.receive, RequestVoteReply: _on_vote_reply}


class IgnoresLogs(Raft):
    """A vote goes to a candidate whose log is behind the voter's (section 5.4.1)."""

    def _on_request_vote(self, sender: NodeId, message: RequestVote | PreVote) -> None:
        super()._on_request_vote(sender, RequestVote(message.term, *self.last_log))

    receive: ClassVar = {**Raft.receive, RequestVote: _on_request_vote}


class VotesForAnyone(Raft):
    """A follower votes for every candidate, even a second one (figure 2: "if votedFor is null or candidateId")."""

    def _on_request_vote(self, sender: NodeId, message: RequestVote | PreVote) -> None:
        if self.role is FOLLOWER:
            self.voted_for = None
        super()._on_request_vote(sender, message)

    receive: ClassVar = {**Raft.receive, RequestVote: _on_request_vote}


class QuorumTooSmall(Raft):
    """One vote less than a majority is taken for enough (section 5.2: "a majority of the servers")."""

    def __init__(self, host: Host, config: RaftConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.membership.quorum -= 1


class KeepsLeading(Raft):
    """A leader that hears of a higher term goes on leading in it (5.1: "it immediately reverts to follower state")."""

    def _become_follower(self, term: int, leader: NodeId | None) -> None:
        if self.role is not LEADER:
            super()._become_follower(term, leader)
            return
        self.term = term
        self.voted_for = self.host.me
        self.host.transition(LEADER, term, self.host.me)
        self._save_term_and_vote()


class PromisesAreVotes(Raft):
    """Promises of a vote count as votes (dissertation, 9.6: they only begin an election)."""

    def _begin_candidacy(self, role: Role) -> None:
        promised = self.candidacy.votes if role is CANDIDATE and self.config.pre_vote else set()
        super()._begin_candidacy(role)
        self.candidacy.votes = promised - {self.host.me}


class AnswersAreVotes(Raft):
    """A server that has refused counts as a voter, too (option refusals_end_candidacy counts refusals)."""

    def _count_refusal(self, voter: NodeId) -> None:
        super()._count_refusal(voter)
        if self.role is CANDIDATE and len(self.candidacy.replied | {self.host.me}) >= self.membership.quorum:
            self._become_leader()


@dataclass(frozen=True, slots=True)
class Mutant:
    registration: Registration
    breaks: tuple[Guarantee, ...]  # What the fault takes away.


def _mutant(algorithm: type[Raft], *breaks: Guarantee) -> Mutant:
    return Mutant(replace(REGISTRY["raft"], name=algorithm.__name__, algorithm=algorithm), breaks)


MUTANTS: Mapping[str, Mutant] = {
    mutant.registration.name: mutant
    for mutant in (
        _mutant(ForgetsVote, Guarantee.ONE_VOTE, Guarantee.ELECTION_SAFETY),
        _mutant(ForgetsTerm, Guarantee.MONOTONIC_TERMS, Guarantee.ELECTION_SAFETY),
        _mutant(RepliesBeforeSaving, Guarantee.ONE_VOTE),
        _mutant(FreesVoteOnStepDown, Guarantee.ONE_VOTE),
        _mutant(CountsDuplicates, Guarantee.QUORUM_OF_VOTES, Guarantee.ELECTION_SAFETY),
        _mutant(CountsOldVotes, Guarantee.ONE_VOTE),
        _mutant(IgnoresLogs, Guarantee.LOG_UP_TO_DATE),
        _mutant(VotesForAnyone, Guarantee.ONE_VOTE, Guarantee.ELECTION_SAFETY),
        _mutant(QuorumTooSmall, Guarantee.QUORUM_OF_VOTES, Guarantee.ELECTION_SAFETY),
        _mutant(KeepsLeading, Guarantee.QUORUM_OF_VOTES, Guarantee.ELECTION_SAFETY),
        _mutant(PromisesAreVotes, Guarantee.QUORUM_OF_VOTES, Guarantee.ELECTION_SAFETY),
        _mutant(AnswersAreVotes, Guarantee.QUORUM_OF_VOTES, Guarantee.ELECTION_SAFETY),
    )
}
