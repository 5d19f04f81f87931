"""CheckQuorum (dissertation, 6.2): a leader steps down if too few voters have answered it within its lease.

The lease is looked at in one of two ways. etcd's leader looks once in each lease at who has answered since it last
looked. hashicorp's and PySyncObj's lease slides: a peer counts for one lease after its last answer (`lease_slides`).
"""

from __future__ import annotations

from collections.abc import Sequence

from simulator.algorithms.raft.config import RaftConfig
from simulator.algorithms.raft.election_timer import QUORUM, TOUCH
from simulator.algorithms.raft.polled_timers import TimerHost
from simulator.protocol import NodeId


class CheckQuorum:
    """The peers that have answered a leader lately."""

    def __init__(self, timers: TimerHost, config: RaftConfig, others: Sequence[NodeId]) -> None:
        self.timers = timers
        self.others = others  # All other servers, members or not.
        self.lease_ns = config.lease_ns
        self.slides = config.lease_slides
        # The election timer counts the lease in ticks, unless the lease slides.
        self.uses_ticks = config.tick is not None
        self.active: set[NodeId] = set()

    def begin(self, voters: Sequence[NodeId]) -> None:
        """The server leads from now on. A lease that slides counts all voters as heard at first."""
        if self.slides:
            self.active = set(voters)
            for peer in self.others:
                self.timers.set_timer(f"{TOUCH}{peer}", self.lease_ns)
        else:
            self.active = set()
            self.restart()

    def on_response(self, peer: NodeId) -> None:
        """A peer has answered heartbeats of this term."""
        self.active.add(peer)
        if self.slides:
            self.timers.set_timer(f"{TOUCH}{peer}", self.lease_ns)

    def restart(self) -> None:
        """Begin the next lease."""
        if not self.uses_ticks:
            self.timers.set_timer(QUORUM, self.lease_ns)

    def end(self) -> None:
        """The server leads no more."""
        self.timers.cancel_timer(QUORUM)
        if self.slides:
            for peer in self.others:
                self.timers.cancel_timer(f"{TOUCH}{peer}")
