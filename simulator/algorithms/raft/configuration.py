"""Who belongs to a cluster (dissertation, chapter 4): voters, and learners, who receive but are in no majority."""

from __future__ import annotations

from typing import NamedTuple

from simulator.protocol import NodeId


class Configuration(NamedTuple):
    """Voters count in majorities; learners are members without a vote (4.2.1)."""

    voters: tuple[NodeId, ...]
    learners: tuple[NodeId, ...] = ()

    @property
    def members(self) -> tuple[NodeId, ...]:
        return self.voters + self.learners

    @property
    def quorum(self) -> int:
        """How many voters are a majority."""
        return len(self.voters) // 2 + 1

    def with_voter(self, node: NodeId) -> Configuration:
        rest = self.without(node)
        return Configuration(tuple(sorted((*rest.voters, node))), rest.learners)

    def without(self, node: NodeId) -> Configuration:
        return Configuration(*(tuple(other for other in some if other != node) for some in self))

    @property
    def wire_bytes(self) -> int:
        """A number for each member."""
        return 8 * len(self.members)
