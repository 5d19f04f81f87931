"""Raft's messages (Figure 2), and those of its PreVote extension (dissertation, section 9.6)."""

from __future__ import annotations

from simulator.protocol import message


@message
class RequestVote:
    """A candidate asks for a vote (5.2), and shows the end of its log (5.4.1)."""

    term: int
    last_log_term: int = 0
    last_log_index: int = 0


@message
class RequestVoteReply:
    """A voter's answer; `term` tells a candidate that is behind to step down."""

    term: int
    vote_granted: bool


@message
class AppendEntries:
    """A leader's heartbeat (5.2)."""

    term: int


@message
class AppendEntriesReply:
    """A follower's answer; a refusal tells a leader that its term is over."""

    term: int
    success: bool


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
