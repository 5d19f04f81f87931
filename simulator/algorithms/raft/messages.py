"""Raft's messages (Figure 2), and those of its PreVote extension (dissertation, section 9.6)."""

from __future__ import annotations

from simulator.algorithms.raft.log import Entry
from simulator.protocol import NodeId, message


@message
class RequestVote:
    """A candidate asks for a vote (5.2), and shows the end of its log (5.4.1).

    One that the leader has asked to stand says so: it is heard even where a leader was heard (dissertation, 4.2.3).
    """

    term: int
    last_log_term: int = 0
    last_log_index: int = 0
    is_transfer: bool = False


@message
class RequestVoteReply:
    """A voter's answer; `term` tells a candidate that is behind to step down."""

    term: int
    vote_granted: bool


@message
class AppendEntries:
    """A leader's heartbeat (5.2), and what a follower's log lacks (5.3)."""

    term: int
    prev_log_index: int = 0
    prev_log_term: int = 0
    entries: tuple[Entry, ...] = ()
    leader_commit: int = 0
    round: int | None = None  # Of heartbeats, where the leader keeps a lease (dissertation, 6.4.1).


@message
class AppendEntriesReply:
    """A follower's answer; a refusal of a later term tells a leader that its own is over.

    `match_index` is how far the logs agree or, in a refusal, at most agree (5.3).
    """

    term: int
    success: bool
    match_index: int = 0
    round: int | None = None  # That of what it answers.


@message
class PreVote:
    """Would you vote for me in this term, which is the one after mine? (Dissertation, 9.6.)"""

    term: int
    last_log_term: int = 0
    last_log_index: int = 0


@message
class PreVoteReply:
    """Granted, `term` is the one that was asked about; refused, it is the voter's own."""

    term: int
    vote_granted: bool


@message
class TimeoutNow:
    """A leader asks a follower that has all of its log to stand at once (dissertation, 3.10)."""

    term: int


@message
class TransferRequest:
    """A follower passes on what an operator has asked it for, to the leader."""

    term: int
    to: NodeId | None = None


# --- Commands of operators and clients


@message
class Transfer:
    """Hand leadership to that server, or to whoever has all of the leader's log."""

    to: NodeId | None = None


@message
class Propose:
    """A client's command, of so many bytes."""

    size: int


@message
class AddServer:
    """Let that server vote, once it has caught up (dissertation, 4.2.1)."""

    node: NodeId


@message
class RemoveServer:
    """Let that server, voter or learner, be a member no more."""

    node: NodeId
