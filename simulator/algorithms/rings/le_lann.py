"""The ring that collects ids: a message returns to its initiator with the ids of all nodes, and the highest leads.

G. Le Lann, Distributed Systems: Towards a Formal Approach, IFIP Congress 1977; as described in textbooks (Tanenbaum),
in which a node that notices the crash of its leader initiates an election. Every initiator learns all ids, and sends a
message Coordinator round with the leader and the members of the ring. Elections of several initiators do not influence
each other; they find the same leader. Assumes that no message is lost and, without the maintenance of the ring
(`node.py`), that no node crashes.

An Election whose initiator has crashed ends at the node before the initiator. It holds all ids by then, and counts as
complete.

Cost: n Election and n Coordinator messages for each initiator. An Election holds up to n ids. Time: 2n messages in a
row.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import ClassVar

from simulator.algorithms.detectors import MONITOR_GROUP, never_quiet
from simulator.algorithms.registration import Registration
from simulator.algorithms.rings.config import RingConfig, assumes_besides, delay_bound, stabilization_bound
from simulator.algorithms.rings.node import RingNode
from simulator.protocol import LEADER, NodeId, message


@message
class Election:
    """The ids of all nodes that this message has passed, its initiator first."""

    ids: tuple[NodeId, ...]
    number: int = 0


@message
class Coordinator:
    """The leader, and the members of the ring in order, beginning with the node that sent this message round."""

    leader: NodeId
    ring: tuple[NodeId, ...]
    number: int = 0


class Ring(RingNode):
    """One node."""

    rounds: ClassVar = 2

    def _hold_election(self) -> None:
        if self.role is LEADER:  # It goes on leading until the outcome is known.
            self._await_outcome()
        else:
            self._become_candidate()
        self._pass_on(Election((self.host.me,)), origin=self.host.me)

    def _on_election(self, sender: NodeId, message: Election) -> None:
        if self.host.me in message.ids:
            self._conclude(message.ids)
            return
        self._take_part()
        self._pass_on(replace(message, ids=(*message.ids, self.host.me)), origin=message.ids[0])

    def _election_ends(self, message: Election) -> None:
        """The message has gone round: to its initiator, or, if the initiator has crashed, to the node before it."""
        self._conclude(message.ids[1:] or message.ids)

    def _conclude(self, ids: tuple[NodeId, ...]) -> None:
        """Elect the highest of these nodes, without those that have been suspected meanwhile."""
        first = ids.index(self.host.me)
        ring = tuple(node for node in (*ids[first:], *ids[:first]) if node not in self.detector.suspected)
        leader = max(ring)
        if self._believes(leader):
            self._pass_on(Coordinator(leader, ring), origin=self.host.me)

    def _on_coordinator(self, sender: NodeId, message: Coordinator) -> None:
        """Follow the leader, and pass the message on; if it is this node's own, it has come round.

        A message of this node comes late if this node follows another leader by now. Other nodes may follow the wrong
        one: hold an election.
        """
        if message.ring[0] == self.host.me:
            if message.leader != self.leader and not self.taking_part:
                self._call_election()
        elif self._believes(message.leader):
            self._pass_on(message, origin=message.ring[0])

    def _coordinator_ends(self, message: Coordinator) -> None:
        """All nodes have heard of the leader. The detector finds out whether it has crashed since."""

    receive: ClassVar = {Election: _on_election, Coordinator: _on_coordinator, **RingNode.receive}
    ends: ClassVar = {Election: _election_ends, Coordinator: _coordinator_ends}


RING = Registration(
    name="ring",
    algorithm=Ring,
    config=RingConfig,
    paper="Le Lann 1977; Tanenbaum",
    cost="2n messages for each initiator, in a row",
    page="rings.md",
    groups=(MONITOR_GROUP,),
    quorum=False,
    assumes=assumes_besides,
    delay_bound=delay_bound,
    stabilization_bound=partial(stabilization_bound, rounds=Ring.rounds),
    never_quiet=never_quiet,
    bytes_per_pair=16,
)
