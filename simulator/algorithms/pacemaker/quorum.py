"""Votequorum: whether the members of a ring are a quorum. Each node has one vote.

Source: corosync, exec/votequorum.c, `calculate_quorum`, `are_we_quorate`; man votequorum(5).
"""

from __future__ import annotations

from collections.abc import Sequence

from simulator.algorithms.pacemaker.config import PacemakerConfig
from simulator.protocol import Host, NodeId

WINDOW = "last-man-standing"  # The timer of this part.


class VoteQuorum:
    """The quorum as one node counts it."""

    def __init__(self, host: Host, config: PacemakerConfig) -> None:
        self.host = host
        self.config = config
        self.expected = 1 + len(host.peers)
        self.members: tuple[NodeId, ...] = ()
        self.previous: tuple[NodeId, ...] = ()
        self.waits_for_all = config.waits_for_all
        self.lowest: NodeId | None = None  # The lowest member of the last membership with a majority.
        self.quorate = False

    @property
    def majority(self) -> int:
        """The number of votes that a quorum needs."""
        if self.config.two_node and len(self.members) <= 2:
            return 1
        return max(self.expected, len(self.members)) // 2 + 1

    def changed(self, members: Sequence[NodeId]) -> None:
        """Count the votes of a new membership."""
        self.previous, self.members = self.members, tuple(members)
        self.expected = max(self.expected, len(self.members))
        self._count()
        if self.config.last_man_standing and self.quorate and len(self.members) < self.expected:
            self.host.set_timer(WINDOW, self.config.last_man_standing_window)
        else:
            self.host.cancel_timer(WINDOW)

    def on_window(self) -> None:
        """A smaller membership has lasted for the window. From now on it counts as the whole cluster."""
        if self.quorate and self.members:
            self.expected = len(self.members)
            self._count()

    def _count(self) -> None:
        votes = len(self.members)
        if self.waits_for_all and votes < self.expected:
            return
        self.waits_for_all = False
        self.quorate = votes >= self.majority
        if self.quorate:
            self.lowest = min(self.members)
        elif self.config.auto_tie_breaker and votes == self.expected // 2:
            others = len(self.previous) - votes
            self.quorate = others < self.majority and self.lowest in self.members
        if self.config.waits_for_all:
            self.waits_for_all = not self.quorate
