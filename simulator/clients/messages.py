"""What clients, servers and the resource send each other. It is the same for every algorithm.

A request reads or writes one register, which has a key. A value is written by one request only, so that a reader knows
which write it sees; 0 stands for a register that was never written.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from simulator.protocol import Nanoseconds, NodeId, message


class Operation(enum.StrEnum):
    """What a request does to its register."""

    READ = "read"
    WRITE = "write"


class Consistency(enum.StrEnum):
    """How a read is to be served, by a server that has a log."""

    DEFAULT = "default"  # As the algorithm's systems do it.
    LEADER = "leader"  # By a node that leads in its own belief, from its own state.
    LEASE = "lease"  # By a leader that holds a lease; without one, as `read_index`.
    READ_INDEX = "read_index"  # By a leader, after a majority has confirmed that it leads (dissertation, 6.4).
    STALE = "stale"  # By any server, from its own state.


class Status(enum.StrEnum):
    """A server's answer to a request."""

    DONE = "done"
    REDIRECTED = "redirected"  # This server does not lead. The reply names the leader.
    REFUSED = "refused"  # This server does not do it, and has not done it.
    LOST = "lost"  # This server led, and leads no more: the write may take effect or not.


@message
class Request:
    """One attempt of a client's request. A write carries `size` bytes."""

    number: int  # The number of the request, from 1 on for each client.
    attempt: int  # From 1 on.
    operation: Operation
    key: int
    value: int  # What to write. 0 for a read.
    size: int
    consistency: Consistency = Consistency.DEFAULT
    stale_reads_for: Nanoseconds | None = None  # For how long an unsure server may answer a read (`sureness`).


@message
class Reply:
    """The answer to an attempt."""

    number: int
    attempt: int
    status: Status
    leader: NodeId | None = None  # Of a redirect: the leader that the server knows of.
    value: int | None = None  # What was read.
    token: int | None = None  # The leader's term, if there are terms.
    log_index: int | None = None  # The position in the log of the write, or of the state that was read.
    stale: bool = False


class Command(NamedTuple):
    """A client's write, as a log keeps it."""

    client: NodeId
    number: int
    key: int
    value: int
