"""A client of a coordination service that stands for election: the roles and terms that it declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from simulator.protocol import CANDIDATE, FOLLOWER, LEADER, Algorithm, Guarantee, Host, NodeId, Role


class Candidate(Algorithm):
    """One candidate. A crash loses everything that it knows; its session or lease ends later.

    The term in which a candidate leads is a fencing token: the service gives each term to one candidate, and later
    terms are higher. So no two candidates lead in one term, whatever happens. More than one may lead at a time.
    """

    guarantees: ClassVar = frozenset({Guarantee.ELECTION_SAFETY, Guarantee.MONOTONIC_TERMS})

    def __init__(self, host: Host, config: Any, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.role: Role | None = None  # Not declared yet.
        self.term = 0  # The highest term that it has heard of.
        self.leader: NodeId | None = None

    def view(self) -> Mapping[str, object]:
        return {"role": self.role, "term": self.term, "leader": self.leader}

    def _suspect(self, leader: NodeId | None) -> None:
        """The leader that it follows does not lead any more, as far as the service knows."""
        self.host.note("suspected", leader=leader)

    def _follow(self, leader: NodeId, term: int) -> None:
        """Follow a leader, unless the candidate leads, or has heard of a later leader (a server may lag behind)."""
        if self.role is LEADER or term < self.term or leader == self.host.me:
            return
        if self.leader not in (None, leader):
            self._suspect(self.leader)
        self._become_follower(leader, term)

    def _become_follower(self, leader: NodeId | None, term: int | None = None) -> None:
        """From any role. `leader` is None if it knows no leader."""
        declared = self.role, self.leader, self.term
        self.role, self.leader, self.term = FOLLOWER, leader, self.term if term is None else term
        if declared != (self.role, self.leader, self.term):
            self.host.transition(FOLLOWER, self.term, leader)

    def _become_candidate(self, term: int) -> None:
        """From follower. Terms only grow, so no other candidate can come before it; it only has to read again."""
        assert self.role is not LEADER
        if self.role is not CANDIDATE:
            self.role, self.leader, self.term = CANDIDATE, None, term
            self.host.transition(CANDIDATE, term, None)

    def _become_leader(self, term: int, token: int) -> None:
        """From candidate. `token` is the number that resources check, in the service's own counting."""
        assert self.role is CANDIDATE
        self.role, self.leader, self.term = LEADER, self.host.me, term
        self.host.note("token", sequence=token)
        self.host.transition(LEADER, term, self.host.me)
