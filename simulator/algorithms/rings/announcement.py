"""How the winner of a ring makes itself known, where the paper leaves that to it: a message that goes round once."""

from __future__ import annotations

from typing import ClassVar

from simulator.algorithms.rings.node import RingNode
from simulator.protocol import LEADER, NodeId, message


@message
class Elected:
    """I lead. From the leader, once round the ring."""

    leader: NodeId
    number: int = 0


class AnnouncingNode(RingNode):
    """A node whose elections end with the leader's own announcement."""

    def _stand(self) -> None:
        """Be a candidate for the lead."""
        raise NotImplementedError

    def _hold_election(self) -> None:
        """A leader need only say that it is there; whoever is higher will object."""
        if self.role is LEADER:
            self._win()
        else:
            self._stand()

    def _win(self) -> None:
        """Or have won, and say so again."""
        self._become_leader()
        self._pass_on(Elected(self.host.me), origin=self.host.me)

    def _on_elected(self, sender: NodeId, message: Elected) -> None:
        if message.leader != self.host.me and self._believes(message.leader):
            self._pass_on(message, origin=message.leader)

    def _elected_ends(self, message: Elected) -> None:
        """Here, or at the node before the leader, which has died since, or is late: an election finds out."""
        if message.leader != self.host.me:
            self._call_election()

    receive: ClassVar = {Elected: _on_elected, **RingNode.receive}
    ends: ClassVar = {Elected: _elected_ends}
