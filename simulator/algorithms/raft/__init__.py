"""Raft leader election: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014).

Sections 5.1 (terms), 5.2 (election), 5.3 (replication), 5.4 (up-to-date logs, commitment) and 5.6 (timing); Ongaro's
dissertation, sections 3.10 (leadership transfer), 4.1 and 4.2 (membership changes, one server at a time), 4.2.3 and 6.2
(leader stickiness, CheckQuorum), 6.4.1 (leases for reads) and 9.6 (PreVote).
Without replication, a log is the term and index of its last entry, and heartbeats are AppendEntries without entries.

Assumes crash-recovery nodes with stable storage, and a network that may lose, duplicate, delay and reorder.
Promises at most one leader in a term, always; a leader eventually, once a majority can talk within a time well
below the election timeout. An undisturbed election costs n - 1 requests and as many replies; the winner's first
heartbeats cost the same again, and the first vote request goes out one election timeout after the last heartbeat.

`config` holds the options, `dialects` the presets that real systems and published experiments make of them, `pace`
when a server acts of its own accord, `ways` how systems keep time instead, `election` the state machine and `prevote`
its votes that cost no term, `replication` the log, `handover` a transfer, `membership` and `changes` who belongs to the
cluster, `lease` that of a leader for reads, and `server` all of it together.
"""

from simulator.algorithms.raft.config import RaftConfig
from simulator.algorithms.raft.dialects import DIALECTS, dialect
from simulator.algorithms.raft.messages import (
    AddServer,
    AppendEntries,
    AppendEntriesReply,
    PreVote,
    PreVoteReply,
    Propose,
    RemoveServer,
    RequestVote,
    RequestVoteReply,
    TimeoutNow,
    Transfer,
    TransferRequest,
)
from simulator.algorithms.raft.server import Raft

__all__ = [
    "DIALECTS",
    "AddServer",
    "AppendEntries",
    "AppendEntriesReply",
    "PreVote",
    "PreVoteReply",
    "Propose",
    "Raft",
    "RaftConfig",
    "RemoveServer",
    "RequestVote",
    "RequestVoteReply",
    "TimeoutNow",
    "Transfer",
    "TransferRequest",
    "dialect",
]
