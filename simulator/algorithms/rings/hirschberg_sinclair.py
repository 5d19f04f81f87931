"""Hirschberg and Sinclair: candidates ask ever wider neighbourhoods, in both directions, and O(n log n) messages do.

D. S. Hirschberg and J. B. Sinclair, Decentralized Extrema-Finding in Circular Configurations of Processors,
Communications of the ACM 23 (11), 1980. In its phase k a candidate sends a message 2^k nodes far, each way. Whoever is
higher refuses it, and whoever is lower gives up and passes it on; the last one says that it is fine. With both answers
fine, the candidate doubles the distance; one whose message comes home has won. The messages are the paper's: From, Ok
and No. Assumes that no message is lost, and that nobody crashes; that is for the maintenance of the ring (`node.py`).
The paper's messages find their way by where they come from; since nodes may be passed by here, they say which way.

Cost, with n nodes that all start at once: at most 8n(⌈log₂ n⌉ + 1) messages, and n to announce. Time: less than 6n
messages in a row, once the highest stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar

from simulator.algorithms.detectors import MONITOR_GROUP
from simulator.algorithms.registration import Registration
from simulator.algorithms.rings.announcement import AnnouncingNode
from simulator.algorithms.rings.config import RingConfig, assumes_besides, delay_bound, stabilization_bound
from simulator.algorithms.rings.node import BACK, ONWARD
from simulator.protocol import NodeId, message


@message
class From:
    """The candidate asks `maxnum` nodes; this message has passed `num` of them."""

    value: NodeId
    num: int
    maxnum: int
    way: int = ONWARD
    number: int = 0


@message
class Ok:
    """The candidate is the highest of the nodes that it asked, that way."""

    value: NodeId
    maxnum: int
    way: int = ONWARD  # Which way this message goes.
    number: int = 0


@message
class No:
    """The candidate is not."""

    value: NodeId
    maxnum: int
    way: int = ONWARD
    number: int = 0


class HirschbergSinclair(AnnouncingNode):
    """One node."""

    ways: ClassVar = (ONWARD, BACK)
    rounds: ClassVar = 7  # Its phases and announcement take less than 6, and messages half of what is allowed for them.
    standing = False  # The paper's status: candidate, or lost. It has won if it leads.
    maxnum = 1

    def view(self) -> Mapping[str, object]:
        return {**super().view(), "candidate": self.standing, "nodes asked each way": self.maxnum}

    def _stand(self) -> None:
        self._become_candidate()
        self.standing = True
        self._ask(1)

    def _ask(self, maxnum: int) -> None:
        """A phase: so many nodes each way."""
        self.maxnum = maxnum
        self.agreed: set[int] = set()
        for way in self.ways:
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
        """To a stronger candidate. If it is the leader, there is nothing to wait for."""
        self.standing = False
        if value != self.leader:
            self._take_part()

    def _has_come_round(self, message: From) -> None:
        """Ours went all the way round: nobody is higher. Another's ends here if its candidate has died."""
        if message.value != self.host.me:
            self._call_election()
        elif self.standing:
            self._win()

    def _know_outcome(self) -> None:
        self.standing = False
        super()._know_outcome()

    def _on_ok(self, sender: NodeId, message: Ok) -> None:
        if message.value != self.host.me:
            self._pass_on(message, origin=message.value, way=message.way)
        elif self.standing and message.maxnum == self.maxnum:
            self.agreed.add(message.way)
            if len(self.agreed) == len(self.ways):
                self._ask(2 * self.maxnum)

    def _on_no(self, sender: NodeId, message: No) -> None:
        if message.value != self.host.me:
            self._pass_on(message, origin=message.value, way=message.way)
        elif message.maxnum == self.maxnum:
            self.standing = False

    def _answer_ends(self, message: Ok | No) -> None:
        """Who asked has died. Whoever it has asked waits for an outcome."""

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
    bytes_per_pair=16,
)
