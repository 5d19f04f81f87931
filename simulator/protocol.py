"""The contract between an election algorithm and its host (sans-IO).

An algorithm is a state machine. It is given a `Host`, reacts to messages, timers and finished writes, and
everything it does leaves through the host. It never sleeps, opens a socket, reads a clock of its own or draws
from a global random generator, so the same object runs in the simulator, on the test bench and on real sockets.

Its state is plain attributes that can be copied and compared: numbers, text, containers and objects made of these, and
references to the host and to the algorithm's own parts. It keeps no generator, iterator, function or bound method, and
no source of random numbers but `host.random`. `simulator.testing.check_contract` checks this.
"""

from __future__ import annotations

import enum
import math
import random
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, ClassVar, Protocol, Self, TypeAlias, dataclass_transform

from simulator.quiet import Quiet

NodeId: TypeAlias = int  # YAML and reports write n1, n2, …
Nanoseconds: TypeAlias = int
Message: TypeAlias = Any  # An instance of a class decorated with @message.

MICROSECOND: Nanoseconds = 1_000
MILLISECOND: Nanoseconds = 1_000_000
SECOND: Nanoseconds = 1_000_000_000

# Types for an algorithm's options, and how a scenario writes them: `150ms`, `[150ms, 300ms]`, `[25ms, 42ms, 114ms]`
# (minimum, median and p99), and `[n1, n2]`.
Duration = Annotated[Nanoseconds, "duration"]
DurationRange = Annotated[tuple[Nanoseconds, Nanoseconds], "duration range"]
DurationSpread = Annotated[tuple[Nanoseconds, Nanoseconds, Nanoseconds], "duration spread"]
NodeNames = Annotated[tuple[NodeId, ...], "node names"]


@dataclass(frozen=True, slots=True, eq=False)
class OneOf:
    """Marks an option whose value is one of several dataclasses of options.

    A scenario writes `{phi: {threshold: 8}}`, or `phi` for that dataclass with its defaults.
    """

    forms: Mapping[str, type[Any]]

    def name_of(self, chosen: object) -> str:
        """The name under which the class of this value stands in `forms`."""
        return next(name for name, form in self.forms.items() if type(chosen) is form)


ELECTORATE = "electorate"  # The default name of the group whose nodes elect a leader among themselves.


class Role(enum.StrEnum):
    """The role of a node in its group."""

    FOLLOWER = "follower"
    PRE_CANDIDATE = "pre-candidate"
    CANDIDATE = "candidate"
    LEADER = "leader"


FOLLOWER, PRE_CANDIDATE, CANDIDATE, LEADER = Role


class _Described(enum.StrEnum):
    """A keyword of scenarios and results, with the sentence that defines it in `about`."""

    about: str

    def __new__(cls, word: str, about: str = "") -> Self:
        self = str.__new__(cls, word)
        self._value_ = word
        self.about = about
        return self


class Guarantee(_Described):
    """What an algorithm guarantees. The check of the same name looks for violations in a trace."""

    ELECTION_SAFETY = "election-safety", "At most one node leads in a term."
    ONE_VOTE = "one-vote", "No voter's vote counts for two candidates of the same term."
    QUORUM_OF_VOTES = "quorum-of-votes", "A node that leads in a term has the votes of a majority of the voters."
    MONOTONIC_TERMS = "monotonic-terms", "The term of a node never decreases, not even when the node restarts."
    LOG_UP_TO_DATE = (
        "log-up-to-date",
        "When a node becomes leader, its log is at least as up-to-date as the logs of a majority.",
    )
    DISJOINT_LEASES = (
        "disjoint-leases",
        "No two leaders hold a lease at the same time, if clocks keep the drift bound.",
    )
    LEADER_COMPLETENESS = (
        "leader-completeness",
        "A leader of a later term has every entry that was committed in an earlier one.",
    )
    ONE_CLAIM = "one-claim", "No two nodes of a group act as leader at the same time."
    HIGHEST_ID = (
        "highest-id",
        "If no fault occurs for the stabilization time, the leader is the running node with the highest id.",
    )
    AGREEMENT = (
        "agreement",
        "If no fault occurs for the stabilization time, all running nodes agree on one leader, and only that node acts "
        "as leader.",
    )


