"""A leader's lease for reads (dissertation, 6.4.1): while it runs, no other server can have been elected.

The leader numbers its rounds of heartbeats. Once a majority has answered one, the lease lasts from the instant at which
that round was sent for the least election timeout, divided by how much faster than its own another clock may run: for
so long, followers that heard it neither stand nor vote (4.2.3), nor do they after a restart, which makes them forget
whom they have heard. A leader that tells another to stand has no lease any more in its term: the message may be late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from simulator.algorithms.raft.config import RaftConfig
from simulator.protocol import Host, Nanoseconds, NodeId

LEASE = "lease "  # Followed by the place of a round among those that may be under way.


class Server(Protocol):
    """What a lease knows of its server."""

    term: int
    electors: Sequence[NodeId]
    counts_itself: bool
    quorum: int


@dataclass(slots=True)
class Round:
    """Heartbeats that were sent to all at one instant, by the wall clock, and who has answered."""

    number: int
    term: int
    sent_ns: Nanoseconds
    answered: set[NodeId] = field(default_factory=set)


class Lease:
    """Of one server, while it leads. Its timers run on the monotonic clock; the wall clock only dates notes."""

    def __init__(self, host: Host, config: RaftConfig, server: Server) -> None:
        self.host = host
        self.server = server
        self.span_ns = config.lease_span_ns
        self.round = 0  # The number of the last.
        self.holds: Round | None = None  # The latest round that a majority has answered, if its lease still runs.
        self._places = self.span_ns // config.heartbeat_interval + 2
        self._rounds: dict[int, Round] = {}  # Those of this leadership whose time has not passed, by place.
        self._is_barred = False

    def timers(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """What is to be called when which timer rings."""
        for place in range(self._places):
            yield f"{LEASE}{place}", partial(self._run_out, place)

    def begin_round(self) -> None:
        """Heartbeats are about to be sent."""
        self.round += 1
        place = self.round % self._places
        self._run_out(place)  # Normally, it has.
        self._rounds[place] = Round(self.round, self.server.term, self.host.now())
        self.host.set_timer(f"{LEASE}{place}", self.span_ns)
        if self.server.quorum == 1 and self.server.counts_itself:
            self._extend(self._rounds[place])

    def answered(self, peer: NodeId, number: int) -> None:
        """A peer has answered heartbeats of a round, of this term."""
        one = self._rounds.get(number % self._places)
        if one is None or one.number != number:
            return
        one.answered.add(peer)
        if len(one.answered) + 1 >= self.server.quorum and self._is_quorum(one.answered):
            self._extend(one)

    def bar(self) -> None:
        """Another server has been told to stand: others may vote for it though they hear this leader."""
        self._give_up()
        self._is_barred = True

    def end(self) -> None:
        """This server leads no more."""
        self._give_up()
        for place in self._rounds:
            self.host.cancel_timer(f"{LEASE}{place}")
        self._rounds.clear()
        self._is_barred = False

    def _is_quorum(self, peers: set[NodeId]) -> bool:
        return len(peers.intersection(self.server.electors)) + self.server.counts_itself >= self.server.quorum

    def _extend(self, one: Round) -> None:
        if not self._is_barred and (self.holds is None or self.holds.number < one.number):
            self.holds = one
            lasts_ns = self.span_ns - (self.host.now() - one.sent_ns)
            self.host.note("lease", term=one.term, lasts_ns=max(0, lasts_ns))

    def _run_out(self, place: int) -> None:
        one = self._rounds.pop(place, None)
        if one is not None and one is self.holds:
            self._give_up()

    def _give_up(self) -> None:
        """Note the end, and how late: a node that is paused, or writes, hears of it only afterwards, serving nobody."""
        held, self.holds = self.holds, None
        if held is not None:
            late_ns = max(0, self.host.now() - held.sent_ns - self.span_ns)
            self.host.note("lease-ended", term=held.term, late_ns=late_ns)
