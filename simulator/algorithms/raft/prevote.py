"""Votes that cost no term (dissertation, 9.6): ask a majority whether it would vote, before a term is spent on it."""

from __future__ import annotations

from typing import ClassVar

from simulator.algorithms.raft.election import Elector
from simulator.algorithms.raft.messages import PreVote, PreVoteReply
from simulator.protocol import CANDIDATE, FOLLOWER, PRE_CANDIDATE, Message, NodeId


class PreElector(Elector):
    """A server that answers whether it would vote and, with the option, asks before it stands."""

    def _begin_election(self) -> None:
        if self.config.pre_vote:
            self._become_pre_candidate()
        else:
            self._become_candidate()

    def _become_pre_candidate(self) -> None:
        assert self.role in (FOLLOWER, CANDIDATE, PRE_CANDIDATE)
        self._suspect()
        self.role = PRE_CANDIDATE
        self._begin_asking()
        self.host.transition(PRE_CANDIDATE, self.term, None)
        self.pace.stood(self.refused)
        self._request_votes()
        if self.counts_itself:
            self._count_promise(self.host.me)

    def _on_pre_vote(self, sender: NodeId, message: PreVote) -> None:
        """Would it vote? Its log decides, and whether it has heard a leader within the least election timeout (9.6).

        A refusal tells its term, without which two servers may wait for each other for ever (etcd-io/etcd#9586).
        """
        later = message.term > self.term
        if later and self.config.leader_stickiness == "ignore" and self._hears_a_leader(sender):
            return
        free = later or (message.term == self.term and self.voted_for in (None, sender))
        granted = free and not self._hears_a_leader(sender) and self._is_fit(sender, message)
        self._reply(sender, PreVoteReply(message.term if granted else self.term, granted))

    def _on_pre_vote_reply(self, sender: NodeId, message: PreVoteReply) -> None:
        if self.role is PRE_CANDIDATE:
            if not message.vote_granted:
                self._count_refusal(sender)
            elif message.term == self.term + 1:
                self.replied.add(sender)
                self._count_promise(sender)

    def _count_promise(self, voter: NodeId) -> None:
        self.votes.add(voter)
        if len(self.votes) >= self.quorum:
            self._become_candidate()

    def _is_hypothetical(self, message: Message) -> bool:
        return type(message) is PreVote or (type(message) is PreVoteReply and message.vote_granted)

    def _request(self) -> Message:
        return PreVote(self.term + 1, *self.last_log) if self.role is PRE_CANDIDATE else super()._request()

    receive: ClassVar = {**Elector.receive, PreVote: _on_pre_vote, PreVoteReply: _on_pre_vote_reply}
