"""The bench: nodes, and the messages between them. Nothing happens unless a test asks for it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from simulator.algorithms.registration import Registration
from simulator.protocol import Algorithm, Host, Message, Nanoseconds, NodeId, describe
from simulator.testing.errors import InteractionError
from simulator.testing.node import BenchNode, Note, Transition

SETTLE_LIMIT = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Envelope:
    """A message that has left its sender. Envelopes with equal contents are not equal."""

    sender: NodeId
    to: NodeId
    message: Message
    text: str  # The text of the message at the time of sending. It shows whether the message was changed later.

    def __str__(self) -> str:
        return f"{self.sender}->{self.to} {self.text}"


class InteractionBench:
    """A cluster driven by hand. All nodes are started; after that, nothing happens unless a test asks for it.

    `nodes` is the size of the primary group; the nodes of other groups are numbered after it. `config` is by default
    the default options. `logs` gives the length of each node's log in id order, and `durable` the other values on each
    node's disk at the start. The same seed gives the same random numbers. Raises InteractionError for a number of nodes
    below 1, and for logs that do not fit.

    A message stays in `in_flight` until it is delivered or dropped. A message that is delivered to a node that is down
    is lost. `sent`, `transitions` and `notes` hold everything that has happened, in order. A message is in `sent` once
    it has left its sender, not while it waits for a write.
    """

    def __init__(
        self,
        registration: Registration,
        nodes: int,
        *,
        config: Any = None,
        logs: Sequence[int] | None = None,
        durable: Mapping[NodeId, Mapping[str, object]] | None = None,
        seed: int = 0,
    ) -> None:
        if nodes < 1:
            raise InteractionError(f"a cluster needs at least 1 node, not {nodes}")
        self.registration = registration
        self.config = registration.config() if config is None else config
        self.in_flight: list[Envelope] = []
        self.sent: list[Envelope] = []
        self.transitions: list[Transition] = []
        self.notes: list[Note] = []
        self._now_ns: Nanoseconds = 0
        self._numbers = count()
        self.groups: Mapping[str, Sequence[NodeId]] = registration.members(nodes, self.config)
        disks = {**(durable or {}), **self._disks(range(1, nodes + 1), logs, durable or {})}
        self.nodes: Mapping[NodeId, BenchNode] = {
            me: BenchNode(
                me,
                self.groups,
                tuple(peer for peer in members if peer != me),
                partial(self._build, registration.class_of(group)),
                random.Random(f"{seed}: node {me}"),
                disks.get(me, {}),
                self,
            )
            for group, members in self.groups.items()
            for me in members
        }
        for node in self.nodes.values():
            node.start()

    def _build(self, algorithm: type[Algorithm], host: Host, durable: Mapping[str, Any]) -> Algorithm:
        return algorithm(host, self.config, durable)

    def _disks(
        self, members: Sequence[NodeId], logs: Sequence[int] | None, durable: Mapping[NodeId, Mapping[str, object]]
    ) -> Mapping[NodeId, Mapping[str, object]]:
        log_of = self.registration.durable_log
        if logs is None:
            return {me: durable.get(me, {}) for me in members}
        if log_of is None:
            raise InteractionError(f"{self.registration.name} keeps no log")
        if len(logs) != len(members):
            raise InteractionError(f"{len(logs)} logs for {len(members)} nodes")
        return {me: {**log_of(length), **durable.get(me, {})} for me, length in zip(members, logs, strict=True)}

    # --- The environment of a node (`Environment`)

    def now(self) -> Nanoseconds:
        """The time on the bench, in nanoseconds."""
        return self._now_ns

    def next_number(self) -> int:
        return next(self._numbers)

    def send_segment(self, sender: NodeId, to: NodeId, message: Message) -> None:
        self.sent.append(self.inject(sender, to, message))

    def on_transition(self, transition: Transition) -> None:
        self.transitions.append(transition)

    def on_note(self, note: Note) -> None:
        self.notes.append(note)

    # --- The network

    def inject(self, sender: NodeId, to: NodeId, message: Message) -> Envelope:
        """Put a message in flight, even if `sender` has not sent it: a stale or a forged one."""
        self.node(sender)
        self.node(to)
        envelope = Envelope(sender, to, message, describe(message))
        self.in_flight.append(envelope)
        return envelope

    def deliver(self, envelope: Envelope) -> None:
        """Deliver a message in flight. Raises InteractionError if it is not in flight, or was changed after sending."""
        self.drop(envelope)
        if describe(envelope.message) != envelope.text:
            raise InteractionError(f"{envelope} was changed after it was sent: {describe(envelope.message)}")
        node = self.node(envelope.to)
        if node.running:
            node.receive(envelope.sender, envelope.message)

    def drop(self, envelope: Envelope) -> None:
        """Lose a message in flight. Raises InteractionError if it is not in flight."""
        if envelope not in self.in_flight:
            raise InteractionError(f"{envelope} is not in flight")
        self.in_flight.remove(envelope)

    def duplicate(self, envelope: Envelope) -> Envelope:
        """Put a copy of a message in flight, behind all others. Raises InteractionError if it is not in flight."""
        if envelope not in self.in_flight:
            raise InteractionError(f"{envelope} is not in flight")
        return self.inject(envelope.sender, envelope.to, envelope.message)

    def settle(self, limit: int = SETTLE_LIMIT) -> None:
        """Deliver messages in the order in which they were sent, until none is in flight.

        Raises InteractionError if that takes more than `limit` deliveries.
        """
        for _ in range(limit):
            if not self.in_flight:
                return
            self.deliver(self.in_flight[0])
        if self.in_flight:
            raise InteractionError(f"not settled after {limit} deliveries")

    # --- The nodes

    def node(self, me: NodeId) -> BenchNode:
        """The node of that id. Raises InteractionError if there is none."""
        if me not in self.nodes:
            raise InteractionError(f"there is no node {me}; the cluster has {len(self.nodes)}")
        return self.nodes[me]

    def advance(self, delay: Nanoseconds, limit: int = SETTLE_LIMIT) -> None:
        """Move the clock forward, and fire the timers that come due, in order. Messages and disks do not move.

        Raises InteractionError if more than `limit` timers come due, or `delay` is negative.
        """
        if delay < 0:
            raise InteractionError(f"the clock cannot go back by {-delay} ns")
        end_ns = self._now_ns + delay
        for _ in range(limit):
            due = self._next_due()
            if due is None or due[0] > end_ns:
                self._now_ns = end_ns
                return
            self._now_ns, _, node, name = due
            self.node(node).fire(name)
        raise InteractionError(f"more than {limit} timers came due")

    def fire_next(self) -> bool:
        """Move the clock forward to the next deadline and fire that timer. Returns False if no timer is set."""
        due = self._next_due()
        if due is not None:
            self._now_ns, _, node, name = due
            self.node(node).fire(name)
        return due is not None

    def _next_due(self) -> tuple[Nanoseconds, int, NodeId, str] | None:
        return min(
            (
                (timer.deadline_ns, timer.number, node.me, name)
                for node in self.nodes.values()
                for name, timer in node.timers.items()
            ),
            default=None,
        )
