"""Raft's messages (Figure 2), and those of its PreVote extension (dissertation, section 9.6)."""

from __future__ import annotations

from simulator.algorithms.raft.log import Entry
from simulator.protocol import NodeId, message


@message
class RequestVote:
    """A candidate asks for a vote (5.2), and tells the term and index of its last log entry (5.4.1).

    `is_transfer`: the leader has asked the candidate to campaign. Voters then heed the request even if they have just
    heard a leader (dissertation, 4.2.3).
    """

    term: int
    last_log_term: int = 0
    last_log_index: int = 0
    is_transfer: bool = False


@message
class RequestVoteReply:
    """A voter's answer. A candidate whose term is lower than `term` steps down."""

    term: int
    vote_granted: bool


@message
class AppendEntries:
    """A leader's heartbeat (5.2), with the entries that a follower's log lacks (5.3)."""

    term: int
    prev_log_index: int = 0
    prev_log_term: int = 0
    entries: tuple[Entry, ...] = ()
    leader_commit: int = 0
    round: int | None = None  # The number of a round of heartbeats, if the leader keeps a lease (6.4.1).


@message
class AppendEntriesReply:
    """A follower's answer. A leader whose term is lower than `term` steps down.

    `match_index` is the index up to which the logs agree; in a refusal, up to which they agree at most (5.3).
    """

    term: int
    success: bool
    match_index: int = 0
    round: int | None = None  # The round of heartbeats that this reply answers.


@message
class PreVote:
    """A pre-candidate asks whether it would get a vote in `term`, the one after its own (dissertation, 9.6)."""

    term: int
    last_log_term: int = 0
    last_log_index: int = 0


@message
class PreVoteReply:
    """A voter's answer. `term` is the one that was asked about if a vote is promised, and else the voter's own."""

    term: int
    vote_granted: bool


@message
class TimeoutNow:
    """A leader asks a follower that has its whole log to campaign at once (dissertation, 3.10)."""

    term: int


@message
class TransferRequest:
    """A follower passes an operator's `Transfer` on to the leader."""

    term: int
    to: NodeId | None = None


# --- Commands of operators and clients


@message
class Transfer:
    """Transfer leadership to that server; if none is named, to the one whose log reaches the furthest."""

    to: NodeId | None = None


@message
class Propose:
    """A client's command of `size` bytes."""

    size: int


@message
class AddServer:
    """Make that server a voter once it has caught up (dissertation, 4.2.1)."""

    node: NodeId


@message
class RemoveServer:
    """Remove that server, a voter or a learner, from the members."""

    node: NodeId
