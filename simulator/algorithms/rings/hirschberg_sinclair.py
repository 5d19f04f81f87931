"""Hirschberg and Sinclair: candidates ask ever wider neighbourhoods in both directions, with O(n log n) messages.

D. S. Hirschberg and J. B. Sinclair, Decentralized Extrema-Finding in Circular Configurations of Processors,
Communications of the ACM 23 (11), 1980. In phase k a candidate sends a message 2^k nodes far in each direction. A
higher node refuses it. A lower node gives up its own candidacy and passes the message on, and the last one answers Ok.
After two Ok answers, the candidate doubles the distance. A candidate whose message comes round has won. The messages
are the paper's: From, Ok and No. Assumes that no message is lost and that no node crashes; the maintenance of the ring
(`node.py`) is for crashes. In the paper a message's direction follows from the node that it comes from. Here a message
states its direction, since nodes may be skipped.

Cost, if all n nodes start at once: at most 8n(⌈log₂ n⌉ + 1) messages, and n to announce. Time: less than 6n messages in
a row after the highest node has become a candidate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar

from simulator.algorithms.detectors import MONITOR_GROUP, never_quiet
from simulator.algorithms.registration import Registration
from simulator.algorithms.rings.announcement import AnnouncingNode
from simulator.algorithms.rings.config import RingConfig, assumes_besides, delay_bound, stabilization_bound
from simulator.algorithms.rings.passing import BACK, ONWARD
from simulator.protocol import NodeId, message


@message
class From:
    """The candidate `value` asks `maxnum` nodes in this direction. This message has passed `num` of them."""

    value: NodeId
    num: int
    maxnum: int
    way: int = ONWARD
    number: int = 0


@message
class Ok:
    """The candidate `value` is the highest of the nodes that it asked in one direction."""

    value: NodeId
    maxnum: int
    way: int = ONWARD  # The direction of this message.
    number: int = 0


@message
class No:
    """The candidate `value` is not the highest of the nodes that it asked."""

    value: NodeId
    maxnum: int
    way: int = ONWARD
    number: int = 0


class HirschbergSinclair(AnnouncingNode):
    """One node."""

    directions: ClassVar = (ONWARD, BACK)
    rounds: ClassVar = 7  # More than the phases and the announcement take together, which is less than 6 rounds.
    competing = False  # The paper's status candidate; False is its status lost. A leader has won.
    maxnum = 1

    def view(self) -> Mapping[str, object]:
        return {**super().view(), "competing": self.competing, "nodes asked each way": self.maxnum}

    def _campaign(self) -> None:
        self._become_candidate()
        self.competing = True
        self._ask(1)

    def _ask(self, maxnum: int) -> None:
        """Begin a phase: ask this many nodes in each direction."""
        self.maxnum = maxnum
        self.agreed: set[int] = set()
        for way in self.directions:
            self._pass_on(From(self.host.me, 0, maxnum, way), origin=self.host.me, way=way)

    def _on_from(self, sender: NodeId, message: From) -> None:
        value, num, maxnum, way = message.value, message.num, message.maxnum, message.way
        if value == self.host.me:
            self._has_come_round(message)
        elif value < self.host.me:
            self._pass_on(No(value, maxnum, -way), origin=value, way=-way)
            if not self.taking_part:
                self._call_election()
        else:
            self._lose(value)
            if num + 1 < maxnum:
                self._pass_on(replace(message, num=num + 1), origin=value, way=way)
            else:
                self._pass_on(Ok(value, maxnum, -way), origin=value, way=-way)

    def _lose(self, value: NodeId) -> None:
        """Give up for a higher candidate, and wait for the outcome unless that candidate is the leader already."""
        self.competing = False
        if value != self.leader:
            self._take_part()

    def _has_come_round(self, message: From) -> None:
        """This node's own message has come round, so no node is higher.

        The message of another candidate ends here if that candidate has crashed.
        """
        if message.value != self.host.me:
            self._call_election()
        elif self.competing:
            self._win()

    def _know_outcome(self) -> None:
        self.competing = False
        super()._know_outcome()

    def _on_ok(self, sender: NodeId, message: Ok) -> None:
        if message.value != self.host.me:
            self._pass_on(message, origin=message.value, way=message.way)
        elif self.competing and message.maxnum == self.maxnum:
            self.agreed.add(message.way)
            if len(self.agreed) == len(self.directions):
                self._ask(2 * self.maxnum)

    def _on_no(self, sender: NodeId, message: No) -> None:
        if message.value != self.host.me:
            self._pass_on(message, origin=message.value, way=message.way)
        elif message.maxnum == self.maxnum:
            self.competing = False

    def _answer_ends(self, message: Ok | No) -> None:
        """The candidate has crashed.

        The nodes that it asked wait for an outcome, and hold another election in the end.
        """

    receive: ClassVar = {From: _on_from, Ok: _on_ok, No: _on_no, **AnnouncingNode.receive}
    ends: ClassVar = {From: _has_come_round, Ok: _answer_ends, No: _answer_ends, **AnnouncingNode.ends}


HIRSCHBERG_SINCLAIR = Registration(
    name="hirschberg-sinclair",
    algorithm=HirschbergSinclair,
    config=RingConfig,
    paper="Hirschberg and Sinclair 1980",
    cost="at most 8n(⌈log₂ n⌉ + 1) messages, and n to announce; less than 6n messages in a row",
    page="rings.md",
    groups=(MONITOR_GROUP,),
    quorum=False,
    assumes=assumes_besides,
    delay_bound=delay_bound,
    stabilization_bound=partial(stabilization_bound, rounds=HirschbergSinclair.rounds),
    never_quiet=never_quiet,
    bytes_per_pair=16,
)
