"""The contract between an election algorithm and its host (sans-IO).

An algorithm is a state machine. It is given a `Host`, reacts to messages, timers and finished writes, and
everything it does leaves through the host. It never sleeps, opens a socket, reads a clock of its own or draws
from a global random generator, so the same object runs in the simulator, on the test bench and on real sockets.
"""

from __future__ import annotations

import enum
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Protocol, Self, TypeAlias, dataclass_transform

NodeId: TypeAlias = int  # YAML and reports write n1, n2, …
Nanoseconds: TypeAlias = int
Message: TypeAlias = Any  # An instance of a class decorated with @message.

MICROSECOND: Nanoseconds = 1_000
MILLISECOND: Nanoseconds = 1_000_000
SECOND: Nanoseconds = 1_000_000_000

# What a scenario may write for an algorithm's option: three accept units (`150ms`, `[150ms, 300ms]`,
# `[25ms, 42ms, 114ms]`: the least, the median and p99), one `[n1, n2]`.
Duration = Annotated[Nanoseconds, "duration"]
DurationRange = Annotated[tuple[Nanoseconds, Nanoseconds], "duration range"]
DurationSpread = Annotated[tuple[Nanoseconds, Nanoseconds, Nanoseconds], "duration spread"]
NodeNames = Annotated[tuple[NodeId, ...], "node names"]


@dataclass(frozen=True, slots=True, eq=False)
class OneOf:
    """Marks an option that is one of several sets of options, each a dataclass: `{phi: {threshold: 8}}`, or `phi`."""

    forms: Mapping[str, type[Any]]

    def name_of(self, chosen: object) -> str:
        """The name of the set of options that this is an instance of."""
        return next(name for name, form in self.forms.items() if type(chosen) is form)


ELECTORATE = "electorate"  # The group of nodes that elect a leader among themselves, where there is only one.


class Role(enum.StrEnum):
    """What a node is in its group, in the field's standard words."""

    FOLLOWER = "follower"
    PRE_CANDIDATE = "pre-candidate"
    CANDIDATE = "candidate"
    LEADER = "leader"


FOLLOWER, PRE_CANDIDATE, CANDIDATE, LEADER = Role


class _Described(enum.StrEnum):
    """A word for scenarios and results, and the sentence that says what it means."""

    about: str

    def __new__(cls, word: str, about: str = "") -> Self:
        self = str.__new__(cls, word)
        self._value_ = word
        self.about = about
        return self


class Guarantee(_Described):
    """What an algorithm promises; the checks of the same name hold a trace to it."""

    ELECTION_SAFETY = "election-safety", "At most one leader in a term."
    ONE_VOTE = "one-vote", "No voter's vote counts for two candidates of one term."
    QUORUM_OF_VOTES = "quorum-of-votes", "Who claims in a term holds votes of a majority of the electorate."
    MONOTONIC_TERMS = "monotonic-terms", "A node's term never goes back, restarts included."
    LOG_UP_TO_DATE = "log-up-to-date", "Who claims has a log at least as up-to-date as those of a majority."
    DISJOINT_LEASES = "disjoint-leases", "No two leaders hold a lease at once, while clocks keep the drift bound."
    LEADER_COMPLETENESS = "leader-completeness", "Who claims in a later term holds every committed entry."
    ONE_CLAIM = "one-claim", "At no instant do two nodes of a group claim to lead."
    HIGHEST_ID = "highest-id", "Left in peace for long enough, who claims has the highest id of those that run."
    AGREEMENT = "agreement", "Left in peace for long enough, all that run name one leader, who alone claims."


class Assumption(_Described):
    """What an algorithm may take for granted of nodes and network; where it is broken, its promises do not bind it."""

    NO_LOSS = "no-loss", "Every message arrives, once, unless its receiver is down."
    FIFO = "fifo", "What one node sends to another arrives in the order sent."
    BOUNDED_DELAY = "bounded-delay", "No message, with its handling, takes longer than the timeouts allow."
    NO_PARTITION = "no-partition", "Every node can always reach every other."
    NO_CRASH = "no-crash", "No node stops, or starts late."
    NO_PAUSE = "no-pause", "Whatever runs keeps running."
    GOOD_CLOCKS = "good-clocks", "Clocks drift by no more than the algorithm allows, and do not jump."
    MONITOR_RUNS = "monitor-runs", "The external failure detector's monitor, where there is one, does not die."


