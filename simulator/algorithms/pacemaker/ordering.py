"""The messages of one ring that one member has: in which order they are delivered, and which are missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from simulator.algorithms.pacemaker.messages import Multicast, RingId


@dataclass(slots=True)
class Received:
    """The messages of a ring, numbered from 1. They are delivered in the order of their numbers, without a gap."""

    by_number: dict[int, Multicast] = field(default_factory=dict)
    all_up_to: int = 0
    highest: int = 0
    delivered: int = 0
    misses: dict[int, int] = field(default_factory=dict)  # How often this member has looked for each missing message.

    def add(self, message: Multicast) -> None:
        """Add a message. A repeated message changes nothing."""
        if message.number <= self.delivered or message.number in self.by_number:
            return
        self.by_number[message.number] = message
        self.misses.pop(message.number, None)
        self.highest = max(self.highest, message.number)
        while self.all_up_to + 1 in self.by_number:
            self.all_up_to += 1

    def deliver(self) -> Iterator[Multicast]:
        """Yield the next messages in order, each once."""
        while self.delivered < self.all_up_to:
            self.delivered += 1
            yield self.by_number[self.delivered]

    def forget(self, up_to: int) -> None:
        """Drop messages that all members have."""
        for number in [number for number in self.by_number if number <= min(up_to, self.delivered)]:
            del self.by_number[number]

    def missing(self, up_to: int, most_misses: int) -> list[int]:
        """The missing messages to ask for. A message counts as missing after `most_misses` looks: it may be late."""
        wanted = []
        for number in range(self.all_up_to + 1, up_to + 1):
            if number not in self.by_number:
                self.misses[number] = self.misses.get(number, 0) + 1
                if self.misses[number] >= most_misses:
                    wanted.append(number)
        return wanted


@dataclass(slots=True)
class OldRing:
    """The ring that a node comes from. While a new ring forms, members exchange its messages."""

    ring: RingId
    received: Received

    def after(self, number: int) -> list[Multicast]:
        """The messages that a member may lack if it has all messages up to this number."""
        return [message for own, message in sorted(self.received.by_number.items()) if own > number]

    def rest(self, exchanged: Iterable[Multicast]) -> list[Multicast]:
        """The messages still to be delivered, with those of others: in order, and last those after a gap."""
        for message in exchanged:
            if message.old_ring == self.ring:
                self.received.add(Multicast(self.ring, message.old_number, message.origin, message.content))
        return [*self.received.deliver(), *self.after(self.received.delivered)]
