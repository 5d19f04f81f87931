"""Chang and Roberts: on a one-way ring each node replaces a lower candidate by itself, and the highest id comes back.

E. Chang and R. Roberts, An Improved Algorithm for Decentralized Extrema-Finding in Circular Configurations of
Processes, Communications of the ACM 22 (5), 1979. Assumes that no message is lost, that links are FIFO, and that no
node crashes. The maintenance of the ring (`node.py`) is for crashes.

Cost, if all n nodes start at once: 2n - 1 election messages at best, n(n + 1)/2 at worst, n·H(n) on average over all
orders; and n to announce. Time: 2n messages in a row after the highest node has become a candidate.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from simulator.algorithms.detectors import MONITOR_GROUP, never_quiet
from simulator.algorithms.registration import Registration
from simulator.algorithms.rings.announcement import AnnouncingNode
from simulator.algorithms.rings.config import RingConfig, assumes_besides, delay_bound, stabilization_bound
from simulator.protocol import CANDIDATE, NodeId, message


@message
class Election:
    """`candidate` is the highest of the nodes that this message has passed."""

    candidate: NodeId
    number: int = 0


class ChangRoberts(AnnouncingNode):
    """One node."""

    # One round until a message reaches the highest node, one for its own message, and one for its announcement.
    rounds: ClassVar = 3

    def _campaign(self) -> None:
        self._become_candidate()
        self._pass_on(Election(self.host.me), origin=self.host.me)

    def _on_election(self, sender: NodeId, message: Election) -> None:
        if message.candidate > self.host.me:
            if message.candidate != self.leader:
                self._take_part()  # A higher candidate has passed: do not compete with it.
            self._pass_on(message, origin=message.candidate)
        elif message.candidate == self.host.me:
            self._has_come_round(message)
        elif not self.taking_part:
            self._call_election()  # Replace a lower candidate by this node, once.

    def _has_come_round(self, message: Election) -> None:
        """This node's own message has come round, so no node is higher.

        The message of another candidate ends here if that candidate has crashed.
        """
        if message.candidate != self.host.me:
            self._call_election()
        elif self.role is CANDIDATE:
            self._win()

    receive: ClassVar = {Election: _on_election, **AnnouncingNode.receive}
    ends: ClassVar = {Election: _has_come_round, **AnnouncingNode.ends}


CHANG_ROBERTS = Registration(
    name="chang-roberts",
    algorithm=ChangRoberts,
    config=RingConfig,
    paper="Chang and Roberts 1979",
    cost="n·H(n) messages on average, 2n − 1 to n(n + 1)/2, and n to announce; 2n messages in a row",
    page="rings.md",
    groups=(MONITOR_GROUP,),
    quorum=False,
    assumes=assumes_besides,
    delay_bound=delay_bound,
    stabilization_bound=partial(stabilization_bound, rounds=ChangRoberts.rounds),
    never_quiet=never_quiet,
    bytes_per_pair=16,
)
