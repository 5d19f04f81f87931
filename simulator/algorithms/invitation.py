"""The Invitation algorithm: Garcia-Molina, "Elections in a Distributed Computing System" (1982), section 4.

For networks that lose messages or fall apart, and nodes that pause. Nodes that reach each other make up a group, which
has a number that no other group ever has, and a coordinator: no two coordinators in one group, however many groups
there are (assertion 3). A node that recovers, or has lost its coordinator, is a group of its own. Coordinators look
for others now and then (Check), and invite them, and these their members, into a new group (Merge): the lower a
coordinator's id, the longer it waits before it does, so that not all invite at once. Members ask now and then whether
their coordinator is there, and has them in its group (Timeout). While a group is made, its nodes serve nobody: they
name no leader.

Assumes nothing of network and clocks, but that what is on disk stays there (assumption 4). Nodes that reach each
other, and that messages are not late for, all come together (assertion 4), but any of them may lead.

The paper's calls, which return or time out, are pairs of messages here. Ready is not answered: a member that does not
get it recovers alone, where in the paper the coordinator would. Of two invitations a node accepts that of the later
group only, since datagrams may overtake each other, which the paper's messages do not (assumption 7); for that a
coordinator counts on from the highest number that it has heard of.

Cost, to merge g groups of n nodes in all: g(n - 1) questions and as many answers, as each coordinator asks all others
once in a check interval; then n - 1 Invitation (or a few more), Accept and Ready. In peace, one coordinator asks all
others in a check interval, and each of them asks after it once in an `ask_interval`; all answer. Time: a check
interval, two or more answer timeouts, and the wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from simulator.algorithms.registration import Registration
from simulator.protocol import (
    CANDIDATE,
    FOLLOWER,
    LEADER,
    MILLISECOND,
    Algorithm,
    Duration,
    Guarantee,
    Host,
    Nanoseconds,
    NodeId,
    message,
    option,
)

CHECK, ANSWERS, WAIT, ACCEPTS = "check", "answers", "wait", "accepts"  # A coordinator's timers.
READY, ASK, THERE = "ready", "ask", "there"  # A member's.
_TIMERS = (CHECK, ANSWERS, WAIT, ACCEPTS, READY, ASK, THERE)


@message
class AYCoordinator:
    """Are you a coordinator, and is your group complete?"""


@message
class AYCoordinatorAnswer:
    """Whether I am; and the number of my group."""

    coordinator: bool
    group: int


@message
class AYThere:
    """Are you there, do you coordinate this group, and am I in it?"""

    group: int


@message
class AYThereAnswer:
    """Whether it is so."""

    group: int
    there: bool


@message
class Invitation:
    """Join this group. Also sent on, by a coordinator that accepts, to the members that it had."""

    coordinator: NodeId
    group: int


@message
class Accept:
    """I join it."""

    group: int


@message
class Ready:
    """All who join have joined: the group is at work."""

    group: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationConfig:
    """Invitation's options."""

    check_interval: Duration = option(500 * MILLISECOND, "How often a coordinator looks for others: procedure Check.")
    ask_interval: Duration = option(
        100 * MILLISECOND, "How often a member asks whether its coordinator is there: procedure Timeout."
    )
    answer_timeout: Duration = option(
        100 * MILLISECOND, "How long answers are waited for: the time of three messages or more, as one sends on."
    )
    priority_wait: Duration = option(
        50 * MILLISECOND, "How long a coordinator waits before it invites others, times how far the highest is above."
    )

    def __post_init__(self) -> None:
        for name in ("check_interval", "ask_interval", "answer_timeout", "priority_wait"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: must be above 0")


class InvitationNode(Algorithm):
    """One node. It leads while it coordinates a group that is at work, be it alone in it."""

    guarantees: ClassVar = frozenset({Guarantee.ELECTION_SAFETY, Guarantee.MONOTONIC_TERMS})

    def __init__(self, host: Host, config: InvitationConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.counter: int = durable.get("counter", 0)  # The highest that this node has given, or has heard of.
        self.group = 0
        self.coordinator: NodeId | None = None  # The paper's c.
        self.normal = False  # Whether the group is at work: the paper's status Normal.
        self.up: set[NodeId] = set()  # The other members, as their coordinator knows them: the paper's Up.
        self.found: set[NodeId] = set()  # Other coordinators, as they answer.

    @property
    def leads(self) -> bool:
        return self.normal and self.coordinator == self.host.me

    # --- Inputs

    def on_start(self) -> None:
        self._recover()

    def on_timer(self, name: str) -> None:
        self.clocks[name](self)

    def view(self) -> Mapping[str, object]:
        return {
            "group": self.group,
            "coordinator": self.coordinator,
            "normal": self.normal,
            "members": tuple(sorted(self.up)),
            "coordinators found": tuple(sorted(self.found)),
            "counter": self.counter,
        }

    # --- A coordinator looks for others, and invites them

    def _check(self) -> None:
        """Procedure Check, its first half. One that finds nobody will look again."""
        self.found = set()
        for node in self.host.peers:
            self.host.send(node, AYCoordinator())
        self.host.set_timer(ANSWERS, self.config.answer_timeout)

    def _on_ay_coordinator(self, sender: NodeId, message: AYCoordinator) -> None:
        self.host.send(sender, AYCoordinatorAnswer(self.leads, self.group))

    def _on_ay_coordinator_answer(self, sender: NodeId, message: AYCoordinatorAnswer) -> None:
        self._heard_of(message.group)
        if message.coordinator:
            self.found.add(sender)

    def _have_answered(self) -> None:
        """Procedure Check, its second half: wait in proportion to how far the highest coordinator is above this one."""
        above = max(self.found, default=0) - self.host.me
        if not self.found:
            self.host.set_timer(CHECK, self.config.check_interval)
        elif above > 0:
            self.host.set_timer(WAIT, above * self.config.priority_wait)
        else:
            self._merge()

    def _merge(self) -> None:
        """Procedure Merge, its first half: invite the coordinators that were found, and the members of this group."""
        invited = sorted(self.found | self.up)
        self._open_group()
        for node in invited:
            self.host.send(node, Invitation(self.host.me, self.group))
        self.host.set_timer(ACCEPTS, self.config.answer_timeout)

    def _on_accept(self, sender: NodeId, message: Accept) -> None:
        if not self.normal and message.group == self.group and self.coordinator == self.host.me:
            self.up.add(sender)

    def _have_accepted(self) -> None:
        """Procedure Merge, its second half."""
        for node in sorted(self.up):
            self.host.send(node, Ready(self.group))
        self._lead()

    # --- Whoever is invited joins

    def _on_invitation(self, sender: NodeId, message: Invitation) -> None:
        """Only a node whose group is at work joins another; a coordinator sends the invitation on to its members."""
        self._heard_of(message.group)
        if not self.normal or message.group <= self.group:
            return
        if self.leads:
            for node in sorted(self.up):
                self.host.send(node, message)
        self._cancel()
        self.group, self.coordinator, self.normal, self.up = message.group, message.coordinator, False, set()
        self.host.transition(FOLLOWER, self.group, None)
        self.host.send(message.coordinator, Accept(message.group))
        self.host.set_timer(READY, 2 * self.config.answer_timeout)  # Until all have accepted, and a message more.

    def _on_ready(self, sender: NodeId, message: Ready) -> None:
        if not self.normal and message.group == self.group and self.coordinator != self.host.me:
            self.host.cancel_timer(READY)
            self.normal = True
            self.host.transition(FOLLOWER, self.group, self.coordinator)
            self.host.set_timer(ASK, self.config.ask_interval)

    # --- A member asks for its coordinator

    def _ask(self) -> None:
        """Procedure Timeout."""
        assert self.coordinator is not None
        self.host.send(self.coordinator, AYThere(self.group))
        self.host.set_timer(THERE, self.config.answer_timeout)

    def _on_ay_there(self, sender: NodeId, message: AYThere) -> None:
        there = message.group == self.group and self.coordinator == self.host.me and sender in self.up
        self.host.send(sender, AYThereAnswer(message.group, there))

    def _on_ay_there_answer(self, sender: NodeId, message: AYThereAnswer) -> None:
        if not self.normal or message.group != self.group or self.leads:
            return
        if message.there:
            self.host.cancel_timer(THERE)
            self.host.set_timer(ASK, self.config.ask_interval)
        else:
            self._lost()

    def _lost(self) -> None:
        """The coordinator does not answer, knows nothing of this member, or never had the group ready."""
        self.host.note("suspected", leader=self.coordinator)
        self._recover()

    # --- Groups

    def _recover(self) -> None:
        """Procedure Recovery: a group of its own, at work at once."""
        self._open_group()
        self._lead()

    def _open_group(self) -> None:
        """A new group, of a number that is on disk before anybody hears of it."""
        self._cancel()
        self.counter += 1
        self.host.save(counter=self.counter)
        self.group = self.counter * self._size + self.host.me - 1
        self.coordinator, self.normal, self.up = self.host.me, False, set()
        self.host.transition(CANDIDATE, self.group, None)

    def _lead(self) -> None:
        self.normal = True
        self.host.transition(LEADER, self.group, self.host.me)
        self.host.set_timer(CHECK, self.config.check_interval)

    def _heard_of(self, group: int) -> None:
        self.counter = max(self.counter, group // self._size)

    @property
    def _size(self) -> int:
        """A group's number is its counter and the node that counted, as one number."""
        return len(self.host.peers) + 1

    def _cancel(self) -> None:
        for name in _TIMERS:
            self.host.cancel_timer(name)

    clocks: ClassVar[Mapping[str, Callable[[Any], None]]] = {
        CHECK: _check,
        ANSWERS: _have_answered,
        WAIT: _merge,
        ACCEPTS: _have_accepted,
        READY: _lost,
        ASK: _ask,
        THERE: _lost,
    }

    receive: ClassVar = {
        AYCoordinator: _on_ay_coordinator,
        AYCoordinatorAnswer: _on_ay_coordinator_answer,
        AYThere: _on_ay_there,
        AYThereAnswer: _on_ay_there_answer,
        Invitation: _on_invitation,
        Accept: _on_accept,
        Ready: _on_ready,
    }


def delay_bound(config: InvitationConfig) -> Nanoseconds:
    """The longest that a message may take if all that reach each other are to come together.

    An invitation, the same sent on, and its acceptance must come within the answer timeout.
    """
    return max(0, config.answer_timeout // 3 - 1)


def stabilization_bound(config: InvitationConfig, nodes: int) -> Nanoseconds:
    """How long it takes in peace, at most, until one group is left.

    Members find out that their coordinator is gone, or was never ready. Then each merge leaves a group less; between
    two lie a check, its answers, the longest wait, and the merge; and one may be in vain, where two invite at once.
    """
    alone = config.ask_interval + 3 * config.answer_timeout
    merge = config.check_interval + 3 * config.answer_timeout + nodes * config.priority_wait
    return alone + 2 * nodes * merge


INVITATION = Registration(
    name="invitation",
    terms_count_rounds=False,
    algorithm=InvitationNode,
    config=InvitationConfig,
    paper="Garcia-Molina 1982, section 4",
    page="bully.md",
    cost="2g(n − 1) messages for g groups to meet, 3n to merge; a check interval, two answer timeouts and the wait",
    quorum=False,
    delay_bound=delay_bound,
    stabilization_bound=stabilization_bound,
)
