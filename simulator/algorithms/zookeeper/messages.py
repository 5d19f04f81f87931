"""What the servers of an ensemble say to each other. Names are those of ZooKeeper's protocol.

Zab's paper calls FollowerInfo CEPOCH, LeaderInfo NEWEPOCH, AckEpoch ACK-E, NewLeader NEWLEADER with its acknowledgement
ACK-LD, and UpToDate COMMIT-LD. In ZooKeeper elections and Zab have connections of their own, which a server closes when
it leaves a phase; here one connection between two processes carries both, and Refused and Closed say what closing says.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from simulator.protocol import Message, message


class Zxid(NamedTuple):
    """A transaction's number: the epoch in which it was proposed, and its place there. Ordered by both."""

    epoch: int
    counter: int

    @property
    def wire_bytes(self) -> int:
        return 8

    def __repr__(self) -> str:
        return f"({self.epoch}, {self.counter})"


NOTHING = Zxid(0, 0)  # Before the first transaction.


class State(enum.StrEnum):
    """What a server is to its ensemble."""

    LOOKING = "looking"
    FOLLOWING = "following"
    LEADING = "leading"
    OBSERVING = "observing"

    def __repr__(self) -> str:
        return repr(self.value)


# --- Fast Leader Election


@message
class Notification:
    """A server's vote: whom it proposes, with that server's last transaction and current epoch, in which election."""

    leader: int
    zxid: Zxid
    peer_epoch: int
    election_epoch: int
    state: State = State.LOOKING

    @property
    def order(self) -> tuple[int, Zxid, int]:
        """Votes are ordered by epoch, then transaction, then id."""
        return self.peer_epoch, self.zxid, self.leader


# --- Discovery


@message
class FollowerInfo:
    """I am to follow you. The last epoch that I have accepted; `connection` numbers the attempt, and is repeated."""

    accepted_epoch: int
    connection: int


@message
class Refused:
    """I do not lead, or not yet: what a closed port says."""

    connection: int


@message
class LeaderInfo:
    """The new epoch: greater than any that a quorum has accepted."""

    epoch: int
    connection: int


@message
class AckEpoch:
    """I have accepted it. My last transaction, and the epoch of the last leader that I was in step with.

    `current_epoch` is None from whom had accepted this epoch before: that is no second vote.
    """

    current_epoch: int | None
    zxid: Zxid


@message
class Closed:
    """I have closed our connection, where that is still the one of this number."""

    connection: int


# --- Synchronisation


@message
class Diff:
    """Your history is the beginning of mine: what is missing follows."""


@message
class Trunc:
    """Drop what is behind this transaction: it has never been agreed. What is missing follows."""

    zxid: Zxid


@message
class Snap:
    """Take this state in place of your history: all up to and with that transaction.

    `runs` tells how many there have been: each epoch, with the last place that it reaches.
    """

    zxid: Zxid
    runs: tuple[tuple[int, int], ...]
    snapshot: object


@message
class NewLeader:
    """You have my history. Once a quorum has, I lead this epoch."""

    epoch: int


@message
class UpToDate:
    """A quorum has: serve."""


# --- Broadcast


@message
class Proposal:
    """The next transaction. During synchronisation, one that was missing."""

    zxid: Zxid
    transaction: Message


@message
class Ack:
    """It is on my disk. With counter 0: so is the history of this epoch's leader, and I follow it."""

    zxid: Zxid


@message
class Commit:
    """A quorum has it."""

    zxid: Zxid


@message
class Inform:
    """To observers: it is agreed."""

    zxid: Zxid
    transaction: Message


@message
class Ping:
    """From the leader, every half tick."""


@message
class PingReply:
    """I am here; and these sessions have been heard of since the last one."""

    sessions: tuple[Message, ...] = ()


@message
class Request:
    """A client's request, forwarded to the leader."""

    request: Message


# --- Clients of an ensemble alone


@message
class Propose:
    """A client's write, of so many bytes: the leader proposes it, and others ignore it."""

    size: int = 0


@message
class Write:
    """The transaction that a Propose becomes."""

    size: int = 0

    @property
    def wire_bytes(self) -> int:
        return self.size
