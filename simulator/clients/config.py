"""How a client behaves: what it asks for, when, of whom, and how often it tries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.clients.messages import Consistency
from simulator.protocol import MILLISECOND, SECOND, Nanoseconds, NodeId

Finds = Literal["leader", "next"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long a client waits before it tries again: twice as long each time, up to a bound.

    Each wait is drawn uniformly from the last share `jitter` of it: with 1, from 0 on ("full jitter"); with 0, never
    shorter.
    """

    first: Nanoseconds = 10 * MILLISECOND
    most: Nanoseconds = SECOND
    jitter: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """The behaviour of each client.

    A client in a closed loop sends a request when the one before has ended, after a pause. In an open loop it sends
    whenever it is time, however many requests are under way. `finds` says which server it asks after one that does not
    serve it: the leader that this server names, if it names one (`leader`), or the next one in its own random order.
    """

    servers: tuple[NodeId, ...]
    closed_loop: bool = True
    reads: float = 0.0  # The share of requests that read.
    consistency: Consistency = Consistency.DEFAULT  # Of reads.
    stale_reads_for: Nanoseconds | None = None  # Whether it takes reads of servers that are unsure, and for how long.
    keys: int = 1  # The number of registers; each request takes one of them at random.
    size_bytes: int = 100  # Of a write.
    timeout: Nanoseconds = SECOND  # Of an attempt.
    attempts: int | None = None  # The most attempts of a request; None: a client tries until the request is done.
    backoff: Backoff = Backoff()
    finds: Finds = "leader"
