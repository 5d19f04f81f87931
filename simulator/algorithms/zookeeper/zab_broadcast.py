"""Zab's third phase at the leader: transactions are proposed, acknowledged and committed in order.

Junqueira, Reed and Serafini, "Zab" (2011): a transaction is committed when a quorum has it on disk, and transactions
are committed in the order in which they were proposed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from simulator.algorithms.zookeeper.messages import Commit, Inform, Proposal, Zxid
from simulator.algorithms.zookeeper.replica import Replica
from simulator.algorithms.zookeeper.server_state import ServerState
from simulator.protocol import Message, NodeId

LOGGED = "logged"  # The prefix of a write's name; the epoch and the position in it follow.


@dataclass(slots=True)
class Outstanding:
    """A transaction that has been proposed and is not committed yet."""

    zxid: Zxid
    transaction: Message
    acknowledged: set[NodeId] = field(default_factory=set)


class Broadcast:
    """The transactions of a leader's epoch. `learners` are always those that take part in the broadcast."""

    def __init__(self, server: ServerState, replica: Replica, epoch: int) -> None:
        self.server = server
        self.replica = replica
        self.epoch = epoch
        self.counter = 0
        self.outstanding: list[Outstanding] = []
        self.committed = server.history.last

    def propose(self, transaction: Message, learners: Sequence[NodeId]) -> Zxid:
        """Propose a transaction to the voters, and log it. Returns its number.

        A proposal promises nothing, so it leaves before the leader has logged it. The leader's own log counts towards
        the quorum. In ZooKeeper a proposal never waits for a write. Here it waits for the write of an earlier proposal
        if that is still going on.
        """
        self.counter += 1
        zxid = Zxid(self.epoch, self.counter)
        self.outstanding.append(Outstanding(zxid, transaction))
        for node in learners:
            if node in self.server.voters:
                self.server.host.send(node, Proposal(zxid, transaction))
        self.server.log(zxid, transaction, then=f"{LOGGED}: {self.epoch}.{self.counter}")
        return zxid

    def acknowledge(self, voter: NodeId, zxid: Zxid, learners: Sequence[NodeId]) -> None:
        """A voter has logged a transaction, and therefore all earlier transactions, too. Commit, in order, what a
        quorum has.
        """
        for proposed in self.outstanding:
            if proposed.zxid == zxid:
                proposed.acknowledged.add(voter)
        while self.outstanding and self.server.is_quorum(self.outstanding[0].acknowledged):
            self._commit(self.outstanding.pop(0), learners)

    def _commit(self, proposed: Outstanding, learners: Sequence[NodeId]) -> None:
        zxid, server = proposed.zxid, self.server
        self.committed = zxid
        index = server.history.truncate(zxid).index
        server.host.note("commit", term=self.epoch, index=index, entry_term=zxid.epoch)
        for node in learners:
            committed = Commit(zxid) if node in server.voters else Inform(zxid, proposed.transaction)
            server.host.send(node, committed)
        server.apply_up_to(zxid, self.replica)
