"""Leadership transfer (dissertation, 3.10): bring the target's log up to date, and tell it to stand at once.

Meanwhile the leader takes no commands. "If leadership transfer does not complete after about an election timeout, the
prior leader aborts the transfer and resumes accepting client requests."
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from simulator.algorithms.raft.lease import Lease
from simulator.algorithms.raft.messages import TimeoutNow
from simulator.algorithms.raft.replication import Replication
from simulator.protocol import Host, Nanoseconds, NodeId

ABORT = "abort transfer"


class Server(Protocol):
    """What a handover knows of its server."""

    term: int
    electors: Sequence[NodeId]
    replication: Replication | None
    lease: Lease | None

    def send_append_entries(self, peer: NodeId) -> None: ...


class Handover:
    """At most one transfer at a time. Without replication, all logs are taken to be as long as they will be."""

    def __init__(self, host: Host, server: Server, patience_ns: Nanoseconds) -> None:
        self.host = host
        self.server = server
        self.patience_ns = patience_ns
        self.to: NodeId | None = None
        self._told = False

    def begin(self, to: NodeId | None) -> None:
        """Hand over to a peer; to the one with the longest log that is known, where none is named."""
        if self.to is not None or (to is not None and to not in self.server.electors):
            return
        self.to = self._best() if to is None else to
        if self.to is None:
            return
        self._told = False
        self.host.note("transfer", to=self.to)
        self.host.set_timer(ABORT, self.patience_ns)
        if not self.proceed():
            self.server.send_append_entries(self.to)

    def proceed(self) -> bool:
        """Tell the target to stand as soon as it has the whole log; whether it has been told."""
        replication = self.server.replication
        if self.to is not None and not self._told and (replication is None or replication.has_all(self.to)):
            self._told = True
            if self.server.lease is not None:
                self.server.lease.bar()
            self.host.send(self.to, TimeoutNow(self.server.term))
        return self._told

    def abort(self) -> None:
        """Go on leading."""
        if self.to is not None:
            self.host.note("transfer-aborted", to=self.to)
            self.end()

    def end(self) -> None:
        """There is nothing to hand over any more."""
        if self.to is not None:
            self.to = None
            self.host.cancel_timer(ABORT)

    def _best(self) -> NodeId | None:
        replication = self.server.replication
        if replication is None:
            return next(iter(self.server.electors), None)
        return max(self.server.electors, key=lambda peer: (replication.match_index[peer], -peer), default=None)