class Assumption(_Described):
    """What an algorithm assumes of nodes and network. In a trial that breaks it, the guarantees are not checked."""

    NO_LOSS = "no-loss", "Every message arrives exactly once, unless its receiver is down."
    FIFO = "fifo", "Messages from one node to another arrive in the order in which they were sent."
    BOUNDED_DELAY = "bounded-delay", "No message takes longer, handling included, than the timeouts allow."
    NO_PARTITION = "no-partition", "Every node can always reach every other node."
    NO_CRASH = "no-crash", "No node crashes, and no node starts late."
    NO_PAUSE = "no-pause", "No running node is ever paused."
    GOOD_CLOCKS = "good-clocks", "Clocks do not jump, and drift by no more than the algorithm allows."
    MONITOR_RUNS = "monitor-runs", "The monitor of the external failure detector, if there is one, does not crash."


@dataclass_transform(frozen_default=True)
def message(cls: type) -> Any:
    """Make a class a message: a slotted dataclass. Only the type checker sees it as frozen, since that is faster."""
    return dataclass(slots=True)(cls)


def option(default: Any, about: str) -> Any:
    """A field of an algorithm's options: its default, and the sentence that help pages and the JSON Schema show."""
    return field(default=default, metadata={"about": about})


def describe(message: Message) -> str:
    """The text of a message in scripts and traces: its type, and the fields that differ from their defaults."""
    shown = (f"{f.name}={getattr(message, f.name)!r}" for f in fields(message) if getattr(message, f.name) != f.default)
    return f"{type(message).__name__}({', '.join(shown)})"


_Z99 = 2.3263478740408408  # The value at which the standard normal distribution function is 99 %.


def uniform(source: random.Random, bounds: tuple[Nanoseconds, Nanoseconds]) -> Nanoseconds:
    """An integer drawn uniformly from `bounds`, both ends included. Integer arithmetic on 64 raw bits, so exact."""
    low, high = bounds
    return low + ((high - low + 1) * source.getrandbits(64) >> 64)


def spread(source: random.Random, points: tuple[Nanoseconds, Nanoseconds, Nanoseconds]) -> Nanoseconds:
    """A lognormal random duration with this median and p99. A draw below the minimum is raised to the minimum.

    The same as `{lognormal: {median: …, p99: …}, at_least: …}` in a scenario.
    """
    least, median, p99 = points
    if median == 0:
        return least
    sigma = math.log(p99 / median) / _Z99
    return max(least, round(median * math.exp(source.gauss(0.0, sigma))))


class Host(Protocol):
    """What an algorithm may use. Messages leave a node in the order in which they were sent."""

    @property
    def me(self) -> NodeId:
        """The id of this node."""
        ...

    @property
    def peers(self) -> Sequence[NodeId]:
        """The other members of this node's group, in id order."""
        ...

    @property
    def groups(self) -> Mapping[str, Sequence[NodeId]]:
        """The members of every group by its name, in id order."""
        ...

    @property
    def random(self) -> random.Random:
        """This node's own stream of random numbers."""
        ...

    def now(self) -> Nanoseconds:
        """The node's wall clock, which may be wrong."""
        ...

    def monotonic(self) -> Nanoseconds:
        """The clock of the timers. It may drift, but never jumps. Its zero has no meaning."""
        ...

    def send(self, to: NodeId, message: Message, *, ordered: bool = True) -> None:
        """Send a message once every save requested before it is on disk.

        With `ordered=False` the message does not wait for saves; use it for messages that promise nothing, such as
        heartbeats.
        """
        ...

    def set_timer(self, name: str, delay: Nanoseconds) -> None:
        """Call `on_timer(name)` after `delay` on the monotonic clock. Replaces a pending timer of the same name."""
        ...

    def cancel_timer(self, name: str) -> None:
        """Cancel the pending timer with this name. Does nothing if there is none."""
        ...

    def save(self, then: str | None = None, **durable: object) -> None:
        """Write values to disk, and call `on_saved(then)` when they are there. The values must be immutable."""
        ...

    def transition(self, role: Role, term: int, leader: NodeId | None, group: str = ELECTORATE) -> None:
        """Declare the node's role, its term and the leader that it knows of. Every metric is computed from these."""
        ...

    def answer(self, client: NodeId, reply: Message) -> None:
        """Send a reply to a client at once. It promises nothing that a save has to hold."""
        ...

    def note(self, kind: str, **fields: object) -> None:
        """Write an event to the trace: a vote, a suspicion, a commit (kinds: `simulator.trace.event_types`)."""
        ...


