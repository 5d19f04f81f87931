"""Read-only mode: what a server does for clients while it is not sure that there is a leader with a quorum.

A server is unsure while it knows no leader, and a leader is unsure while too few others have answered it. It then
refuses writes, and answers reads from its own state, marked as stale, if the client takes such answers and the server
has not been unsure for longer than the client allows. Examples: ZooKeeper's read-only mode (`readonlymode.enabled` and
the client's `canBeReadOnly`), bounded staleness in CockroachDB and MongoDB.
"""

from __future__ import annotations

from simulator.clients.messages import Operation, Request
from simulator.protocol import Host, Nanoseconds


class Sureness:
    """Whether a server is sure, and since when it is not, on its monotonic clock. It notes each change."""

    def __init__(self, host: Host) -> None:
        self.unsure_since: Nanoseconds | None = None
        self._host = host

    def lose(self, why: str) -> None:
        """The server is unsure from now on, if it was sure."""
        if self.unsure_since is None:
            self.unsure_since = self._host.monotonic()
            self._host.note("unsure", why=why)

    def regain(self) -> None:
        """The server is sure again."""
        if self.unsure_since is not None:
            self.unsure_since = None
            self._host.note("sure")

    def allows_stale_read(self, request: Request) -> bool:
        """Whether a read is to be answered from this server's own state, and marked as stale."""
        if self.unsure_since is None or request.stale_reads_for is None or request.operation is not Operation.READ:
            return False
        return self._host.monotonic() - self.unsure_since <= request.stale_reads_for

    def refuses_write(self, request: Request) -> bool:
        """Whether an unsure server refuses a write that it would take otherwise."""
        return self.unsure_since is not None and request.stale_reads_for is not None
