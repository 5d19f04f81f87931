"""What a server knows of its ensemble, keeps on disk, and has handed to its replica.

The parts of a server (`fast_leader_election`, `zab_follower`, `zab_leader`, `zab_broadcast`) get this record, and the
replica, as arguments. They send, save and set timers through its host, and return an `Outcome` when the server is to
change its role. None of them knows the server itself.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Any

from simulator.algorithms.zookeeper.config import EnsembleConfig
from simulator.algorithms.zookeeper.history import History
from simulator.algorithms.zookeeper.messages import NOTHING, Snap, Zxid
from simulator.algorithms.zookeeper.replica import Replica
from simulator.protocol import Host, Message, NodeId, Role


class Outcome(enum.Enum):
    """What a server is to do after its leader or learner part has handled an input."""

    LOOK = "look"  # Give up this role, and look for a leader.
    SERVE = "serve"  # Begin to serve: a leader when a quorum has its history, a learner when its leader serves.


class ServerState:
    """The membership, the epochs and the history of one server. The epochs and the history are on disk.

    A majority of the voters is a quorum. Observers are members without a vote.
    """

    def __init__(self, host: Host, config: EnsembleConfig, durable: Mapping[str, Any]) -> None:
        self.host = host
        self.config = config
        self.group, members = next((name, nodes) for name, nodes in host.groups.items() if host.me in nodes)
        self.members = tuple(members)
        self.voters = self.members[: max(1, len(self.members) - config.observers)]
        self.observes = host.me not in self.voters
        # The last epoch that a leader proposed to this server.
        self.accepted_epoch: int = durable.get("accepted_epoch", 0)
        # The last epoch whose leader's history this server took over.
        self.current_epoch: int = durable.get("current_epoch", 0)
        self.history: History = durable.get("history", History())
        self.applied = NOTHING  # The last transaction that the replica has applied.
        self.serving = False
        self.has_served = False  # Since the server started.
        self.cold = config.cold != "never"  # Whether the code of the next role has not run in this process yet.
        self.connections = 0  # The number of connections to a leader that the server has asked for.

    def is_quorum(self, servers: Iterable[NodeId]) -> bool:
        """Whether the voters among these servers are a majority of all voters."""
        return 2 * sum(server in self.voters for server in servers) > len(self.voters)

    def leave(self, *, closed: bool) -> None:
        """The server leaves its role, because the leader's connection was closed, or for another reason."""
        self.cold = self.config.cold == "always" or (closed and self.config.cold == "after_kill")

    def declare(self, role: Role, leader: NodeId | None = None) -> None:
        """Declare a role in the accepted epoch, which is the server's term."""
        self.host.transition(role, self.accepted_epoch, leader, self.group)

    def note_history(self, *, whole: bool = False) -> None:
        """Write the end of the history to the trace; with `whole`, also how far each epoch reaches."""
        runs = {"runs": self.history.runs()} if whole else {}
        self.host.note("log", last_term=self.current_epoch, last_index=self.history.index, **runs)

    # --- What goes to disk

    def accept(self, epoch: int, then: str | None = None) -> None:
        """Accept an epoch, and save it before any message that is sent later. The epoch must not be an older one."""
        assert epoch >= self.accepted_epoch
        self.accepted_epoch = epoch
        self.host.save(then, accepted_epoch=epoch)

    def take_over(self, history: History, then: str | None = None) -> None:
        """Replace the history by that of the accepted epoch's leader. History and epoch are saved in one write."""
        self.history, self.current_epoch = history, self.accepted_epoch
        self.host.save(then, history=history, current_epoch=self.current_epoch)
        self.note_history()

    def log(self, zxid: Zxid, transaction: Message, then: str | None = None) -> None:
        """Append a transaction to the history, and save it."""
        self.history = self.history.append(zxid, transaction)
        self.host.save(then, history=self.history)

    # --- What is committed

    def apply_up_to(self, zxid: Zxid, replica: Replica) -> None:
        """Let the replica apply every committed transaction up to this one.

        If the replica has missed transactions that are only in the snapshot, it restores the snapshot first.
        """
        if self.applied < self.history.base:
            self.applied = self.history.base
            replica.restore(self.history.snapshot)
        for entry in self.history.after(self.applied):
            if entry.zxid > zxid:
                break
            self.applied = entry.zxid
            replica.apply(entry.zxid, entry.transaction)

    def snapshot(self, replica: Replica) -> Snap:
        """The replica's present state if the server serves; otherwise the snapshot with which the history begins."""
        history = self.history
        if self.serving:
            return Snap(self.applied, history.truncate(self.applied).runs(), replica.snapshot())
        return Snap(history.base, history.base_runs, history.snapshot)

    def view(self) -> Mapping[str, object]:
        """What a page may show of it, in plain values: epochs, and the history by epoch with its last ten entries."""
        return {
            "serving": self.serving,
            "accepted epoch": self.accepted_epoch,
            "current epoch": self.current_epoch,
            "history": self.history.runs(),
            "last entries": tuple(repr(entry.zxid) for entry in self.history.last_entries(10)),
            "applied": repr(self.applied),
        }