@dataclass_transform(frozen_default=True)
def message(cls: type) -> Any:
    """Make a class a message: a slotted dataclass, frozen to the type checker but not at run time, which is faster."""
    return dataclass(slots=True)(cls)


def option(default: Any, about: str) -> Any:
    """A field of an algorithm's configuration, with the sentence that help pages and the JSON Schema show."""
    return field(default=default, metadata={"about": about})


def describe(message: Message) -> str:
    """A message as scripts and traces show it: its type and the fields that differ from their defaults."""
    shown = (f"{f.name}={getattr(message, f.name)!r}" for f in fields(message) if getattr(message, f.name) != f.default)
    return f"{type(message).__name__}({', '.join(shown)})"


HEADER_BYTES = 40  # Of a TCP/IP packet without options: 20 for IPv4, 20 for TCP.
_NUMBER_BYTES, _FLAG_BYTES = 8, 1
_FIELD_BYTES = {**dict.fromkeys(("int", "float", "NodeId", "Nanoseconds"), _NUMBER_BYTES), "bool": _FLAG_BYTES}
_NOTHING = object()  # Equal to nothing that a message holds.


@dataclass(frozen=True, slots=True)
class WireLayout:
    """The bytes of a type of message: those of a usual one, and which parts of another may differ.

    Messages of most types are all alike, having numbers and truth values only: `parts` is None, and there is nothing
    to look at.
    """

    usual_bytes: int  # With its header, and with their defaults for the parts that vary.
    parts: Callable[[Message], Any] | None = None
    usual_parts: Any = None

    def extra_bytes(self, parts: Any) -> int:
        """How many bytes more than a usual message one with these parts takes."""
        return _value_bytes(parts) - (0 if self.usual_parts is _NOTHING else _value_bytes(self.usual_parts))


@cache
def wire_layout(kind: type) -> WireLayout:
    """The layout of a type of message, by what its fields are declared to be."""
    if not is_dataclass(kind) or hasattr(kind, "wire_bytes"):
        return WireLayout(HEADER_BYTES, lambda message: message, _NOTHING)
    known = [(part, _declared_bytes(part.type)) for part in fields(kind)]
    fixed = HEADER_BYTES + sum(size for _, size in known if size is not None)
    varying = [part for part, size in known if size is None]
    if not varying:
        return WireLayout(fixed)
    parts = attrgetter(*(part.name for part in varying))
    if any(part.default is MISSING for part in varying):
        return WireLayout(fixed, parts, _NOTHING)
    usual = varying[0].default if len(varying) == 1 else tuple(part.default for part in varying)
    return WireLayout(fixed + _value_bytes(usual), parts, usual)


def _declared_bytes(declared: Any) -> int | None:
    """Of a field of that type, `int | None` for example; None where they depend on its value."""
    name = declared if isinstance(declared, str) else getattr(declared, "__name__", str(declared))
    kinds = [kind.strip() for kind in name.split("|")]
    sizes = [_FIELD_BYTES.get(kind) for kind in kinds if kind != "None"]
    if len(sizes) != 1 or sizes[0] is None:
        return None
    return sizes[0] + (_FLAG_BYTES if "None" in kinds else 0)


def wire_size(message: Message | None) -> int:
    """The bytes that a message takes on the wire: its fields', and a header. None is a packet without contents.

    Numbers take 8 bytes, truth values 1; one of these that may be None takes 1 more, there or not. Text takes its
    UTF-8 bytes, what has `wire_bytes` so many, and any other sequence or message what it holds.
    """
    if message is None:
        return HEADER_BYTES
    kind: type = type(message)
    layout = wire_layout(kind)
    return layout.usual_bytes + (0 if layout.parts is None else layout.extra_bytes(layout.parts(message)))


def _value_bytes(value: Any) -> int:
    if value is None or isinstance(value, bool):
        return _FLAG_BYTES
    if isinstance(value, int | float):
        return _NUMBER_BYTES
    if isinstance(value, str):
        return len(value.encode())
    if hasattr(value, "wire_bytes"):
        return int(value.wire_bytes)
    parts = (getattr(value, part.name) for part in fields(value)) if is_dataclass(value) else value
    return sum(map(_value_bytes, parts))


