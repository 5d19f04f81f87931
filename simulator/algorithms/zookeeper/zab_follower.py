"""The part of a server that follows or observes the elected leader: Zab's phases as a learner.

Junqueira, Reed and Serafini, "Zab" (2011). A learner connects to the leader and sends the last epoch that it has
accepted. It accepts the leader's epoch if that is greater. It replaces its history by the leader's, in one write,
before it acknowledges. It serves when the leader serves, and then logs and acknowledges every proposal. It leaves a
leader that is silent for too long, or whose connection closes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from simulator.algorithms.zookeeper.history import History
from simulator.algorithms.zookeeper.messages import (
    Ack,
    AckEpoch,
    Closed,
    Commit,
    Diff,
    FollowerInfo,
    Inform,
    LeaderInfo,
    NewLeader,
    Ping,
    PingReply,
    Proposal,
    Refused,
    Snap,
    Trunc,
    UpToDate,
    Zxid,
)
from simulator.algorithms.zookeeper.replica import Replica
from simulator.algorithms.zookeeper.server_state import Outcome, ServerState
from simulator.protocol import FOLLOWER, Message, NodeId, spread

RETRY, SILENCE, SYNCHRONISED = "retry", "silence", "synchronised"  # Timers.
ATTEMPTS = 5  # At connecting, in Learner.java.


class Learner:
    """A follower or an observer of one leader, from the first attempt to connect on.

    The inputs return an `Outcome` if the server is to begin to serve, or to look for another leader.
    """

    def __init__(self, server: ServerState, replica: Replica, leader: NodeId) -> None:
        self.server = server
        self.replica = replica
        self.host = server.host
        self.config = server.config
        self.leader = leader
        self.attempts = 0
        self.connection = 0  # The number of the connection.
        # Whether the follower believes it is connected: it was neither refused, nor told that the leader has closed.
        self.open = False
        self.connected = False  # Whether the leader has answered.
        self.history = server.history  # The part of the leader's history that has arrived.
        self.committed = server.history.last
        self.knows_history = False  # Whether the whole history of the leader has come.
        self.has_history = False  # Whether the leader's history has replaced the follower's own history.
        self.unacknowledged: list[Zxid] = []  # Proposals that came before the history was taken over.

    # --- Inputs

    def start(self) -> None:
        """Connect to the leader, and wait for its answer."""
        self._await()
        delay = spread(self.host.random, self.config.connect_delay)
        if delay:
            self.host.set_timer(RETRY, delay)
        else:
            self._connect()

    def on_serving(self) -> None:
        """The server serves from now on: the leader may be silent for less time."""
        self._await()

    def on_message(self, message: Message) -> Outcome | None:
        """Handle a message of the leader. Until the leader has answered, most belong to an earlier connection."""
        if self.connected:
            self._await()
        elif not isinstance(message, LeaderInfo | Refused | Closed):
            return None
        return self.receive[type(message)](self, message)

    def on_timer(self, name: str) -> Outcome | None:
        """Leave a leader that has been silent for too long, or try again to connect to it."""
        if name == SILENCE:
            return self._leave()
        if name == RETRY:
            self._connect()
        else:
            self._take_over()
        return None

    def on_disconnect(self, peer: NodeId, reason: str) -> Outcome | None:
        """The connection to a server is closed, or was refused."""
        if peer != self.leader:
            return None
        self.open = False
        if reason == "refused" and not self.connected:
            return self._try_again()
        return self._leave()

    def close(self) -> None:
        """The server leaves this leader."""
        for name in (RETRY, SILENCE, SYNCHRONISED):
            self.host.cancel_timer(name)
        if self.open:
            self.host.send(self.leader, Closed(self.connection))

    # --- Discovery

    def _connect(self) -> None:
        self.attempts += 1
        self.open = True
        self.server.connections += 1
        self.connection = self.server.connections
        self.host.send(self.leader, FollowerInfo(self.server.accepted_epoch, self.connection))

    def _on_refused(self, message: Refused) -> Outcome | None:
        if message.connection != self.connection or self.connected:
            return None
        self.open = False
        return self._try_again()

    def _try_again(self) -> Outcome | None:
        if self.attempts == ATTEMPTS:
            return Outcome.LOOK
        self.host.set_timer(RETRY, self.config.connect_retry)
        return None

    def _on_leader_info(self, message: LeaderInfo) -> Outcome | None:
        """Accept a new epoch, and answer with the own history. An epoch accepted before is not accepted again.

        So a voter votes once for an epoch.
        """
        if message.connection != self.connection:
            return None
        self.connected = True
        self._await()
        server = self.server
        if message.epoch < server.accepted_epoch:
            return Outcome.LOOK
        newly = message.epoch > server.accepted_epoch
        if newly:
            server.accept(message.epoch)
            server.declare(FOLLOWER)
        self.host.send(self.leader, AckEpoch(server.current_epoch if newly else None, self.history.last))
        return None

    # --- Synchronisation

    def _on_diff(self, message: Diff) -> None:
        """The history is a prefix of the leader's: keep it."""

    def _on_trunc(self, message: Trunc) -> None:
        self.history = self.history.truncate(message.zxid)

    def _on_snap(self, message: Snap) -> None:
        self.history = History(base=message.zxid, base_runs=message.runs, snapshot=message.snapshot)

    def _on_new_leader(self, message: NewLeader) -> None:
        """The leader's whole history has come. Taking it over takes some time."""
        self.knows_history, self.committed = True, self.history.last
        config = self.config
        delay = spread(self.host.random, config.synchronisation if self.server.cold else config.warm_synchronisation)
        if delay:
            self.host.set_timer(SYNCHRONISED, delay)
        else:
            self._take_over()

    def _take_over(self) -> None:
        self.has_history = True
        self.server.take_over(self.history)
        self._acknowledge(Zxid(self.server.current_epoch, 0))
        for zxid in self.unacknowledged:
            self._acknowledge(zxid)

    def _on_up_to_date(self, message: UpToDate) -> Outcome:
        return Outcome.SERVE

    # --- Broadcast

    def _on_proposal(self, message: Proposal) -> None:
        """Log and acknowledge a proposal.

        During synchronisation it is a part of the leader's history, or follows it.
        """
        if self.has_history:
            self.server.log(message.zxid, message.transaction)
            self._acknowledge(message.zxid)
            return
        self.history = self.history.append(message.zxid, message.transaction)
        if self.knows_history:
            self.unacknowledged.append(message.zxid)

    def _on_commit(self, message: Commit) -> None:
        self._commit(message.zxid)

    def _on_inform(self, message: Inform) -> None:
        if self.has_history:
            self.server.log(message.zxid, message.transaction)
        else:
            self.history = self.history.append(message.zxid, message.transaction)
        self._commit(message.zxid)

    def _commit(self, zxid: Zxid) -> None:
        self.committed = zxid
        if self.server.serving:
            self.server.apply_up_to(zxid, self.replica)

    def _acknowledge(self, zxid: Zxid) -> None:
        if not self.server.observes or zxid.counter == 0:
            self.host.send(self.leader, Ack(zxid))

    # --- Keeping the leader

    def _on_ping(self, message: Ping) -> None:
        self.host.send(self.leader, PingReply(self.replica.touched()), ordered=False)

    def _on_closed(self, message: Closed) -> Outcome | None:
        if message.connection != self.connection:
            return None
        self.open = False
        return Outcome.LOOK

    def _leave(self) -> Outcome:
        """The leader is silent, or its process has died."""
        if self.server.serving:
            self.host.note("suspected", leader=self.leader)
        return Outcome.LOOK

    def _await(self) -> None:
        config = self.config
        self.host.set_timer(SILENCE, config.sync_timeout if self.server.serving else config.init_timeout)

    receive: ClassVar[Mapping[type, Callable[[Any, Any], Outcome | None]]] = {
        LeaderInfo: _on_leader_info,
        Refused: _on_refused,
        Closed: _on_closed,
        Diff: _on_diff,
        Trunc: _on_trunc,
        Snap: _on_snap,
        NewLeader: _on_new_leader,
        UpToDate: _on_up_to_date,
        Proposal: _on_proposal,
        Commit: _on_commit,
        Inform: _on_inform,
        Ping: _on_ping,
    }
