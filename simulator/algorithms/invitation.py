"""The Invitation algorithm: Garcia-Molina, "Elections in a Distributed Computing System" (1982), section 4.

For networks that lose messages or are partitioned, and for nodes that pause. Nodes that reach each other form a group.
A group has a coordinator and a number that no other group ever has. No group has two coordinators, however many groups
there are (assertion 3). A node that recovers, or has lost its coordinator, forms a group of its own. A coordinator asks
from time to time which other nodes are coordinators (procedure Check). It invites them into a new group, and they pass
the invitation on to their members (procedure Merge). The lower the id of a coordinator, the longer it waits before it
invites, so that not all invite at once. A member asks from time to time whether its coordinator is up and has it in its
group (procedure Timeout). While a group is being formed, its nodes name no leader.

Assumes nothing of network and clocks; only what is on disk must survive (assumption 4). Nodes that reach each other
without late messages end up in one group (assertion 4), but any of them may lead it.

The calls of the paper, which return or time out, are pairs of messages here. Ready is not answered: a member that does
not receive it recovers alone, whereas in the paper the coordinator recovers. If a node gets two invitations, it accepts
only the one to the group with the higher number, since datagrams may overtake each other; the paper's messages do not
(assumption 7). Therefore a coordinator counts on from the highest number that it has heard of.

Cost, to merge g groups of n nodes in total: g(n - 1) questions and as many answers, as each coordinator asks all other
nodes once in a check interval; then n - 1 Invitation (or a few more), Accept and Ready. When there is one group, its
coordinator asks all other nodes once in a check interval, each member asks its coordinator once in an `ask_interval`,
and all answer. Time: a check interval, two or more answer timeouts, and the wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from simulator.algorithms.invitation_messages import (
    Accept,
    AYCoordinator,
    AYCoordinatorAnswer,
    AYThere,
    AYThereAnswer,
    Invitation,
    Ready,
)
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
    option,
)

CHECK, ANSWERS, WAIT, ACCEPTS = "check", "answers", "wait", "accepts"  # A coordinator's timers.
READY, ASK, THERE = "ready", "ask", "there"  # A member's.


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationConfig:
    """Invitation's options."""

    check_interval: Duration = option(
        500 * MILLISECOND, "How often a coordinator looks for other coordinators (procedure Check)."
    )
    ask_interval: Duration = option(
        100 * MILLISECOND, "How often a member asks whether its coordinator is up (procedure Timeout)."
    )
    answer_timeout: Duration = option(
        100 * MILLISECOND,
        "How long to wait for answers: at least the time of three messages, since one node passes an invitation on.",
    )
    priority_wait: Duration = option(
        50 * MILLISECOND,
        "How long a coordinator waits before it invites, times the distance of its id from that of the highest one.",
    )

    def __post_init__(self) -> None:
        for name in ("check_interval", "ask_interval", "answer_timeout", "priority_wait"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: must be above 0")


class InvitationNode(Algorithm):
    """One node. It leads while it coordinates a complete group, even if it is the only member."""

    guarantees: ClassVar = frozenset({Guarantee.ELECTION_SAFETY, Guarantee.MONOTONIC_TERMS})

    def __init__(self, host: Host, config: InvitationConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.counter: int = durable.get("counter", 0)  # The highest counter that this node has used or heard of.
        self.group = 0
        self.coordinator: NodeId | None = None  # The paper's c.
        self.normal = False  # Whether the group is complete: the paper's status Normal.
        self.up: set[NodeId] = set()  # The other members, known to their coordinator: the paper's Up.
        self.coordinators: set[NodeId] = set()  # Other coordinators that have answered.

    @property
    def leads(self) -> bool:
        """Whether this node coordinates a complete group."""
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
            "other coordinators": tuple(sorted(self.coordinators)),
        }

    # --- A coordinator looks for other coordinators, and invites them

    def _check(self) -> None:
        """The first half of procedure Check: ask all nodes."""
        self.coordinators = set()
        for node in self.host.peers:
            self.host.send(node, AYCoordinator())
        self.host.set_timer(ANSWERS, self.config.answer_timeout)

    def _on_ay_coordinator(self, sender: NodeId, message: AYCoordinator) -> None:
        self.host.send(sender, AYCoordinatorAnswer(self.leads, self.group))

    def _on_ay_coordinator_answer(self, sender: NodeId, message: AYCoordinatorAnswer) -> None:
        self._heard_of(message.group)
        if message.coordinator:
            self.coordinators.add(sender)

    def _have_answered(self) -> None:
        """The second half of procedure Check: wait in proportion to the distance from the highest coordinator."""
        above = max(self.coordinators, default=0) - self.host.me
        if not self.coordinators:
            self.host.set_timer(CHECK, self.config.check_interval)
        elif above > 0:
            self.host.set_timer(WAIT, above * self.config.priority_wait)
        else:
            self._merge()

    def _merge(self) -> None:
        """The first half of procedure Merge: invite the coordinators found, and the members of this group."""
        invited = sorted(self.coordinators | self.up)
        self._open_group()
        for node in invited:
            self.host.send(node, Invitation(self.host.me, self.group))
        self.host.set_timer(ACCEPTS, self.config.answer_timeout)

    def _on_accept(self, sender: NodeId, message: Accept) -> None:
        if not self.normal and message.group == self.group and self.coordinator == self.host.me:
            self.up.add(sender)

    def _have_accepted(self) -> None:
        """The second half of procedure Merge: the group is complete."""
        for node in sorted(self.up):
            self.host.send(node, Ready(self.group))
        self._lead()

    # --- A node is invited and joins

    def _on_invitation(self, sender: NodeId, message: Invitation) -> None:
        """Join a group with a higher number, if this node's own is complete. A coordinator passes the invitation on."""
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
        self.host.set_timer(READY, 2 * self.config.answer_timeout)  # For all acceptances and one more message.

    def _on_ready(self, sender: NodeId, message: Ready) -> None:
        if not self.normal and message.group == self.group and self.coordinator != self.host.me:
            self.host.cancel_timer(READY)
            self.normal = True
            self.host.transition(FOLLOWER, self.group, self.coordinator)
            self.host.set_timer(ASK, self.config.ask_interval)

    # --- A member asks its coordinator

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
        """The coordinator does not answer, does not know this member, or has not completed the group in time."""
        self.host.note("suspected", leader=self.coordinator)
        self._recover()

    # --- Groups

    def _recover(self) -> None:
        """Procedure Recovery: form a group of this node alone, which is complete at once."""
        self._open_group()
        self._lead()

    def _open_group(self) -> None:
        """Open a new group. Its number is on disk before any message with it leaves."""
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
        """The number of nodes. A group's number encodes its counter and the id of its coordinator to this base."""
        return len(self.host.peers) + 1

    def _cancel(self) -> None:
        for name in self.clocks:
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
    """The longest time that a message may take so that all nodes that reach each other end up in one group.

    An invitation, the same passed on, and its acceptance must arrive within the answer timeout.
    """
    return max(0, config.answer_timeout // 3 - 1)


def stabilization_bound(config: InvitationConfig, nodes: int) -> Nanoseconds:
    """How long it takes without faults, at most, until there is one group.

    Members find out that their coordinator is gone, or has not completed their group. Then each merge that succeeds
    removes a group. Between two merges lie a check, its answers, the wait, and the merge. It may fail if two
    coordinators invite within the time D of a message; the lower one falls behind by one wait then, by 2D in the end.
    """
    alone = config.ask_interval + 3 * config.answer_timeout
    merge = config.check_interval + 3 * config.answer_timeout + nodes * config.priority_wait
    failures = -(-2 * delay_bound(config) // config.priority_wait)
    return alone + (1 + failures) * nodes * merge


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
