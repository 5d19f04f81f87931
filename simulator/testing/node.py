"""One node on the bench: the `Host` of one algorithm object at a time, with its timers, disk and incarnations.

Nothing happens unless a test asks for it: time moves, timers fire and slow disks write only on request.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from simulator.protocol import ELECTORATE, Algorithm, Host, Message, Nanoseconds, NodeId, OldHostNames, Role
from simulator.testing.errors import InteractionError


@dataclass(frozen=True, slots=True)
class Transition:
    """The role, term and leader that a node has declared."""

    node: NodeId
    incarnation: int
    role: Role
    term: int
    leader: NodeId | None
    group: str


@dataclass(frozen=True, slots=True)
class Note:
    """An event that a node has written to the trace."""

    node: NodeId
    kind: str
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Timer:
    """A pending timer."""

    deadline_ns: Nanoseconds
    number: int  # Timers due at the same instant fire in the order of their numbers: as they were set.


@dataclass(frozen=True, slots=True)
class Write:
    """A write that is not on disk yet."""

    then: str | None
    values: Mapping[str, object]


class Environment(Protocol):
    """What a node uses of its bench: the network, the clock, and the record of what it declares."""

    def now(self) -> Nanoseconds:
        """The time on the bench, in nanoseconds."""
        ...

    def next_number(self) -> int:
        """The next number of a timer: timers due at the same instant fire in this order."""
        ...

    def send_segment(self, sender: NodeId, to: NodeId, message: Message) -> None:
        """Put a message on its way."""
        ...

    def on_transition(self, transition: Transition) -> None:
        """Record what a node has declared."""
        ...

    def on_note(self, note: Note) -> None:
        """Record what a node has written to the trace."""
        ...


class BenchNode(OldHostNames):
    """A node that is driven by hand."""

    def __init__(
        self,
        me: NodeId,
        groups: Mapping[str, Sequence[NodeId]],
        peers: Sequence[NodeId],
        build: Callable[[Host, Mapping[str, Any]], Algorithm],
        source: random.Random,
        durable: Mapping[str, Any],
        environment: Environment,
    ) -> None:
        self.me = me
        self.groups = groups
        self.peers = peers
        self.random = source
        self.durable: dict[str, Any] = dict(durable)  # The saved values that are on disk.
        self.incarnation = 0
        self.algorithm: Algorithm | None = None  # None while the node is down.
        self.declared: Transition | None = None  # The last transition of this incarnation.
        self.timers: dict[str, Timer] = {}
        self.disk_is_slow = False
        self._build = build
        self._environment = environment
        self._outbox: deque[Write | tuple[NodeId, Message]] = deque()  # Begins with a write, or is empty.
        self._saved: deque[str] = deque()  # Names of finished writes for which `on_saved` has not been called yet.

    @property
    def running(self) -> bool:
        """Whether the node is up."""
        return self.algorithm is not None

    @property
    def writes(self) -> Sequence[Write]:
        """The writes that are not on disk yet, in order."""
        return [waiting for waiting in self._outbox if isinstance(waiting, Write)]

    @property
    def held(self) -> Sequence[tuple[NodeId, Message]]:
        """The messages that wait for those writes, each with its receiver, in order."""
        return [waiting for waiting in self._outbox if not isinstance(waiting, Write)]

    # --- The host of the algorithm (`Host`)

    def now(self) -> Nanoseconds:
        return self._environment.now()

    def monotonic(self) -> Nanoseconds:
        return self._environment.now()

    def send(self, to: NodeId, message: Message, *, ordered: bool = True) -> None:
        if self._outbox and ordered:
            self._outbox.append((to, message))
        else:
            self._environment.send_segment(self.me, to, message)

    def set_timer(self, name: str, delay: Nanoseconds) -> None:
        if type(delay) is not int or delay < 0:
            raise InteractionError(f"timer {name!r} of node {self.me}: {delay!r} is not a whole number of nanoseconds")
        self.timers[name] = Timer(self.now() + delay, self._environment.next_number())

    def cancel_timer(self, name: str) -> None:
        self.timers.pop(name, None)

    def save(self, then: str | None = None, **durable: object) -> None:
        for name, value in durable.items():
            _refuse_mutable(name, value)
        if self.disk_is_slow or self._outbox:
            self._outbox.append(Write(then, durable))
        else:
            self.durable.update(durable)
            self._has_saved(then)

    def transition(self, role: Role, term: int, leader: NodeId | None, group: str = ELECTORATE) -> None:
        self.declared = Transition(self.me, self.incarnation, role, term, leader, group)
        self._environment.on_transition(self.declared)

    def answer(self, client: NodeId, reply: Message) -> None:
        self._environment.send_segment(self.me, client, reply)

    def note(self, kind: str, **fields: object) -> None:
        self._environment.on_note(Note(self.me, kind, fields))

    # --- What a test does to the node

    def start(self) -> None:
        """Start the node: build a new algorithm object from what is on disk.

        Raises InteractionError if it runs already.
        """
        if self.running:
            raise InteractionError(f"node {self.me} is running already")
        self.algorithm = self._build(self, MappingProxyType(dict(self.durable)))
        self._step(self.algorithm.on_start)

    def crash(self) -> None:
        """Crash the node. Everything but the disk is lost, and so are the writes that are not on disk yet."""
        self._running()
        self.incarnation += 1
        self.algorithm = None
        self.declared = None
        self.timers.clear()
        self._outbox.clear()
        self._saved.clear()

    def request(self, client: NodeId, request: Message) -> None:
        """Let a client's request arrive."""
        self._step(self._running().on_request, client, request)

    def receive(self, sender: NodeId, message: Message) -> None:
        """Let a message arrive."""
        self._step(self._running().on_message, sender, message)

    def fire(self, timer: str) -> None:
        """Fire a pending timer now, before its deadline. Raises InteractionError if there is none with this name."""
        algorithm = self._running()
        if timer not in self.timers:
            raise InteractionError(
                f"node {self.me} has no timer {timer!r}; set are: {', '.join(self.timers) or 'none'}"
            )
        del self.timers[timer]
        self._step(algorithm.on_timer, timer)

    def connect(self, peer: NodeId) -> None:
        """Tell the node that a connection is open. Messages can be delivered with and without a connection."""
        self._step(self._running().on_connect, peer)

    def disconnect(self, peer: NodeId, reason: str) -> None:
        """Tell the node that a connection is closed."""
        self._step(self._running().on_disconnect, peer, reason)

    def command(self, command: Message) -> None:
        """Give the node a command of an operator or a client."""
        self._step(self._running().on_command, command)

    def sync(self, writes: int | None = None) -> None:
        """Finish the first `writes` of the waiting writes (None: all), and send the messages that waited for them.

        Raises InteractionError if fewer writes are waiting.
        """
        self._running()
        waiting = len(self.writes)
        count = waiting if writes is None else writes
        if not 0 < count <= waiting:
            raise InteractionError(f"node {self.me} waits for {waiting} writes, not for {writes or 'any'}")
        for _ in range(count):
            self._finish_first_write()

    def set_disk(self, *, slow: bool) -> None:
        """Make the disk slow, so that it finishes writes only on `sync`; or fast, which finishes all waiting writes."""
        self.disk_is_slow = slow
        while not slow and self._outbox:
            self._finish_first_write()

    # --- Inside

    def _running(self) -> Algorithm:
        if self.algorithm is None:
            raise InteractionError(f"node {self.me} is down")
        return self.algorithm

    def _step(self, handler: Callable[..., None], *arguments: object) -> None:
        """Handle one input. Writes that finish during this step are reported after it, never in the middle."""
        handler(*arguments)
        self._report_saved()

    def _report_saved(self) -> None:
        algorithm = self._running()
        while self._saved:
            algorithm.on_saved(self._saved.popleft())

    def _has_saved(self, then: str | None) -> None:
        if then is not None:
            self._saved.append(then)

    def _finish_first_write(self) -> None:
        write = self._outbox.popleft()
        assert isinstance(write, Write)
        self.durable.update(write.values)
        while self._outbox and not isinstance(waiting := self._outbox[0], Write):
            self._outbox.popleft()
            self._environment.send_segment(self.me, *waiting)
        self._has_saved(write.then)
        self._report_saved()


def _refuse_mutable(name: str, value: object) -> None:
    """Raises InteractionError for a mutable value: it could differ from the one on disk after a change."""
    try:
        hash(value)
    except TypeError:
        raise InteractionError(f"save({name}={value!r}): a saved value must be immutable") from None
