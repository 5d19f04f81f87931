"""The servers that have answered a candidate, and the number of refused candidacies in a row."""

from __future__ import annotations

from simulator.algorithms.raft.config import RaftConfig
from simulator.algorithms.raft.membership import Membership
from simulator.protocol import NodeId


class Candidacy:
    """The answers to the current candidacy or pre-candidacy of one server, or to its last one."""

    def __init__(self, config: RaftConfig) -> None:
        self.votes: set[NodeId] = set()  # The servers whose votes, or promised votes, this candidate holds.
        self.replied: set[NodeId] = set()  # The servers that have answered, for a vote or against.
        self.refused = 0  # How many candidacies in a row were refused, as `backoff_multiplies` counts them.
        self._counts_half = config.backoff_multiplies == "draw"

    @property
    def refusals(self) -> int:
        """How many servers have refused."""
        return len(self.replied - self.votes)

    def begin(self, membership: Membership) -> None:
        """Another candidacy begins. If half of the other voters refused the last one, it counts (Raft Refloated)."""
        if self._counts_half and self.refusals and 2 * self.refusals >= len(membership.other_voters):
            self.refused += 1
        self.votes, self.replied = set(), set()

    def end(self, *, knows_leader: bool) -> None:
        """The server is not a candidate any more: it has stepped down, or the term has a leader."""
        if knows_leader or self._counts_half:
            self.refused = 0
        if self._counts_half:
            self.replied = set()

    def add_vote(self, voter: NodeId) -> bool:
        """Note a vote. Return False if it was noted before."""
        self.replied.add(voter)
        if voter in self.votes:
            return False
        self.votes.add(voter)
        return True

    def add_refusal(self, voter: NodeId) -> bool:
        """Note a refusal. Return False if this voter has answered before."""
        if voter in self.replied:
            return False
        self.replied.add(voter)
        if self.refusals == 1 and not self._counts_half:
            self.refused += 1
        return True

    def is_lost(self, membership: Membership) -> bool:
        """Whether the candidate cannot reach a majority any more, because too many voters have refused."""
        votes_possible = len(membership.other_voters) + membership.is_voter - self.refusals
        return votes_possible < membership.quorum
