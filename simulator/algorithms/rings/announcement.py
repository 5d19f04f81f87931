"""How the elected leader of a ring announces itself, if the paper does not say: by a message that goes round once."""

from __future__ import annotations

from typing import ClassVar

from simulator.algorithms.rings.node import RingNode
from simulator.protocol import LEADER, NodeId, message


@message
class Elected:
    """`leader` leads. Sent by the leader once round the ring."""

    leader: NodeId
    number: int = 0


class AnnouncingNode(RingNode):
    """A node of a ring whose elections end with the announcement of the leader."""

    def _campaign(self) -> None:
        """Become a candidate."""
        raise NotImplementedError

    def _hold_election(self) -> None:
        """A leader announces itself again. A higher node that receives the announcement holds an election."""
        if self.role is LEADER:
            self._win()
        else:
            self._campaign()

    def _win(self) -> None:
        """Become leader, or be it already, and announce it."""
        self._become_leader()
        self._pass_on(Elected(self.host.me), origin=self.host.me)

    def _on_elected(self, sender: NodeId, message: Elected) -> None:
        """Follow the leader, and pass its announcement on; if it is this node's own, it has come round.

        An announcement of this node comes late if it leads no more. Other nodes may follow it now: hold an election.
        """
        if message.leader == self.host.me:
            if self.leader != self.host.me and not self.taking_part:
                self._call_election()
        elif self._believes(message.leader):
            self._pass_on(message, origin=message.leader)

    def _elected_ends(self, message: Elected) -> None:
        """The announcement has come round.

        If it is another node's, the leader has crashed or is late: hold an election.
        """
        if message.leader != self.host.me:
            self._call_election()

    receive: ClassVar = {Elected: _on_elected, **RingNode.receive}
    ends: ClassVar = {Elected: _elected_ends}
