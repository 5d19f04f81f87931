"""What a network is like, as a value."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from simulator.cluster.distributions import Constant, Distribution
from simulator.cluster.network.loss import LossModel
from simulator.cluster.network.topology import Topology
from simulator.protocol import MILLISECOND, SECOND, Nanoseconds


class Transport(enum.StrEnum):
    """How messages travel."""

    DATAGRAM = "datagram"  # Each message is a packet of its own: it may be late, lost, duplicated or reordered.
    STREAM = "stream"  # Over connections: in order, and sent again until it arrives.


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSpec:
    """How connections behave (docs/transport.md)."""

    retransmit_after: Nanoseconds = 200 * MILLISECOND  # The first retransmission timeout; each next one is twice that.
    give_up_after: Nanoseconds = 900 * SECOND  # How long nothing arrives before a connection is given up.
    notice: Distribution = Constant(0)  # How long a host takes to close the connections of a process that died.
    open_at_start: bool = False  # Whether a process opens its connections when it starts, or when it first sends.
    idle_timeout: Nanoseconds | None = None  # After how long without arrivals a process drops a connection.
    reopen_after: Nanoseconds | None = None  # How often the higher of two nodes tries to open their connection.


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """What every link does to packets. The latency is added to the base latency of the topology."""

    latency: Distribution = Constant(5 * MILLISECOND)
    loss: float | LossModel = 0.0
    duplication: float = 0.0
    topology: Topology | None = None
    bandwidth: float | None = None  # Bytes per second of each link, in each direction; None: no limit.
    transport: Transport = Transport.DATAGRAM
    stream: StreamSpec = StreamSpec()