class OldHostNames:
    """The names of version 0.2, for hosts to inherit. They warn; the next version will not have them."""

    groups: Mapping[str, Sequence[NodeId]]

    @property
    def directory(self) -> Mapping[str, Sequence[NodeId]]:
        """The old name of `groups`."""
        warnings.warn("Host.directory is called Host.groups", DeprecationWarning, stacklevel=2)
        return self.groups


class Algorithm:
    """One node's part of an election algorithm. A crash discards the object; a restart builds a new one.

    Subclasses fill three tables: `receive` maps each message type to its handler and reads as the protocol's table of
    contents; `guarantees` holds what the paper guarantees; `assumes` holds the conditions under which it does.
    """

    guarantees: ClassVar[frozenset[Guarantee]] = frozenset()
    assumes: ClassVar[frozenset[Assumption]] = frozenset()
    receive: ClassVar[Mapping[type, Callable[[Any, NodeId, Any], None]]] = {}

    def __init__(self, host: Host, config: Any, durable: Mapping[str, Any]) -> None:
        """`durable` holds what earlier incarnations saved. Nothing else survives a crash."""
        self.host = host
        self.config = config

    def on_start(self) -> None:
        """The node has started or restarted."""

    def on_message(self, sender: NodeId, message: Message) -> None:
        """A message has arrived: call its handler in `receive`."""
        self.receive[type(message)](self, sender, message)

    def on_timer(self, name: str) -> None:
        """The timer with this name has come due."""

    def on_saved(self, name: str) -> None:
        """The write that was requested with `then=name` is on disk."""

    def on_command(self, command: Message) -> None:
        """An operator or a client asks for something: a leadership transfer, a new member, a write."""

    def on_request(self, client: NodeId, request: Message) -> None:
        """A client has sent a `simulator.clients.messages.Request`: answer it with `host.answer`.

        Only if the registration says so (`serving`): for an algorithm with a log. For all others, the host serves.
        """

    def on_connect(self, peer: NodeId) -> None:
        """A connection with `peer` is open. Stream transport only."""

    def on_disconnect(self, peer: NodeId, reason: str) -> None:
        """The connection with `peer` is closed, or could not be opened. Stream transport only.

        `reason` is `refused`, `closed`, `reset` or `timeout`.
        """

    def view(self) -> Mapping[str, object]:
        """What a page may show of this node by name: its log, votes, sessions, znodes. Empty by default.

        The values are plain: None, truth values, numbers, text, and tuples, lists or dicts of plain values (keys: text
        or numbers), new at each call. The call changes nothing and asks the host for nothing. Hosts call it only in
        trials with views, and add the names of the node's timers. Views are not part of a trace's digest.
        """
        return {}

    def quiet(self) -> Quiet | None:
        """What this node does if nothing new happens, if these are keep-alives only. The call changes nothing."""
        return None

    def on_skipped(self, elapsed: Nanoseconds, running: frozenset[NodeId]) -> None:
        """This much of a quiet period was skipped, in which all `running` nodes kept sending and answering."""
