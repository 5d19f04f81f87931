"""Whether a voter may elect a candidate: its log (5.4.1), its priority, and whether it may be elected at all."""

from __future__ import annotations

from simulator.algorithms.raft.config import RaftConfig
from simulator.algorithms.raft.messages import PreVote, RequestVote
from simulator.protocol import NodeId


def is_electable(
    candidate: NodeId, message: RequestVote | PreVote, voter: NodeId, voter_log: tuple[int, int], config: RaftConfig
) -> bool:
    """Return whether a candidate may get a vote, as far as its log and the options decide.

    `voter_log`: term and index of the voter's last entry. "The voter denies its vote if its own log is more up-to-date"
    (5.4.1). If the logs are equal, the voter may have priority (tikv/raft-rs#68).
    """
    if candidate in config.ineligible:
        return False
    log = (message.last_log_term, message.last_log_index)
    return log > voter_log or (log == voter_log and not _has_priority(voter, candidate, message, config.priorities))


def _has_priority(
    voter: NodeId, candidate: NodeId, message: RequestVote | PreVote, priorities: tuple[int, ...]
) -> bool:
    """Return whether the voter's priority is higher than a candidate's whom no leader has asked to campaign."""
    if not priorities or (isinstance(message, RequestVote) and message.is_transfer):
        return False
    return priorities[candidate - 1] < priorities[voter - 1]
