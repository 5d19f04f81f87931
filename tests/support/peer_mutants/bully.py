"""Copies of Bully with one deliberate fault each. Each docstring says which rule it breaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from simulator.algorithms.bully import ANSWER, CHECK, COORDINATOR, Bully
from simulator.algorithms.bully_messages import Answer, Coordinator, Election, NotNormal
from simulator.protocol import CANDIDATE, FOLLOWER, LEADER, NodeId
from tests.support.peer_mutants.nets import SCENES, SEARCH


class WaitsForItsCoordinatorForEver(Bully):
    """Answered, it never stands again: it hangs when the next-highest dies after it has answered."""

    def on_timer(self, name: str) -> None:
        if name != COORDINATOR:
            super().on_timer(name)


class NeverLeadsUnanswered(Bully):
    """No answer, and yet it does not lead."""

    def on_timer(self, name: str) -> None:
        if name != ANSWER:
            super().on_timer(name)


class RecoversSilently(Bully):
    """A node that recovers does not elect."""

    def on_start(self) -> None:
        self.host.transition(FOLLOWER, 0, None)


class LeaderBowsToNobody(Bully):
    """A leader follows no higher coordinator."""

    def _on_coordinator(self, sender: NodeId, message: Coordinator) -> None:
        if self.role is not LEADER:
            super()._on_coordinator(sender, message)

    receive: ClassVar = {**Bully.receive, Coordinator: _on_coordinator}


class FollowsAnyCoordinator(Bully):
    """A lower coordinator is followed, and not overridden."""

    def _on_coordinator(self, sender: NodeId, message: Coordinator) -> None:
        self._become_follower(sender)

    receive: ClassVar = {**Bully.receive, Coordinator: _on_coordinator}


class AnswersAndLeavesItAtThat(Bully):
    """A follower that is asked does not stand itself."""

    def _on_election(self, sender: NodeId, message: Election) -> None:
        if self.role is FOLLOWER:
            self.host.send(sender, Answer())
        else:
            super()._on_election(sender, message)

    receive: ClassVar = {**Bully.receive, Election: _on_election}


class NeverAnswers(Bully):
    """A higher node stands, but does not say that it is up."""

    def _on_election(self, sender: NodeId, message: Election) -> None:
        if self.role is FOLLOWER and sender < self.host.me:
            self._campaign()

    receive: ClassVar = {**Bully.receive, Election: _on_election}


class AsksTheNextOnly(Bully):
    """It asks one higher node, and not all: if that is dead, it leads beside a higher one."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.higher = self.higher[:1]


class AnnouncesToTheNextOnly(Bully):
    """It tells one lower node that it leads, and not all."""

    def _announce(self) -> None:
        for node in self.lower[-1:]:
            self.host.send(node, Coordinator())


class LeadsThoughAnswered(Bully):
    """An answer does not end the first timeout."""

    def _on_answer(self, sender: NodeId, message: Answer) -> None:
        self.answered = True

    receive: ClassVar = {**Bully.receive, Answer: _on_answer}


class SuspectsOnce(Bully):
    """A leader that was suspected gets another chance, and is never suspected again."""

    def _become_follower(self, leader: NodeId) -> None:
        if leader not in self.detector.suspected:
            super()._become_follower(leader)
            return
        self._cancel()
        self.role, self.leader = FOLLOWER, leader
        self.host.transition(FOLLOWER, 0, leader)


class WatchesNobody(Bully):
    """A follower does not look after its leader."""

    def _become_follower(self, leader: NodeId) -> None:
        super()._become_follower(leader)
        self.detector.watch(())


class NeverChecks(Bully):
    """No procedure Check: whoever has not heard of the leader, and stands no more, never will."""

    def on_timer(self, name: str) -> None:
        if name != CHECK:
            super().on_timer(name)


class BelievesNoReport(Bully):
    """What a check finds changes nothing."""

    def _on_not_normal(self, sender: NodeId, message: NotNormal) -> None:
        """It is not told again."""

    receive: ClassVar = {**Bully.receive, NotNormal: _on_not_normal}


class LateAnswersProlong(Bully):
    """Each answer begins the wait for a coordinator anew."""

    def _on_answer(self, sender: NodeId, message: Answer) -> None:
        self.answered = False
        super()._on_answer(sender, message)

    receive: ClassVar = {**Bully.receive, Answer: _on_answer}


class StandsAgainWhenAsked(Bully):
    """A candidate that is asked stands once more: not each process elects once."""

    def _on_election(self, sender: NodeId, message: Election) -> None:
        super()._on_election(sender, message)
        if self.role is CANDIDATE:
            self._campaign()

    receive: ClassVar = {**Bully.receive, Election: _on_election}


MUTANTS: Mapping[type[Bully], str] = {
    WaitsForItsCoordinatorForEver: SEARCH,
    NeverLeadsUnanswered: SEARCH,
    RecoversSilently: SEARCH,
    LeaderBowsToNobody: SCENES,
    FollowsAnyCoordinator: SCENES,
    AnswersAndLeavesItAtThat: SCENES,
    NeverAnswers: SCENES,
    AsksTheNextOnly: SCENES,
    AnnouncesToTheNextOnly: SCENES,
    LeadsThoughAnswered: SCENES,
    SuspectsOnce: SCENES,
    WatchesNobody: SEARCH,
    NeverChecks: SEARCH,
    BelievesNoReport: SEARCH,
    LateAnswersProlong: SCENES,
    StandsAgainWhenAsked: SCENES,
}
