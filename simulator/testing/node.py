"""One node on the bench: the `Host` of one algorithm object at a time, with its timers, disk and incarnations.

Nothing happens on it of its own accord. Time stands still unless moved, and a slow disk writes when it is told to.
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
    """What a node has declared of itself."""

    node: NodeId
    incarnation: int
    role: Role
    term: int
    leader: NodeId | None
    group: str


@dataclass(frozen=True, slots=True)
class Note:
    """What a node has written to the trace."""

    node: NodeId
    kind: str
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer that is set."""

    deadline_ns: Nanoseconds
    number: int  # Of two timers due at one instant, the one that was set first comes first.


@dataclass(frozen=True, slots=True)
class Write:
    """A write that is not on disk yet."""

    then: str | None
    values: Mapping[str, object]


class Surroundings(Protocol):
    """What is around a node: the network, the clock, and who listens to what it declares."""

    def now(self) -> Nanoseconds: ...

    def next_number(self) -> int: ...

    def send_segment(self, sender: NodeId, to: NodeId, message: Message) -> None: ...

    def on_transition(self, transition: Transition) -> None: ...

    def on_note(self, note: Note) -> None: ...


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
        surroundings: Surroundings,
    ) -> None:
        self.me = me
        self.groups = groups
        self.peers = peers
        self.random = source
        self.durable: dict[str, Any] = dict(durable)  # What is on disk.
        self.incarnation = 0
        self.algorithm: Algorithm | None = None  # None: the node is down.
        self.declared: Transition | None = None  # The last transition of this incarnation.
        self.timers: dict[str, Timer] = {}
        self.disk_is_slow = False
        self._build = build
        self._surroundings = surroundings
        self._outbox: deque[Write | tuple[NodeId, Message]] = deque()  # Begins with a write, or is empty.
        self._saved: deque[str] = deque()  # Names of finished writes that the algorithm has not been told of.

    @property
    def running(self) -> bool:
        return self.algorithm is not None

    @property
    def writes(self) -> Sequence[Write]:
        """The writes that are not on disk yet, in order."""
        return [waiting for waiting in self._outbox if isinstance(waiting, Write)]

    @property
    def held(self) -> Sequence[tuple[NodeId, Message]]:
        """The messages that wait for those writes, each with its receiver, in order."""
        return [waiting for waiting in self._outbox if not isinstance(waiting, Write)]

    # --- What the algorithm asks for (`Host`)

    def now(self) -> Nanoseconds:
        return self._surroundings.now()

    def monotonic(self) -> Nanoseconds:
        return self._surroundings.now()

    def send(self, to: NodeId, message: Message, *, ordered: bool = True) -> None:
        if self._outbox and ordered:
            self._outbox.append((to, message))
        else:
            self._surroundings.send_segment(self.me, to, message)

    def set_timer(self, name: str, delay: Nanoseconds) -> None:
        if type(delay) is not int or delay < 0:
            raise InteractionError(f"timer {name!r} of node {self.me}: {delay!r} is not a whole number of nanoseconds")
        self.timers[name] = Timer(self.now() + delay, self._surroundings.next_number())

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
        self._surroundings.on_transition(self.declared)

    def note(self, kind: str, **fields: object) -> None:
        self._surroundings.on_note(Note(self.me, kind, fields))

    # --- What happens to the node

    def start(self) -> None:
        """Build the algorithm anew from what is on disk."""
        if self.running:
            raise InteractionError(f"node {self.me} is running already")
        self.algorithm = self._build(self, MappingProxyType(dict(self.durable)))
        self._step(self.algorithm.on_start)

    def crash(self) -> None:
        """Lose everything but the disk; a write that has not reached it is lost, too."""
        self._running()
        self.incarnation += 1
        self.algorithm = None
        self.declared = None
        self.timers.clear()
        self._outbox.clear()
        self._saved.clear()

    def receive(self, sender: NodeId, message: Message) -> None:
        self._step(self._running().on_message, sender, message)

    def fire(self, timer: str) -> None:
        """Let a timer come due now, whatever its deadline."""
        algorithm = self._running()
        if timer not in self.timers:
            raise InteractionError(
                f"node {self.me} has no timer {timer!r}; set are: {', '.join(self.timers) or 'none'}"
            )
        del self.timers[timer]
        self._step(algorithm.on_timer, timer)

    def connect(self, peer: NodeId) -> None:
        """The node is told that a connection is open; messages move as they are told to, connected or not."""
        self._step(self._running().on_connect, peer)

    def disconnect(self, peer: NodeId, reason: str) -> None:
        """The node is told that a connection is gone."""
        self._step(self._running().on_disconnect, peer, reason)

    def command(self, command: Message) -> None:
        """An operator or a client asks for something."""
        self._step(self._running().on_command, command)

    def sync(self, writes: int | None = None) -> None:
        """Finish the first `writes` of the waiting writes (None: all): let out what waited for them, and tell of them.

        Raises InteractionError when fewer are waiting.
        """
        self._running()
        waiting = len(self.writes)
        count = waiting if writes is None else writes
        if not 0 < count <= waiting:
            raise InteractionError(f"node {self.me} waits for {waiting} writes, not for {writes or 'any'}")
        for _ in range(count):
            self._finish_first_write()

    def set_disk(self, *, slow: bool) -> None:
        """A slow disk finishes a write when told to (`sync`). A disk that turns fast first finishes what it has."""
        self.disk_is_slow = slow
        while not slow and self._outbox:
            self._finish_first_write()

    # --- Inside

    def _running(self) -> Algorithm:
        if self.algorithm is None:
            raise InteractionError(f"node {self.me} is down")
        return self.algorithm

    def _step(self, handler: Callable[..., None], *arguments: object) -> None:
        """One input, and then the writes that the node has finished meanwhile: never in the middle of a step."""
        handler(*arguments)
        self._tell_saved()

    def _tell_saved(self) -> None:
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
            self._surroundings.send_segment(self.me, *waiting)
        self._has_saved(write.then)
        self._tell_saved()


def _refuse_mutable(name: str, value: object) -> None:
    """A value that could change after the write would not be the one on disk."""
    try:
        hash(value)
    except TypeError:
        raise InteractionError(f"save({name}={value!r}): a saved value must be immutable") from None
