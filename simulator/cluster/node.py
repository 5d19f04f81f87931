"""A virtual node: the `Host` of one algorithm object at a time, with its timers, its disk and its incarnations.

A node handles one thing at a time. While it is paused, or blocked by a write to disk, what arrives waits in its
backlog in order of arrival. What it sends waits in its outbox behind the writes requested before.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from simulator.cluster.kernel import Kernel
from simulator.cluster.network import Network
from simulator.cluster.timers import Alarm, Timers
from simulator.protocol import ELECTORATE, Algorithm, Host, Message, Nanoseconds, NodeId, Role


class Observer(Protocol):
    """Who is told what a node declares."""

    def on_transition(self, node: NodeId, role: Role, term: int, leader: NodeId | None, group: str) -> None: ...

    def on_note(self, node: NodeId, kind: str, fields: Mapping[str, object]) -> None: ...


class Write:
    """A write on its way to disk: an entry in the queue, due when it is there."""

    __slots__ = ("incarnation", "then", "values")

    def __init__(self, incarnation: int, then: str | None, values: Mapping[str, object]) -> None:
        self.incarnation = incarnation
        self.then = then
        self.values = values


class Node:
    """One node. `running` from start to crash; `ready` while it can handle what arrives at once."""

    def __init__(
        self,
        *,
        me: NodeId,
        peers: Sequence[NodeId],
        directory: Mapping[str, Sequence[NodeId]],
        build: Callable[[Host, Mapping[str, Any]], Algorithm],
        kernel: Kernel,
        network: Network,
        observer: Observer,
        source: random.Random,
        durable: Mapping[str, Any],
        write_times: Iterator[int] | None,
        blocking_disk: bool,
    ) -> None:
        self.me = me
        self.peers = peers
        self.directory = directory
        self.random = source
        self.durable = dict(durable)  # What is on disk.
        self.incarnation = 0
        self.algorithm: Algorithm | None = None
        self.paused = False
        self.ready = False
        self._build = build
        self._kernel = kernel
        self._observer = observer
        self._timers = Timers(kernel, self._on_due)
        self._port = network.attach(me, self._on_delivery)
        self._transmit = network.transmit
        self._write_times = write_times  # None: writing takes no time.
        self._blocking_disk = blocking_disk
        self._disk_free_at = 0
        self._outbox: deque[Write | tuple[NodeId, Message]] = deque()  # Begins with a write, or is empty.
        self._written: list[Write] = []  # Writes that the node was blocked by when it was paused, now on disk.
        self._backlog: deque[tuple[Any, Any]] = deque()  # A sender and its message; an alarm and its deadline; a write.
        # The host's timer verbs are those of its timers: no second call on the hot path.
        self.set_timer = self._timers.set
        self.cancel_timer = self._timers.cancel

    @property
    def running(self) -> bool:
        return self.algorithm is not None

    @property
    def awake(self) -> bool:
        return self.algorithm is not None and not self.paused

    # --- What happens to the node

    def start(self) -> None:
        """Build the algorithm anew from what is on disk."""
        assert self.algorithm is None
        self.ready = True
        self.algorithm = self._build(self, MappingProxyType(dict(self.durable)))
        self.algorithm.on_start()

    def crash(self) -> None:
        """Lose everything but the disk; a write that has not reached it is lost, too."""
        self.incarnation += 1
        self.algorithm = None
        self.paused = False
        self.ready = False
        self._timers.clear()
        self._outbox.clear()
        self._written.clear()
        self._backlog.clear()
        self._disk_free_at = 0

    def pause(self) -> None:
        self.paused = True
        self.ready = False

    def resume(self) -> None:
        """Handle at this instant all that came due, in the order of its instants."""
        self.paused = False
        self._get_ready()
        written, self._written = self._written, []
        for write in written:
            self._complete(write)
        self._catch_up()

    # --- What the algorithm asks for (`Host`)

    def now(self) -> Nanoseconds:
        return int(self._kernel._now)

    def send(self, to: NodeId, message: Message, *, ordered: bool = True) -> None:
        if self._outbox and ordered:
            self._outbox.append((to, message))
        else:
            self._transmit(self._port, to, message)

    def save(self, then: str | None = None, **durable: object) -> None:
        hash(tuple(durable.values()))  # A value that could change after the write would not be the one on disk.
        now = int(self._kernel._now)
        if self._write_times is None:
            self.durable.update(durable)
            if then is not None:
                self._schedule(Write(self.incarnation, then, {}), now)
            return
        self._disk_free_at = max(now, self._disk_free_at) + next(self._write_times)
        write = Write(self.incarnation, then, durable)
        self._schedule(write, self._disk_free_at)
        self._outbox.append(write)
        self._get_ready()

    def transition(self, role: Role, term: int, leader: NodeId | None, group: str = ELECTORATE) -> None:
        self._observer.on_transition(self.me, role, term, leader, group)

    def note(self, kind: str, **fields: object) -> None:
        self._observer.on_note(self.me, kind, fields)

    # --- What comes due

    def _on_delivery(self, sender: NodeId, message: Message) -> None:
        if self.algorithm is None:
            return
        if self.ready:
            self.algorithm.on_message(sender, message)
        else:
            self._backlog.append((sender, message))

    def _on_due(self, alarm: Alarm) -> None:
        assert alarm.deadline is not None and self.algorithm is not None
        if self.ready:
            self._timers.take(alarm, alarm.deadline)
            self.algorithm.on_timer(alarm.name)
        else:
            self._backlog.append((alarm, alarm.deadline))

    def _on_written(self, write: Write, _: None) -> None:
        if write.incarnation != self.incarnation:
            return
        self.durable.update(write.values)
        if self.paused and self._blocking_disk:
            self._written.append(write)
        elif self.paused:
            self._backlog.append((write, None))
        else:
            self._complete(write)
            self._catch_up()

    def _complete(self, write: Write) -> None:
        """Let out what waited for this write, and tell the algorithm."""
        if self._outbox and self._outbox[0] is write:
            self._outbox.popleft()
            while self._outbox and not isinstance(waiting := self._outbox[0], Write):
                self._outbox.popleft()
                self._transmit(self._port, *waiting)
        self._get_ready()
        if write.then is not None and self.algorithm is not None:
            self.algorithm.on_saved(write.then)

    def _catch_up(self) -> None:
        while self.ready and self._backlog:
            one, other = self._backlog.popleft()
            assert self.algorithm is not None
            if isinstance(one, Write):
                self._complete(one)
            elif not isinstance(one, Alarm):
                self.algorithm.on_message(one, other)
            elif self._timers.take(one, other):
                self.algorithm.on_timer(one.name)

    def _get_ready(self) -> None:
        self.ready = self.awake and not (self._blocking_disk and self._outbox)

    def _schedule(self, write: Write, at_ns: int) -> None:
        self._kernel.push(at_ns, self._on_written, write)
