"""The members of a cluster (dissertation, chapter 4): voters, and learners, which only receive the log."""

from __future__ import annotations

from typing import NamedTuple

from simulator.protocol import NodeId


class Configuration(NamedTuple):
    """Voters count in majorities. Learners are members without a vote (4.2.1)."""

    voters: tuple[NodeId, ...]
    learners: tuple[NodeId, ...] = ()

    @property
    def members(self) -> tuple[NodeId, ...]:
        """All members: voters first, then learners."""
        return self.voters + self.learners

    @property
    def quorum(self) -> int:
        """The number of voters that is a majority."""
        return len(self.voters) // 2 + 1

    def with_voter(self, node: NodeId) -> Configuration:
        """Return the configuration in which this node votes, too."""
        rest = self.without(node)
        return Configuration(tuple(sorted((*rest.voters, node))), rest.learners)

    def without(self, node: NodeId) -> Configuration:
        """Return the configuration of which this node is no member."""
        return Configuration(*(tuple(other for other in some if other != node) for some in self))

    @property
    def wire_bytes(self) -> int:
        """The bytes that the configuration takes in a message: one number for each member."""
        return 8 * len(self.members)
