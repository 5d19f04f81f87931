"""The messages between the servers of an ensemble. Names are those of ZooKeeper's protocol.

Zab's paper calls FollowerInfo CEPOCH, LeaderInfo NEWEPOCH, AckEpoch ACK-E, NewLeader NEWLEADER with its acknowledgement
ACK-LD, and UpToDate COMMIT-LD. In ZooKeeper, elections and Zab have separate connections, which a server closes when it
leaves a phase. Here one connection between two processes carries both, and Refused and Closed replace the closing.
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
        """Its size in a message: 8 bytes, as ZooKeeper's."""
        return 8

    def __repr__(self) -> str:
        return f"({self.epoch}, {self.counter})"


NOTHING = Zxid(0, 0)  # The zxid before the first transaction.


class State(enum.StrEnum):
    """The state of a server in its ensemble."""

    LOOKING = "looking"
    FOLLOWING = "following"
    LEADING = "leading"
    OBSERVING = "observing"

    def __repr__(self) -> str:
        return repr(self.value)


# --- Fast Leader Election


@message
class Notification:
    """A server's vote: the server that it proposes, that server's last transaction and epoch, and the election."""

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
    """A learner asks to follow. It sends the last epoch that it has accepted, and the number of its attempt."""

    accepted_epoch: int
    connection: int


@message
class Refused:
    """The sender does not lead, or not yet, like a closed port."""

    connection: int


@message
class LeaderInfo:
    """The leader proposes an epoch, greater than any that a quorum has accepted."""

    epoch: int
    connection: int


@message
class AckEpoch:
    """The learner has accepted the epoch. It sends its last transaction and the epoch whose history it has.

    `current_epoch` is None if it had accepted the epoch before, which is no second vote.
    """

    current_epoch: int | None
    zxid: Zxid


@message
class Closed:
    """The sender has closed the connection of this number."""

    connection: int


# --- Synchronisation


@message
class Diff:
    """The learner's history is a prefix of the leader's. What is missing follows."""


@message
class Trunc:
    """The learner is to drop what is after this transaction; it was never committed. What is missing follows."""

    zxid: Zxid


@message
class Snap:
    """A state that replaces the learner's history, up to and including this transaction.

    `runs` holds each epoch with the index of its last transaction.
    """

    zxid: Zxid
    runs: tuple[tuple[int, int], ...]
    snapshot: object


@message
class NewLeader:
    """The whole history was sent. The sender leads this epoch once a quorum has the history."""

    epoch: int


@message
class UpToDate:
    """A quorum has the history: the learner is to serve."""


# --- Broadcast


@message
class Proposal:
    """The next transaction; during synchronisation, one that the learner has missed."""

    zxid: Zxid
    transaction: Message


@message
class Ack:
    """The transaction is on the sender's disk. With counter 0: the history of this epoch's leader is."""

    zxid: Zxid


@message
class Commit:
    """A quorum has the transaction."""

    zxid: Zxid


@message
class Inform:
    """The transaction is committed. To observers, which get no proposals."""

    zxid: Zxid
    transaction: Message


@message
class Ping:
    """From the leader, every half tick."""


@message
class PingReply:
    """The answer to Ping, with the sessions from which the sender has heard since the last one."""

    sessions: tuple[Message, ...] = ()


@message
class Request:
    """A client's request, forwarded to the leader."""

    request: Message


# --- Clients of an ensemble alone


@message
class Propose:
    """A command: a client's write of this many bytes. The leader proposes it; other servers ignore it."""

    size: int = 0


@message
class Write:
    """The transaction that a Propose becomes."""

    size: int = 0

    @property
    def wire_bytes(self) -> int:
        """Its size in a message."""
        return self.size
