"""A leader's lease for reads (dissertation, 6.4.1): while it runs, no other server can have been elected.

The leader numbers its rounds of heartbeats. Once a majority has answered a round, the leader holds a lease. The lease
lasts from the instant at which that round was sent for the least election timeout, divided by how much faster than the
leader's clock another clock may run. For that long, followers that heard the round neither campaign nor vote (4.2.3).
After a restart they do not either, since a restart makes them forget which leader they heard.
A leader that tells another server to campaign takes no lease again in its term: the message may arrive late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulator.algorithms.raft.config import RaftConfig
from simulator.algorithms.raft.membership import Membership
from simulator.protocol import Host, Nanoseconds, NodeId

LEASE = "lease "  # The name is followed by the slot of a round of heartbeats.


@dataclass(slots=True)
class Round:
    """Heartbeats that were sent to all at one instant of the wall clock, and the peers that have answered."""

    number: int
    term: int
    sent_ns: Nanoseconds
    answered: set[NodeId] = field(default_factory=set)


class Lease:
    """The lease of one server while it leads. Its timers run on the monotonic clock; the wall clock dates notes."""

    def __init__(self, host: Host, config: RaftConfig) -> None:
        self.host = host
        self.span_ns = config.lease_span_ns
        self.round = 0  # The number of the last round.
        self.held: Round | None = None  # The latest round that a majority has answered, if its lease still runs.
        self._slots = self.span_ns // config.heartbeat_interval + 2
        self._rounds: dict[
            int, Round
        ] = {}  # The rounds of this leadership of which a lease could still run, by round number modulo `_slots`.
        self._is_revoked = False

    def view(self) -> Mapping[str, object]:
        """What a page may show of it, in plain values: the round of heartbeats that it runs from, or None."""
        return {"lease from round": None if self.held is None else self.held.number}

    def begin_round(self, term: int, membership: Membership) -> None:
        """Heartbeats are about to be sent: number them."""
        self.round += 1
        slot = self.round % self._slots
        self.expire(slot)  # Normally, the slot is free.
        started = self._rounds[slot] = Round(self.round, term, self.host.now())
        self.host.set_timer(f"{LEASE}{slot}", self.span_ns)
        self._extend(started, membership)

    def on_response(self, peer: NodeId, number: int, membership: Membership) -> None:
        """A peer has answered a round of this term: hold the lease from its sending on, if a majority has."""
        answered = self._rounds.get(number % self._slots)
        if answered is not None and answered.number == number:
            answered.answered.add(peer)
            self._extend(answered, membership)

    def expire(self, slot: int) -> None:
        """The time of the round in this slot is over."""
        expired = self._rounds.pop(slot, None)
        if expired is not None and expired is self.held:
            self._give_up()

    def revoke(self) -> None:
        """Another server was told to campaign: others may vote for it even while they hear this leader."""
        self._give_up()
        self._is_revoked = True

    def end(self) -> None:
        """The server leads no more."""
        self._give_up()
        for slot in self._rounds:
            self.host.cancel_timer(f"{LEASE}{slot}")
        self._rounds.clear()
        self._is_revoked = False

    def _extend(self, answered: Round, membership: Membership) -> None:
        is_newer = self.held is None or self.held.number < answered.number
        if is_newer and not self._is_revoked and membership.is_majority(answered.answered):
            self.held = answered
            lasts_ns = self.span_ns - (self.host.now() - answered.sent_ns)
            self.host.note("lease", term=answered.term, lasts_ns=max(0, lasts_ns))

    def _give_up(self) -> None:
        """Note the end, and how late the note is: a paused or writing node learns of it only afterwards."""
        held, self.held = self.held, None
        if held is not None:
            late_ns = max(0, self.host.now() - held.sent_ns - self.span_ns)
            self.host.note("lease-ended", term=held.term, late_ns=late_ns)
