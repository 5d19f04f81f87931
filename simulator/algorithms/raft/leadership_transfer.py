"""Leadership transfer (dissertation, 3.10): bring the target's log up to date, then tell it to campaign at once.

Meanwhile the leader takes no commands. "If leadership transfer does not complete after about an election timeout, the
prior leader aborts the transfer and resumes accepting client requests."
"""

from __future__ import annotations

from collections.abc import Sequence

from simulator.algorithms.raft.replication import Replication
from simulator.protocol import Host, Nanoseconds, NodeId

ABORT_TRANSFER = "abort transfer"


class LeadershipTransfer:
    """The transfer that a leader has under way. There is at most one at a time."""

    def __init__(self, host: Host, timeout_ns: Nanoseconds) -> None:
        self.host = host
        self.timeout_ns = timeout_ns
        self.target: NodeId | None = None  # None: no transfer is under way.
        self.is_told = False  # Whether the target was told to campaign.

    def begin(self, target: NodeId) -> None:
        """Start to transfer leadership to a peer."""
        self.target = target
        self.is_told = False
        self.host.note("transfer", to=target)
        self.host.set_timer(ABORT_TRANSFER, self.timeout_ns)

    def abort(self) -> None:
        """The timeout has passed: the server goes on leading."""
        if self.target is not None:
            self.host.note("transfer-aborted", to=self.target)
            self.end()

    def end(self) -> None:
        """No transfer is under way any more."""
        if self.target is not None:
            self.target = None
            self.host.cancel_timer(ABORT_TRANSFER)


def default_target(voters: Sequence[NodeId], replication: Replication | None) -> NodeId | None:
    """Return the voter whose log is known to reach the furthest; of several, the lowest id.

    Without replication, logs are not known: the first voter. None if there is no voter.
    """
    if replication is None:
        return next(iter(voters), None)
    match_index = replication.match_index
    return max(voters, key=lambda peer: (match_index[peer], -peer), default=None)
