"""What the parts of a member share: its host, its Raft server, and its store."""

from __future__ import annotations

from simulator.algorithms.etcd.config import EtcdConfig
from simulator.algorithms.etcd.messages import Proposal, size_of
from simulator.algorithms.etcd.store import Store
from simulator.algorithms.raft import Raft
from simulator.algorithms.raft.log import Entry
from simulator.algorithms.raft.replication import Replication
from simulator.protocol import LEADER, Host, NodeId


class Member:
    """One member of the cluster, as `proposals`, `reads`, `renewals` and `watch_streams` see it."""

    def __init__(self, host: Host, config: EtcdConfig, raft: Raft, store: Store) -> None:
        assert raft.replication is not None
        self.host = host
        self.config = config
        self.raft = raft
        self.store = store
        self.replication: Replication = raft.replication
        self.last_tick_ns = host.monotonic()  # When the Raft loop last ticked.
        self.applied = 0  # The index of the last entry that the store has applied.

    @property
    def leads(self) -> bool:
        """Whether this member leads, as far as it knows."""
        return self.raft.role is LEADER

    @property
    def leader(self) -> NodeId | None:
        """The leader that this member knows of; it may be this member."""
        return self.raft.leader

    def append(self, proposal: Proposal) -> None:
        """Append a proposal to the log and replicate it. It is lost if this member does not lead, or hands over."""
        raft = self.raft
        if self.leads and raft.transfer.target is None:
            raft.append(self.replication, Entry(raft.term, size_of(proposal.request), command=proposal))
            raft.send_to_all()

    @property
    def is_active(self) -> bool:
        """Whether the Raft loop has ticked within the last three ticks, so that a leader need not prove that it leads.

        Always True for versions of etcd that do not look (`ensure_leadership: false`).
        """
        since_ns = self.host.monotonic() - self.last_tick_ns
        return since_ns < 3 * self.config.heartbeat_interval or not self.config.ensure_leadership