_Z99 = 2.3263478740408408  # The standard normal distribution reaches 99 % there.


def uniform(source: random.Random, bounds: tuple[Nanoseconds, Nanoseconds]) -> Nanoseconds:
    """An integer drawn uniformly from `bounds`, both ends included, by integer arithmetic on 64 raw bits."""
    low, high = bounds
    return low + ((high - low + 1) * source.getrandbits(64) >> 64)


def spread(source: random.Random, points: tuple[Nanoseconds, Nanoseconds, Nanoseconds]) -> Nanoseconds:
    """A duration of which three figures are known, the least, the median and p99: lognormal, but never below the least.

    That is `{lognormal: {median: …, p99: …}, at_least: …}` of a scenario's distributions.
    """
    least, median, p99 = points
    if median == 0:
        return least
    sigma = math.log(p99 / median) / _Z99
    return max(least, round(median * math.exp(source.gauss(0.0, sigma))))


class Host(Protocol):
    """What an algorithm may ask for. What leaves a node leaves in the order sent."""

    @property
    def me(self) -> NodeId: ...

    @property
    def peers(self) -> Sequence[NodeId]:
        """The electorate's other members, in id order."""
        ...

    @property
    def directory(self) -> Mapping[str, Sequence[NodeId]]:
        """Every group of nodes by name, in id order."""
        ...

    @property
    def random(self) -> random.Random:
        """This node's own stream of random numbers."""
        ...

    def now(self) -> Nanoseconds:
        """The node's wall clock, which may be wrong."""
        ...

    def monotonic(self) -> Nanoseconds:
        """The clock that timers go by: it drifts, but never jumps, and counts from no instant in particular."""
        ...

    def send(self, to: NodeId, message: Message, *, ordered: bool = True) -> None:
        """Send, after every save requested before it is on disk; an unordered message promises nothing and may pass."""
        ...

    def set_timer(self, name: str, delay: Nanoseconds) -> None:
        """Call `on_timer(name)` after `delay` on the node's monotonic clock; replaces a pending timer of that name."""
        ...

    def cancel_timer(self, name: str) -> None: ...

    def save(self, then: str | None = None, **durable: object) -> None:
        """Write values, which must be immutable, to disk; call `on_saved(then)` when they are there."""
        ...

    def transition(self, role: Role, term: int, leader: NodeId | None, group: str = ELECTORATE) -> None:
        """Declare the node's role, term and the leader that it knows of: what every metric is made from."""
        ...

    def note(self, kind: str, **fields: object) -> None:
        """Write something worth knowing (a vote, a suspicion, a commit) to the trace."""
        ...


class Algorithm:
    """One node's part of an election algorithm. A crash throws the object away; a restart builds a new one.

    Subclasses fill `receive`, the table from message type to handler, which reads as the protocol's table of
    contents, `guarantees`, what the paper promises, and `assumes`, the conditions without which it promises nothing.
    """

    guarantees: ClassVar[frozenset[Guarantee]] = frozenset()
    assumes: ClassVar[frozenset[Assumption]] = frozenset()
    receive: ClassVar[Mapping[type, Callable[[Any, NodeId, Any], None]]] = {}

    def __init__(self, host: Host, config: Any, durable: Mapping[str, Any]) -> None:
        """`durable` holds what earlier incarnations saved: all that survives a crash."""
        self.host = host
        self.config = config

    def on_start(self) -> None:
        """The node has started, or restarted."""

    def on_message(self, sender: NodeId, message: Message) -> None:
        self.receive[type(message)](self, sender, message)

    def on_timer(self, name: str) -> None:
        """The timer of that name has come due."""

    def on_saved(self, name: str) -> None:
        """The write that asked for `name` is on disk."""

    def on_command(self, command: Message) -> None:
        """An operator or a client asks for something: a transfer, a new member, a write."""

    def on_connect(self, peer: NodeId) -> None:
        """Stream transport only: a connection with `peer` is open."""

    def on_disconnect(self, peer: NodeId, reason: str) -> None:
        """Stream transport only: the connection with `peer` is gone, or could not be opened.

        `reason` is `refused`, `closed`, `reset` or `timeout`.
        """
