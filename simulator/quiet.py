"""What an algorithm says of a quiet period, so that its host can skip keep-alives without simulating each.

In a quiet period every running node knows one leader, nobody campaigns, and nodes only send messages at fixed intervals
and answer them. Each node describes its own part (`Algorithm.quiet`). The host puts the parts together, advances
clocks, random streams and counters as if everything had been sent, and lets the cluster run again before the next event
from outside (docs/fast-forward.md). A description that is wrong changes results, so a node that is not sure says that
it is not quiet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Beat:
    """A timer that a node sets again each time it fires, always for the same time, and what it sends then.

    A timer that fires without sending has no `message`.
    """

    timer: str
    period_ns: int  # From one firing to the next.
    message: type | None = None  # The type of the messages. Each is of its type's usual size.
    to: Sequence[int] = ()  # The receivers, in the order in which they are sent to.
    every: int = 1  # The node sends at each firing whose number is a multiple of this.
    answer: type | None = None  # A running receiver answers at once with one message of this type.
    answered_within_ns: int | None = None  # All receivers must run, and their answers must take less than this.
    sent_before_ns: int | None = None  # How long before `timer` is due it last sent, where that is not one period.
    keeps_phase: bool = False  # The node's state depends on the phase: only whole periods may be skipped.


@dataclass(slots=True, kw_only=True)
class Awaited:
    """How long a node waits for the next message of another node before it does anything else.

    `timer` is what ends the wait; each message sets it again, or a part of the node's state that `left_ns` describes.
    """

    of: int  # The node whose messages are awaited.
    message: type  # Their type.
    bears_ns: int  # The least wait that a message begins.
    timer: str | None = None
    left_ns: int | None = None  # The rest of the present wait, where no timer tells it.
    draws: int = 0  # How often each message makes the node call `uniform` with its `host.random`.


@dataclass(slots=True, kw_only=True)
class Watch:
    """The part of a failure detector: its beats and awaits, and the nodes that it suspects."""

    beats: Sequence[Beat] = ()
    awaits: Sequence[Awaited] = ()
    suspected: frozenset[int] = frozenset()


@dataclass(slots=True, kw_only=True)
class Quiet:
    """One node's part of a quiet period. All its pending timers are named in it.

    `answered` holds the nodes that a leader believes to be active now. It steps down if fewer than `quorum` of the
    nodes that it sends to answer it within `quorum_ns`; 0: it does not look.
    """

    leader: int
    term: int = 0
    suspected: frozenset[int] = frozenset()  # The nodes that this one suspects. None of them may run.
    beats: Sequence[Beat] = ()
    awaits: Sequence[Awaited] = ()
    answered: frozenset[int] = frozenset()
    quorum: int = 0
    quorum_ns: int = 0
