"""The rows of clients' requests, and of the writes that a log committed or that the resource decided.

They are kept apart from the other rows of a trace: a trial may have many, and no metric of leaders reads them. They are
part of the digest of a trial that has clients. All instants are true time, whatever the clock of a node shows.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from simulator.protocol import Nanoseconds, NodeId

if TYPE_CHECKING:
    import pandas as pd


class RequestOutcome(enum.StrEnum):
    """What a client knows of a request at its end."""

    ACKNOWLEDGED = "acknowledged"  # A server answered that it is done.
    REFUSED = "refused"  # The client gave up, every attempt was answered, and no server did it.
    FAILED = "failed"  # The client gave up, and no attempt could be delivered, so that no server did it.
    UNKNOWN = "unknown"  # The client gave up, or crashed. A server may have done it, or may still do it.
    WAITING = "waiting"  # The client still tried when the trial ended.


class AttemptOutcome(enum.StrEnum):
    """What came of one attempt, as the client learns it."""

    DONE = "done"  # The server answered that it is done.
    REDIRECTED = "redirected"  # The server does not lead, and named a leader.
    REFUSED = "refused"  # The server does not serve this request, and has not done it.
    LOST = "lost"  # The server took it and then stopped leading: it may be done.
    TIMED_OUT = "timed-out"  # No answer within the timeout: it may be done.
    CLOSED = "closed"  # The connection ended before an answer: it may be done.
    UNREACHABLE = "unreachable"  # No connection could be opened: it is not done.
    PENDING = "pending"  # No answer when the request, or the trial, ended.


class Attempt(NamedTuple):
    """One attempt of a request. `answered_ns` is None for a pending one."""

    sent_ns: Nanoseconds
    server: NodeId
    outcome: AttemptOutcome
    answered_ns: Nanoseconds | None


class RequestRow(NamedTuple):
    """One request of a client, from its first attempt to its end. Rows are in the order of their ends.

    Requests under way at the end of the trial follow, in the order in which they were sent.
    """

    client: NodeId
    number: int  # From 1 on, for each client; it goes on after a restart of the client.
    operation: str  # `read` or `write`.
    key: int  # The number of the register, from 0 on.
    sent_ns: Nanoseconds  # The first attempt.
    ended_ns: Nanoseconds | None  # The instant at which the client knew the outcome. None for `waiting`.
    outcome: RequestOutcome
    attempts: tuple[Attempt, ...]
    value: int | None  # What was written (a value is written by one request only), or what was read; 0: never written.
    # The term of the leader that carried out the request. None if it is not acknowledged, or there are no terms.
    token: int | None
    log_index: int | None  # The position in the log: of the write, or of the state that was read. None without a log.
    stale: bool  # The answer was marked as stale: a server without a leader, or a leader without a quorum, gave it.


class WriteRow(NamedTuple):
    """One write that took effect, or that the resource rejected, at the instant at which that was decided.

    A retried request may take effect several times: it then has several rows. With a log, the row is written when a
    leader first commits the entry, which `log_index` and `token` identify.
    """

    time_ns: Nanoseconds
    node: NodeId  # The leader that committed it, or the claimant that sent it to the resource.
    client: NodeId
    number: int  # The request's.
    key: int
    value: int
    token: int | None  # The term of the entry, or the claimant's fencing token. None without terms.
    log_index: int | None  # The position in the log. None: the resource decided.
    claimed_ns: Nanoseconds | None  # Since when the claimant had claimed to lead as it sent this. None with a log.
    accepted: bool  # False if the resource rejected it, for a token that is older than one that it has seen.


def request_frame(requests: Sequence[RequestRow]) -> pd.DataFrame:
    """The requests as a table, with how many attempts each had, and the servers of the first and the last."""
    import pandas as pd  # Slow to import, and needed here only.

    columns = [*RequestRow._fields[:7], "attempts", "first_server", "last_server", *RequestRow._fields[8:]]
    found = (
        (*row[:7], len(row.attempts), row.attempts[0].server, row.attempts[-1].server, *row[8:]) for row in requests
    )
    return pd.DataFrame(found, columns=columns).astype({**_TEXT, **dict.fromkeys(_MAY_BE_MISSING, "Int64")})


def attempt_frame(requests: Sequence[RequestRow]) -> pd.DataFrame:
    """The attempts of all requests as a table."""
    import pandas as pd

    columns = ["client", "number", "attempt", *Attempt._fields]
    found = (
        (row.client, row.number, place, *attempt)
        for row in requests
        for place, attempt in enumerate(row.attempts, start=1)
    )
    return pd.DataFrame(found, columns=columns).astype({"outcome": "string", "answered_ns": "Int64"})


def write_frame(writes: Sequence[WriteRow]) -> pd.DataFrame:
    """The writes as a table."""
    import pandas as pd

    frame = pd.DataFrame(writes, columns=list(WriteRow._fields))
    return frame.astype(dict.fromkeys(("token", "log_index", "claimed_ns"), "Int64"))


_TEXT = {"operation": "string", "outcome": "string"}
_MAY_BE_MISSING = ("ended_ns", "value", "token", "log_index")
