"""Copies of the simple election with one deliberate fault each. Each docstring says which rule it breaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from simulator.algorithms.priority import Heartbeat, PriorityElection, RequestVote, Vote
from simulator.protocol import CANDIDATE, FOLLOWER, LEADER, Nanoseconds, NodeId
from tests.support.peer_mutants.nets import DRAWS, SCENES, SEARCH


class MajorityOfAll(PriorityElection):
    """Not of those believed alive: few that are left elect nobody."""

    def _believed_alive(self) -> int:
        return len(self.host.peers)


class NeverYields(PriorityElection):
    """A leader follows nobody: of two, two remain."""

    def _on_heartbeat(self, sender: NodeId, message: Heartbeat) -> None:
        if self.role is not LEADER:
            super()._on_heartbeat(sender, message)

    receive: ClassVar = {**PriorityElection.receive, Heartbeat: _on_heartbeat}


class NeverStandsAside(PriorityElection):
    """A candidate follows nobody."""

    def _on_heartbeat(self, sender: NodeId, message: Heartbeat) -> None:
        if self.role is not CANDIDATE:
            super()._on_heartbeat(sender, message)

    receive: ClassVar = {**PriorityElection.receive, Heartbeat: _on_heartbeat}


class NeverStands(PriorityElection):
    """It waits for a leader, for ever."""

    def _check(self) -> None:
        pass


class HeartbeatsDoNotHelp(PriorityElection):
    """A heartbeat does not begin the wait anew."""

    def _on_heartbeat(self, sender: NodeId, message: Heartbeat) -> None:
        since, timeout = self.waiting_since, self.timeout
        super()._on_heartbeat(sender, message)
        self.waiting_since, self.timeout = since, timeout

    receive: ClassVar = {**PriorityElection.receive, Heartbeat: _on_heartbeat}


class SilentLeader(PriorityElection):
    """A leader says that it is there, and not that it leads."""

    def _beat(self) -> None:
        role, self.role = self.role, FOLLOWER
        super()._beat()
        self.role = role


class RefusesEverybody(PriorityElection):
    """No vote is granted to a candidate that is higher."""

    def _on_request_vote(self, sender: NodeId, message: RequestVote) -> None:
        self.host.send(sender, Vote(granted=False))

    receive: ClassVar = {**PriorityElection.receive, RequestVote: _on_request_vote}


class GrantsEverybody(PriorityElection):
    """A vote for a candidate that is lower."""

    def _on_request_vote(self, sender: NodeId, message: RequestVote) -> None:
        self.host.send(sender, Vote(granted=True))

    receive: ClassVar = {**PriorityElection.receive, RequestVote: _on_request_vote}


class RefusalsCount(PriorityElection):
    """Whoever answers is for it."""

    def _on_vote(self, sender: NodeId, message: Vote) -> None:
        super()._on_vote(sender, Vote(granted=True))

    receive: ClassVar = {**PriorityElection.receive, Vote: _on_vote}


class HalfIsEnough(PriorityElection):
    """Half of those believed alive."""

    def _count(self) -> None:
        if 2 * (1 + len(self.votes)) >= 1 + self._believed_alive():
            self._become_leader()


class LowerIdIsHigher(PriorityElection):
    """Of equal priorities the lower id wins."""

    def _is_higher(self, node: NodeId, priority: int) -> bool:
        return (priority, -node) > (self.priority, -self.host.me)


class YieldsToAnybody(PriorityElection):
    """A leader follows a lower one, too."""

    def _on_heartbeat(self, sender: NodeId, message: Heartbeat) -> None:
        if self.leader != sender:
            self._become_follower(sender)
        self._wait()

    receive: ClassVar = {**PriorityElection.receive, Heartbeat: _on_heartbeat}


class FollowersAreNotThere(PriorityElection):
    """Only a leader says that it is there; so nobody else is believed alive for long."""

    def _beat(self) -> None:
        if self.role is LEADER:
            super()._beat()
        else:
            self.host.set_timer("beat", self.config.heartbeat_interval)


class BelievesNobodyAliveAtFirst(PriorityElection):
    """Whoever starts takes nobody to have been seen, and may lead alone."""

    def on_start(self) -> None:
        super().on_start()
        self.seen_at = {}


class EverybodyWaitsAsLong(PriorityElection):
    """The timeout is not drawn: all stand at once."""

    def _wait(self) -> None:
        self.waiting_since: Nanoseconds = self.host.now()
        self.timeout = self.config.election_timeout[0]


MUTANTS: Mapping[type[PriorityElection], str] = {
    MajorityOfAll: SEARCH,
    NeverYields: SEARCH,
    NeverStandsAside: SEARCH,
    NeverStands: SEARCH,
    HeartbeatsDoNotHelp: SEARCH,
    SilentLeader: SEARCH,
    RefusesEverybody: SEARCH,
    GrantsEverybody: SCENES,
    RefusalsCount: SCENES,
    HalfIsEnough: SCENES,
    LowerIdIsHigher: SCENES,
    YieldsToAnybody: SEARCH,
    FollowersAreNotThere: SCENES,
    BelievesNobodyAliveAtFirst: SCENES,
    EverybodyWaitsAsLong: DRAWS,
}
