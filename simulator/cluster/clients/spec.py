"""What a trial needs to know of its clients and of the resource: frozen, and picklable."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from simulator.clients.config import Backoff, Finds
from simulator.clients.messages import Consistency
from simulator.cluster.distributions import Constant, Distribution
from simulator.protocol import MILLISECOND, SECOND, Nanoseconds, NodeId

CLIENTS, RESOURCE = "clients", "resource"  # The names of the groups outside the cluster.

Fencing = Literal["none", "token"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSpec:
    """What every packet between clients (or the resource) and servers meets. These paths are streams."""

    latency: Distribution = Constant(MILLISECOND)
    loss: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressSpec:
    """A virtual address, a name or a proxy: it leads to the node that claimed to lead last, after a delay.

    With `each_client`, every client learns of that after a delay of its own, as with cached names.
    """

    delay: Distribution
    each_client: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientsSpec:
    """The clients: how many, how each behaves, and their paths to the servers.

    `gaps` is the time between two requests of a client (open loop), or its pause after one (closed loop).
    """

    count: int
    gaps: Distribution
    closed_loop: bool = True
    start: Nanoseconds = 0
    reads: float = 0.0
    consistency: Consistency = Consistency.DEFAULT
    stale_reads_for: Nanoseconds | None = None
    keys: int = 1
    size_bytes: int = 100
    timeout: Nanoseconds = SECOND
    attempts: int | None = None
    backoff: Backoff = field(default_factory=Backoff)
    finds: Finds = "leader"
    servers: tuple[NodeId, ...] = ()  # Those that clients know; empty: all of the primary group.
    address: AddressSpec | None = None
    paths: PathSpec = field(default_factory=PathSpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceSpec:
    """What leaders write to, and their paths to it. With `token`, it rejects a token older than one it has seen."""

    fencing: Fencing = "none"
    paths: PathSpec = field(default_factory=PathSpec)
