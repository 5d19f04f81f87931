"""What etcd's clients and members say to each other, and what members write to their log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from simulator.algorithms.etcd.keys import Event, KeyValue
from simulator.protocol import Message, NodeId, message

LeaseId: TypeAlias = int  # 0: no lease.

# --- The parts of a transaction


class Compare(NamedTuple):
    """The condition that a key has this create revision; 0 if it does not exist."""

    key: str
    create_revision: int


class Put(NamedTuple):
    """Give a key a value, and attach it to a lease."""

    key: str
    value: str
    lease: LeaseId = 0


class Get(NamedTuple):
    """Read a key."""

    key: str


class Delete(NamedTuple):
    """Delete a key."""

    key: str


Operation: TypeAlias = Put | Get | Delete

# --- What the members agree on


@dataclass(frozen=True, slots=True)  # It is kept on disk.
class Transaction:
    """If all compares hold, carry out `success`, else `failure`."""

    compares: tuple[Compare, ...]
    success: tuple[Operation, ...]
    failure: tuple[Operation, ...] = ()


@dataclass(frozen=True, slots=True)  # It is kept on disk.
class LeaseGrant:
    """Grant a lease that lasts for this time after each renewal."""

    ttl_s: int


@dataclass(frozen=True, slots=True)  # It is kept on disk.
class LeaseRevoke:
    """End a lease, and delete its keys."""

    lease: LeaseId


@dataclass(frozen=True, slots=True)  # It is kept on disk.
class Proposal:
    """An entry of the log: the request of a client, or of the leader's lessor. `life` and `number` identify it."""

    member: NodeId
    life: int
    number: int
    request: Transaction | LeaseGrant | LeaseRevoke


class Result(NamedTuple):
    """What a request has come to, at a revision of the store."""

    revision: int
    succeeded: bool = True  # Whether the compares of a transaction held.
    kv: KeyValue | None = None
    lease: LeaseId = 0
    ttl_s: int = 0
    error: str = ""  # Empty: none.


# --- Client to member


@message
class Connect:
    """A client opens a connection. `number` counts its attempts with this member."""

    number: int


@message
class Ping:
    """Is the member still there? (gRPC's keep-alive of connections.)"""


@message
class Disconnect:
    """The client has given up the connection, with all that was open on it."""


@message
class Call:
    """A request that has one response."""

    number: int
    request: Any


@message
class Range:
    """Read one key under a prefix, linearizably: that of the lowest create revision, or of the highest one.

    With `max_create_revision`, only keys that were created at that revision or before count. With `exact`, only the key
    that has this name counts.
    """

    prefix: str
    newest: bool = False
    max_create_revision: int | None = None
    exact: bool = False


@message
class LeaseKeepAlive:
    """Renew a lease. `stream` numbers the client's streams of keep-alives."""

    stream: int
    lease: LeaseId


@message
class Watch:
    """Report the events of a key, or of all keys under a prefix, from a revision on."""

    number: int
    key: str
    is_prefix: bool
    start_revision: int


@message
class CancelWatch:
    """Report no more events of this watch."""

    number: int


# --- Member to client


@message
class Connected:
    """The connection is open."""

    number: int


@message
class Pong:
    """The answer to a ping."""


@message
class Response:
    """The result of a call."""

    number: int
    result: Result


@message
class Failed:
    """The member could not serve a call in time. A request that was proposed may still be carried out."""

    number: int


@message
class LeaseKeepAliveResponse:
    """A lease was renewed, for this time. 0: there is no such lease."""

    stream: int
    lease: LeaseId
    ttl_s: int


@message
class StreamClosed:
    """The member has ended a stream of keep-alives: it knows no leader, or could not reach it in time."""

    stream: int


@message
class WatchResponse:
    """Events of a watch, in order."""

    number: int
    events: tuple[Event, ...]


# --- Between members


@message
class Forward:
    """A member passes a proposal to the leader."""

    proposal: Proposal


@message
class ReadIndex:
    """A member asks the leader how far the log is committed, to serve linearizable reads."""

    number: int


@message
class ReadIndexResponse:
    """A majority has confirmed the leader since the request: the log was committed up to this index."""

    number: int
    index: int


@message
class Renew:
    """A member passes a keep-alive to the leader."""

    number: int
    lease: LeaseId


@message
class Renewed:
    """The answer. `ttl_s` is 0 if there is no such lease, and None if the sender does not lead."""

    number: int
    ttl_s: int | None


def size_of(request: Message) -> int:
    """The bytes that a request takes in the log: about what its texts and numbers take."""
    if not isinstance(request, Transaction):
        return 16
    operations = (*request.success, *request.failure)
    return sum(16 + len(part.key) for part in (*request.compares, *operations))


TO_MEMBERS = (Connect, Ping, Disconnect, Call, LeaseKeepAlive, Watch, CancelWatch)
TO_CLIENTS = (Connected, Pong, Response, Failed, LeaseKeepAliveResponse, StreamClosed, WatchResponse)
BETWEEN_MEMBERS = (Forward, ReadIndex, ReadIndexResponse, Renew, Renewed)
