"""A virtual node: the `Host` of one algorithm object at a time, with its timers, clocks, disk and incarnations.

A node handles one input at a time. While it is paused, blocked by a write to disk, or busy with a message, inputs wait
in its backlog in order of arrival. Messages that it sends wait in its outbox behind the writes requested before them.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from types import MappingProxyType
from typing import Any

from simulator.cluster.kernel import Kernel
from simulator.cluster.network.network import Network
from simulator.cluster.node.clock import Clock, Skew, true_delay
from simulator.cluster.node.delays import SumOfDelays
from simulator.cluster.node.disk import Disk, Write
from simulator.cluster.node.observer import Observer
from simulator.cluster.node.timers import TimerEntry, Timers
from simulator.protocol import ELECTORATE, Algorithm, Host, Message, Nanoseconds, NodeId, OldHostNames, Role


class Node(OldHostNames):
    """One node. It is `running` from start to crash, and `ready` while it handles each input at once, in no time."""

    def __init__(
        self,
        *,
        me: NodeId,
        peers: Sequence[NodeId],
        groups: Mapping[str, Sequence[NodeId]],
        build: Callable[[Host, Mapping[str, Any]], Algorithm],
        kernel: Kernel,
        network: Network,
        observer: Observer,
        source: random.Random,
        durable: Mapping[str, Any],
        write_times: Iterator[int] | None,
        blocking_disk: bool,
        service_times: Iterator[int] | None,
    ) -> None:
        self.me = me
        self.peers = peers
        self.groups = groups
        self.random = source
        self.durable = dict(durable)  # The saved values that are on disk.
        self.incarnation = 0
        self.disruptions = 0  # How often the node has died or was paused.
        self.algorithm: Algorithm | None = None
        self.paused = False
        self.ready = False
        self.clock = Clock()
        self.disk = Disk(kernel, write_times, self._on_written)
        self._build = build
        self._kernel = kernel
        self._observer = observer
        self._timers = Timers(kernel, self._on_due)
        self._network = network
        self._interface = network.attach(me, self)
        self._send_message = network.send_message
        self._blocking_disk = blocking_disk
        self._service_times = SumOfDelays(service_times)  # The time that the node needs to handle a message.
        self._serving = False
        self._outbox: deque[Write | tuple[NodeId, Message]] = deque()  # Begins with a write, or is empty.
        self._written: list[Write] = []  # Writes that blocked the node when it was paused and that are on disk now.
        self._backlog: deque[tuple[Callable[[Any, Any], None], Any, Any]] = deque()  # The handler, and its arguments.
        # `set_timer` and `cancel_timer` of the host are the methods of its timers, unless the clock drifts. This saves
        # a second call on the hot path.
        self.set_timer = self._timers.set
        self.cancel_timer = self._timers.cancel

    @property
    def timers(self) -> tuple[str, ...]:
        """The names of the pending timers, sorted."""
        return self._timers.pending

    @property
    def running(self) -> bool:
        """Whether the process is up."""
        return self.algorithm is not None

    @property
    def awake(self) -> bool:
        """Whether the process is up and not paused."""
        return self.algorithm is not None and not self.paused

    # --- What happens to the node

    def start(self) -> None:
        """Build the algorithm anew from what is on disk."""
        assert self.algorithm is None
        self.algorithm = self._build(self, MappingProxyType(dict(self.durable)))
        self._update()
        self._network.process_started(self._interface, self.peers)
        self.algorithm.on_start()

    def crash(self) -> None:
        """The host goes silent. Everything is lost but the disk. A write that has not reached the disk is lost, too."""
        self._die()
        self.disk.forget()
        self._network.host_died(self._interface)

    def kill(self) -> None:
        """The process dies, and loses what a crash loses. Its host closes its connections."""
        self._die()
        self._network.process_died(self._interface)

    def pause(self) -> None:
        """Stop handling inputs; they wait until `resume` is called."""
        self.disruptions += 1
        self.paused = True
        self._update()

    def resume(self) -> None:
        """Handle at this instant everything that came due during the pause, in the order of its instants."""
        self.paused = False
        self._update()
        written, self._written = self._written, []
        for write in written:
            self._complete(write)
        self._catch_up()

    def add_service_times(self, service_times: Iterator[int]) -> None:
        """Add a duration to the handling of each message, until `remove_service_times` gets the same iterator."""
        self._service_times.add(service_times)
        self._update()

    def remove_service_times(self, service_times: Iterator[int]) -> None:
        """End what `add_service_times` has added."""
        self._service_times.remove(service_times)
        self._update()

    def add_skew(self, skew: Skew) -> None:
        """Let the clocks run wrong, until `remove_skew` is called with the same skew."""
        self._change_clock(self.clock.add, skew)

    def remove_skew(self, skew: Skew) -> None:
        """End what `add_skew` has added."""
        self._change_clock(self.clock.remove, skew)

    # --- What the algorithm asks for (`Host`)

    def now(self) -> Nanoseconds:
        return self.clock.wall(self._kernel._now)

    def monotonic(self) -> Nanoseconds:
        return self.clock.monotonic(self._kernel._now)

    def send(self, to: NodeId, message: Message, *, ordered: bool = True) -> None:
        if self._outbox and ordered:
            self._outbox.append((to, message))
        else:
            self._send_message(self._interface, to, message)

    def save(self, then: str | None = None, **durable: object) -> None:
        hash(tuple(durable.values()))  # The value on disk must not change later.
        if self.disk.instant:
            self.durable.update(durable)
            if then is not None:
                self._kernel.push(self._kernel._now, self._on_written, Write(self.incarnation, then, {}))
            return
        write = Write(self.incarnation, then, durable)
        self.disk.write(write)
        self._outbox.append(write)
        self._update()

    def transition(self, role: Role, term: int, leader: NodeId | None, group: str = ELECTORATE) -> None:
        self._observer.on_transition(self.me, role, term, leader, group)

    def note(self, kind: str, **fields: object) -> None:
        self._observer.on_note(self.me, kind, fields)

    def answer(self, client: NodeId, reply: Message) -> None:
        raise AssertionError("only a `ServingNode` has clients")

    def _change_clock(self, change: Callable[[Skew, Nanoseconds], None], skew: Skew) -> None:
        """Change the clocks, and move pending timers to when the monotonic clock will show their deadlines."""
        before = copy(self.clock)
        change(skew, self._kernel._now)
        if self.clock.drift_ppb != before.drift_ppb:
            self._timers.move_deadlines(lambda deadline: self.clock.reaches(before.monotonic(deadline)))
            self.set_timer = self._set_drifting_timer if self.clock.drift_ppb else self._timers.set

    def _set_drifting_timer(self, name: str, delay: Nanoseconds) -> None:
        self._timers.set(name, true_delay(delay, self.clock.drift_ppb))

    def command(self, command: Message) -> None:
        """Give the algorithm a command of an operator or a client, now or when it can handle inputs again."""
        self._receive(self._do, lambda algorithm: algorithm.on_command(command))

    # --- What the network brings (`Endpoint`)

    def on_delivery(self, sender: NodeId, message: Message) -> None:
        if self.ready:
            self.algorithm.on_message(sender, message)  # type: ignore[union-attr] # A node that is ready is running.
        else:
            self._receive(self._serve, sender, message)

    def on_connected(self, peer: NodeId) -> None:
        self._receive(self._do, lambda algorithm: algorithm.on_connect(peer))

    def on_disconnected(self, peer: NodeId, reason: str) -> None:
        self._receive(self._do, lambda algorithm: algorithm.on_disconnect(peer, reason))

    def _do(self, action: Callable[[Algorithm], None], _: None) -> None:
        assert self.algorithm is not None
        action(self.algorithm)

    # --- What comes due

    def _on_due(self, entry: TimerEntry) -> None:
        assert entry.deadline_ns is not None
        if self.ready:
            self._fire(entry, entry.deadline_ns)
        else:
            self._receive(self._fire, entry, entry.deadline_ns)

    def _fire(self, entry: TimerEntry, deadline_ns: Nanoseconds) -> None:
        assert self.algorithm is not None
        if self._timers.use_up(entry, deadline_ns):
            self.algorithm.on_timer(entry.name)

    def _on_written(self, write: Write, _: None = None) -> None:
        if write.incarnation != self.incarnation:
            return
        self.durable.update(write.values)
        if self.paused and self._blocking_disk:
            self._written.append(write)
        elif self.paused or self._serving:
            self._receive(self._complete, write)
        else:
            self._complete(write)
            self._catch_up()

    def _complete(self, write: Write, _: None = None) -> None:
        """Let out what waited for this write, and tell the algorithm."""
        if self._outbox and self._outbox[0] is write:
            self._outbox.popleft()
            while self._outbox and not isinstance(waiting := self._outbox[0], Write):
                self._outbox.popleft()
                self._send_message(self._interface, *waiting)
        self._update()
        if write.then is not None and self.algorithm is not None:
            self.algorithm.on_saved(write.then)

    def _serve(self, sender: NodeId, message: Message) -> None:
        """Handle a message, after the time that it takes. Meanwhile everything else waits."""
        if self._service_times.none:
            self._handle(sender, message)
        else:
            self._serving = True
            served_at = self._kernel._now + self._service_times.draw()
            self._kernel.push(served_at, self._served, self.incarnation, (sender, message))

    def _served(self, incarnation: int, served: tuple[NodeId, Message]) -> None:
        if incarnation == self.incarnation:
            self._serving = False
            self._update()  # The end of the handling may have been moved forward meanwhile.
            # If the node is paused, the input is handled when it resumes.
            self._backlog.appendleft((self._handle, *served))
            self._catch_up()

    def _handle(self, sender: NodeId, message: Message) -> None:
        assert self.algorithm is not None
        self.algorithm.on_message(sender, message)

    # --- Inside

    def _receive(self, handle: Callable[[Any, Any], None], one: Any, other: Any = None) -> None:
        """Handle an input that has come due: now, or after the inputs that came before it."""
        if self.algorithm is not None:
            self._backlog.append((handle, one, other))
            self._catch_up()

    def _catch_up(self) -> None:
        while self._backlog and self._able:
            handle, one, other = self._backlog.popleft()
            handle(one, other)

    @property
    def _able(self) -> bool:
        return self.awake and not self._serving and not (self._blocking_disk and self._outbox)

    def _update(self) -> None:
        self.ready = self._able and self._service_times.none

    def _die(self) -> None:
        self.incarnation += 1
        self.disruptions += 1
        self.algorithm = None
        self.paused = False
        self._serving = False
        self._timers.clear()
        self._outbox.clear()
        self._written.clear()
        self._backlog.clear()
        self._update()
