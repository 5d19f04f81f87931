"""Raft. `node` has the algorithm, the paper, the assumptions and the cost; `election_timer` decides when to campaign.

`config` holds the options, `dialects` the sets of them that real systems and published experiments use, and `messages`
the messages and commands. The parts of a node: `replication` with `log`, `check_quorum`, `lease` (for reads),
`leadership_transfer`, `membership` (the configuration in use) and `membership_change` (how a leader changes it).
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
from simulator.algorithms.raft.node import Raft

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
