"""Chooses the way in which a Raft server keeps its timeouts."""

from __future__ import annotations

from simulator.algorithms.raft.config import RaftConfig
from simulator.algorithms.raft.election_timer import ElectionTimer, LastContactTimer, PollingTimer
from simulator.algorithms.raft.tick_timer import TickTimer
from simulator.protocol import Host


def new_timer(host: Host, config: RaftConfig) -> ElectionTimer:
    """Return the timer for the way to keep timeouts that the options choose."""
    if config.tick is not None:
        return TickTimer(host, config)
    if config.least_silence is not None:
        return LastContactTimer(host, config)
    if config.poll_interval is not None:
        return PollingTimer(host, config)
    return ElectionTimer(host, config)
