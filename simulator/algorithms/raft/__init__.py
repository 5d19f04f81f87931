"""Raft, in parts. `server` has the paper, the assumptions and the cost.

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
