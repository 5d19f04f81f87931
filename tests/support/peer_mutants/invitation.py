"""Copies of Invitation with one deliberate fault each. Each docstring says which rule it breaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from simulator.algorithms.invitation import (
    CHECK,
    READY,
    THERE,
    InvitationNode,
)
from simulator.algorithms.invitation_messages import (
    Accept,
    AYCoordinatorAnswer,
    AYThere,
    AYThereAnswer,
    Invitation,
    Ready,
)
from simulator.protocol import CANDIDATE, NodeId
from tests.support.peer_mutants.nets import SCENES, SEARCH


class NumbersNameNobody(InvitationNode):
    """A group's number is its counter alone: two nodes may give the same."""

    def _open_group(self) -> None:
        super()._open_group()
        self.group = self.counter * self._size
        self.host.transition(CANDIDATE, self.group, None)


class CountsForItself(InvitationNode):
    """It counts on from its own numbers only, and so invites to groups that seem old."""

    def _heard_of(self, group: int) -> None:
        pass


class AcceptsEarlierGroups(InvitationNode):
    """It accepts any invitation, however old the group."""

    def _on_invitation(self, sender: NodeId, message: Invitation) -> None:
        if message.group < self.group:
            self.group = 0
        super()._on_invitation(sender, message)

    receive: ClassVar = {**InvitationNode.receive, Invitation: _on_invitation}


class NeverLooks(InvitationNode):
    """No procedure Check: groups never merge."""

    def on_timer(self, name: str) -> None:
        if name != CHECK:
            super().on_timer(name)


class NeverGivesUpBeingReady(InvitationNode):
    """It waits for ever for a group to be ready, whose coordinator may be dead."""

    def on_timer(self, name: str) -> None:
        if name != READY:
            super().on_timer(name)


class NeverMissesItsCoordinator(InvitationNode):
    """A coordinator that does not answer is waited for, for ever."""

    def on_timer(self, name: str) -> None:
        if name != THERE:
            super().on_timer(name)


class IsAlwaysThere(InvitationNode):
    """Whoever asks is told that all is well, whatever has become of its group."""

    def _on_ay_there(self, sender: NodeId, message: AYThere) -> None:
        self.host.send(sender, AYThereAnswer(message.group, True))

    receive: ClassVar = {**InvitationNode.receive, AYThere: _on_ay_there}


class TellsNobodyThatItIsReady(InvitationNode):
    """A group is at work, and its members do not hear of it."""

    def _have_accepted(self) -> None:
        self._lead()

    clocks: ClassVar = {**InvitationNode.clocks, "accepts": _have_accepted}


class NumberIsNotSaved(InvitationNode):
    """A restart begins to count anew, and gives a number twice: the check cannot see it, since one node leads both."""

    def _open_group(self) -> None:
        counter = self.counter
        super()._open_group()
        self.host.save(counter=counter if counter == 0 else 0)


class AcceptsWhileItMakesAGroup(InvitationNode):
    """A node whose group is not at work yet joins another."""

    def _on_invitation(self, sender: NodeId, message: Invitation) -> None:
        self.normal = True
        super()._on_invitation(sender, message)

    receive: ClassVar = {**InvitationNode.receive, Invitation: _on_invitation}


class KeepsInvitationsToItself(InvitationNode):
    """A coordinator that accepts does not send the invitation on to its members."""

    def _on_invitation(self, sender: NodeId, message: Invitation) -> None:
        if self.leads:
            self.up = set()
        super()._on_invitation(sender, message)

    receive: ClassVar = {**InvitationNode.receive, Invitation: _on_invitation}


class ForgetsItsMembers(InvitationNode):
    """A merge leaves out the members of the coordinator's own group."""

    def _merge(self) -> None:
        self.up = set()
        super()._merge()

    clocks: ClassVar = {**InvitationNode.clocks, "wait": _merge}


class DoesNotWait(InvitationNode):
    """A lower coordinator invites as soon as a higher one does."""

    def _have_answered(self) -> None:
        if self.coordinators:
            self._merge()
        else:
            super()._have_answered()

    clocks: ClassVar = {**InvitationNode.clocks, "answers": _have_answered}


class AcceptsLateAcceptances(InvitationNode):
    """Whoever accepts when the group is at work is a member, and never hears that it is ready."""

    def _on_accept(self, sender: NodeId, message: Accept) -> None:
        if message.group == self.group:
            self.up.add(sender)

    receive: ClassVar = {**InvitationNode.receive, Accept: _on_accept}


class ReadyForAnyGroup(InvitationNode):
    """A word about an earlier group makes it join that, though it has left it."""

    def _on_ready(self, sender: NodeId, message: Ready) -> None:
        if self.coordinator != sender:
            self.normal, self.group, self.coordinator = False, message.group, sender
        super()._on_ready(sender, message)

    receive: ClassVar = {**InvitationNode.receive, Ready: _on_ready}


class InvitesWhoLeadsNobody(InvitationNode):
    """Members that answer are taken for coordinators."""

    def _on_ay_coordinator_answer(self, sender: NodeId, message: AYCoordinatorAnswer) -> None:
        super()._on_ay_coordinator_answer(sender, AYCoordinatorAnswer(True, message.group))

    receive: ClassVar = {**InvitationNode.receive, AYCoordinatorAnswer: _on_ay_coordinator_answer}


MUTANTS: Mapping[type[InvitationNode], str] = {
    NumbersNameNobody: SEARCH,
    CountsForItself: SEARCH,
    AcceptsEarlierGroups: SEARCH,
    NeverLooks: SEARCH,
    NeverGivesUpBeingReady: SEARCH,
    NeverMissesItsCoordinator: SEARCH,
    IsAlwaysThere: SCENES,
    TellsNobodyThatItIsReady: SEARCH,
    NumberIsNotSaved: SCENES,
    AcceptsWhileItMakesAGroup: SCENES,
    KeepsInvitationsToItself: SCENES,
    ForgetsItsMembers: SEARCH,
    DoesNotWait: SEARCH,
    AcceptsLateAcceptances: SCENES,
    ReadyForAnyGroup: SEARCH,
    InvitesWhoLeadsNobody: SEARCH,
}
