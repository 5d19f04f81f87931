"""One node of a Pacemaker cluster: Totem, votequorum and a controller, on top of each other.

The leader is the DC of a ring that has a quorum: only that one manages resources (`no-quorum-policy=stop`). Its term is
the number of the ring.

Cost: after the loss of the token, n - 1 nodes send join messages to all, each 50 ms, for the time of a consensus; then
two rotations of the commit token and four of the token. A DC's election among m members: 2 (m² - m + 1) messages to
all, and 2 (m - 1) more for each vote by which a loser opposes. Without traffic: n passes in each hold time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from simulator.algorithms.pacemaker.config import PacemakerConfig
from simulator.algorithms.pacemaker.controller import DEADTIME, TIMEOUT, Controller
from simulator.algorithms.pacemaker.messages import (
    Announce,
    CommitToken,
    HoldCancel,
    Join,
    MergeDetect,
    Multicast,
    NoVote,
    Offer,
    Token,
    Vote,
)
from simulator.algorithms.pacemaker.quorum import WINDOW, VoteQuorum
from simulator.algorithms.pacemaker.totem import Totem
from simulator.protocol import (
    CANDIDATE,
    FOLLOWER,
    LEADER,
    Algorithm,
    Guarantee,
    Host,
    Message,
    NodeId,
    Role,
)


class PacemakerNode(Algorithm):
    """Membership, quorum and the DC as one node sees them. It saves the number of its ring."""

    guarantees = frozenset({Guarantee.MONOTONIC_TERMS})

    def __init__(self, host: Host, config: PacemakerConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.config: PacemakerConfig = config
        self.totem = Totem(host, config, self, durable.get("ring_number", 0))
        self.quorum = VoteQuorum(host, config)
        self.controller = Controller(host, config)
        self.declared: tuple[Role, int, NodeId | None] | None = None

    # --- Inputs

    def on_start(self) -> None:
        self.controller.start()
        self.totem.start()
        self._send_and_declare()

    def on_timer(self, name: str) -> None:
        if name in (DEADTIME, TIMEOUT):
            self.controller.on_timer(name)
        elif name == WINDOW:
            self.quorum.on_window()
        else:
            self.totem.on_timer(name)
        self._send_and_declare()

    def on_message(self, sender: NodeId, message: Message) -> None:
        self.receive[type(message)](self, sender, message)
        self._send_and_declare()

    def on_token(self, sender: NodeId, message: Token) -> None:
        """The token has arrived."""
        self.totem.on_token(message)

    def on_multicast(self, sender: NodeId, message: Multicast) -> None:
        """A message of a ring has arrived."""
        self.totem.on_multicast(sender, message)

    def on_join(self, sender: NodeId, message: Join) -> None:
        """A node says which nodes it knows of."""
        self.totem.on_join(sender, message)

    def on_commit_token(self, sender: NodeId, message: CommitToken) -> None:
        """A new ring is offered, or confirmed."""
        self.totem.on_commit_token(message)

    def on_merge_detect(self, sender: NodeId, message: MergeDetect) -> None:
        """Another ring exists."""
        self.totem.on_merge_detect(sender, message)

    def on_hold_cancel(self, sender: NodeId, message: HoldCancel) -> None:
        """A member needs the token that the representative holds."""
        self.totem.on_hold_cancel(message)

    receive: ClassVar[Any] = {
        Token: on_token,
        Multicast: on_multicast,
        Join: on_join,
        CommitToken: on_commit_token,
        MergeDetect: on_merge_detect,
        HoldCancel: on_hold_cancel,
    }

    # --- What Totem tells (`Listener`)

    def on_membership(self, members: Sequence[NodeId], left: frozenset[NodeId], joined: frozenset[NodeId]) -> None:
        self.host.note("membership", ring=self.totem.ring.id.number, members=tuple(members))
        self.quorum.changed(members)
        self.controller.on_membership(members, left, joined)

    def on_delivery(self, origin: NodeId, content: Message) -> None:
        if isinstance(content, Vote):
            self.controller.on_vote(origin, content)
        elif isinstance(content, NoVote):
            self.controller.on_no_vote(origin, content)
        elif isinstance(content, Offer):
            self.controller.on_offer(origin)
        elif isinstance(content, Announce):
            self.controller.on_announce(origin)

    # --- Outputs

    def _send_and_declare(self) -> None:
        outgoing, self.controller.outgoing = self.controller.outgoing, []
        for content in outgoing:
            self.totem.multicast(content)
        self.totem.send_to_itself()
        controller = self.controller
        role = CANDIDATE if controller.in_election and not controller.is_dc else FOLLOWER
        leader = controller.dc if self.quorum.quorate else None
        if leader == self.host.me:
            role = LEADER
        now = (role, self.totem.ring.id.number, leader)
        if now != self.declared:
            self.declared = now
            self.host.transition(*now)

    def view(self) -> Mapping[str, object]:
        totem = self.totem
        return {
            "state": str(totem.state),
            "ring": totem.ring.id.number,
            "representative": totem.ring.id.representative,
            "members": tuple(sorted(totem.members)),
            "failed": tuple(sorted(totem.failed)),
            "quorate": self.quorum.quorate,
            "expected_votes": self.quorum.expected,
            "dc": self.controller.dc,
            "approvals": tuple(sorted(self.controller.approvals)),
            "processor_time_ns": self.controller.processor_time,
        }
