"""The part of a server that Fast Leader Election has chosen: Zab's first two phases as a leader, and its pings.

Junqueira, Reed and Serafini, "Zab" (2011). Discovery: the members of a quorum tell the leader which epochs they have
accepted. The leader proposes a greater epoch, and a quorum accepts it. No history of this quorum may be ahead of the
leader's. (In the paper the leader takes over the quorum's best history. ZooKeeper elects a server that has it.)
Synchronisation: each follower gets the leader's history. The leader serves, and may propose (`zab_broadcast`), once a
quorum has it on disk. It pings its followers every half tick, and gives up after a tick without a quorum.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from simulator.algorithms.zookeeper.messages import (
    Ack,
    AckEpoch,
    Closed,
    Diff,
    FollowerInfo,
    LeaderInfo,
    NewLeader,
    Ping,
    PingReply,
    Proposal,
    Request,
    Trunc,
    UpToDate,
    Zxid,
)
from simulator.algorithms.zookeeper.replica import Replica
from simulator.algorithms.zookeeper.server_state import Outcome, ServerState
from simulator.algorithms.zookeeper.zab_broadcast import Broadcast
from simulator.protocol import CANDIDATE, Message, NodeId

# Names of timers. LEARNER begins the name of one timer for each learner.
LISTEN, STEP, HALF_TICK, LEARNER = "listen", "step", "half-tick", "learner "
EPOCH_PROPOSED, EPOCH_CURRENT = "epoch proposed", "epoch current"  # Names of writes. `zab_broadcast` has further ones.


@dataclass(slots=True)
class Connection:
    """A connected learner, and how far it has come."""

    number: int
    summary: AckEpoch | None = None  # The learner's answer to the proposed epoch.
    synchronising: bool = False  # The learner was sent the history, and is sent every new proposal.
    has_history: bool = False


class Leader:
    """A prospective leader, and a leader once it serves.

    The inputs return an `Outcome` if the server is to begin to serve, or to give up leading.
    """

    def __init__(self, server: ServerState, replica: Replica) -> None:
        self.server = server
        self.replica = replica
        self.host = server.host
        self.config = server.config
        self.listening = False
        self.learners: dict[NodeId, Connection] = {}
        self.accepted = {self.host.me: server.accepted_epoch}  # The epochs that the learners have accepted.
        # The last epoch and zxid of its own history: no follower may be ahead of them.
        self.summary = (server.current_epoch, server.history.last)
        self.epoch: int | None = None  # The epoch that this leader has proposed.
        self.epoch_on_disk = False
        self.accepted_by: set[NodeId] = set()  # The voters that have accepted the epoch.
        self.has_quorum_of_epochs = False
        self.followed_by: set[NodeId] = set()  # The voters that have this leader's history.
        self.broadcast: Broadcast | None = None  # Set once a quorum has this leader's history.
        self.whole_tick = False

    # --- Inputs

    def start(self) -> None:
        """Wait for learners, for the time that the first step may take."""
        self.host.set_timer(LISTEN, self.config.listen_delay if self.server.cold else self.config.warm_listen_delay)
        self._await_step()
        self._discover()

    def on_serving(self) -> None:
        """The server serves from now on: learners are pinged, and may be silent for less time."""
        for node in self.learners:
            self._await(node)

    def on_message(self, sender: NodeId, message: Message) -> Outcome | None:
        """Handle a message of a learner. Messages of learners that this leader has left are ignored."""
        learner = self.learners.get(sender)
        if learner is None:
            return None  # This leader has closed the learner's connection, and the learner knows.
        self._await(sender)
        return self.receive[type(message)](self, sender, learner, message)

    def on_follower_info(self, sender: NodeId, message: FollowerInfo) -> None:
        """A learner connects. This replaces its earlier connection, if any."""
        self.learners[sender] = Connection(message.connection)
        self._await(sender)
        self.accepted[sender] = message.accepted_epoch
        if self.epoch_on_disk:
            self._tell_epoch(sender)
        else:
            self._discover()

    def on_timer(self, name: str) -> Outcome | None:
        """Give up a step that takes too long, open the port, ping learners, or leave a silent one."""
        if name == STEP:
            return Outcome.LOOK  # No quorum has finished this step in time.
        if name == HALF_TICK:
            return self._tick()
        if name == LISTEN:
            self.listening = True
        else:
            self._drop(int(name.removeprefix(LEARNER)))
        return None

    def on_saved(self, name: str) -> Outcome | None:
        """A write is on disk. Writes from an earlier leadership of this server name another epoch."""
        kind, _, rest = name.partition(": ")
        epoch, _, counter = rest.partition(".")
        if self.epoch is None or int(epoch) != self.epoch:
            return None
        if kind == EPOCH_CURRENT:
            return self._has_history(self.host.me)
        if kind == EPOCH_PROPOSED:
            self._has_proposed_epoch()
        else:
            self._has_logged(self.host.me, Zxid(self.epoch, int(counter)))
        return None

    def on_disconnect(self, peer: NodeId) -> None:
        """The connection of a learner is closed."""
        if peer in self.learners:
            self._forget(peer)

    def close(self) -> None:
        """The server gives up leading: close all connections."""
        for name in (LISTEN, STEP, HALF_TICK):
            self.host.cancel_timer(name)
        for learner in list(self.learners):
            self._drop(learner)

    # --- Discovery

    def _discover(self) -> None:
        """Propose an epoch, once a quorum has told which epochs it has accepted."""
        if self.epoch is None and self.server.is_quorum(self.accepted):
            self.epoch = max(self.accepted.values()) + 1
            self.server.accept(self.epoch, then=self._write(EPOCH_PROPOSED))

    def _has_proposed_epoch(self) -> None:
        self.epoch_on_disk = True
        self.server.declare(CANDIDATE)
        self._await_step()
        for learner in self.learners:
            self._tell_epoch(learner)
        self._has_accepted(self.host.me)

    def _tell_epoch(self, learner: NodeId) -> None:
        assert self.epoch is not None
        self.host.send(learner, LeaderInfo(self.epoch, self.learners[learner].number))

    def _on_ack_epoch(self, sender: NodeId, learner: Connection, message: AckEpoch) -> None:
        learner.summary = message
        if self.has_quorum_of_epochs:
            self._synchronise(sender)
        elif message.current_epoch is not None:
            if (message.current_epoch, message.zxid) > self.summary:
                self._drop(sender)  # The learner has a newer history than this leader, and must not follow it.
            elif sender in self.server.voters:
                self._has_accepted(sender)

    def _has_accepted(self, voter: NodeId) -> None:
        """A voter has accepted the epoch. It accepts an epoch only once, so no two leaders have the same epoch."""
        self.accepted_by.add(voter)
        self.host.note("vote", term=self.epoch, voter=voter)
        if self.server.is_quorum(self.accepted_by):
            self.has_quorum_of_epochs = True
            self._await_step()
            self.server.take_over(self.server.history, then=self._write(EPOCH_CURRENT))
            for node, learner in list(self.learners.items()):
                if learner.summary is not None:
                    self._synchronise(node)

    # --- Synchronisation

    def _synchronise(self, node: NodeId) -> None:
        """Send a learner what it has missed, and what to drop, and let it take part in the broadcast."""
        learner, server = self.learners[node], self.server
        assert learner.summary is not None and self.epoch is not None
        learner.synchronising = True
        agreed = server.history.last if self.broadcast is None else self.broadcast.committed
        history = server.history.truncate(agreed)
        shared = history.common(learner.summary.zxid)
        if shared is None or (server.serving and len(history.after(shared)) > self.config.diff_limit):
            snapshot = server.snapshot(self.replica)
            self.host.send(node, snapshot)
            shared = snapshot.zxid
        else:
            self.host.send(node, Diff() if shared == learner.summary.zxid else Trunc(shared))
        for entry in history.after(shared):
            self.host.send(node, Proposal(entry.zxid, entry.transaction))
        self.host.send(node, NewLeader(self.epoch))
        if node in server.voters:
            for proposed in self.broadcast.outstanding if self.broadcast is not None else ():
                self.host.send(node, Proposal(proposed.zxid, proposed.transaction))

    def _on_ack(self, sender: NodeId, learner: Connection, message: Ack) -> Outcome | None:
        if message.zxid.counter:
            self._has_logged(sender, message.zxid)
            return None
        learner.has_history = True
        if self.server.serving:
            self._await(sender)
            self.host.send(sender, UpToDate())
        elif sender in self.server.voters:
            return self._has_history(sender)
        return None

    def _has_history(self, voter: NodeId) -> Outcome | None:
        self.followed_by.add(voter)
        if self.server.serving or not self.server.is_quorum(self.followed_by):
            return None
        assert self.epoch is not None
        self.host.cancel_timer(STEP)
        self.broadcast = Broadcast(self.server, self.replica, self.epoch)
        for node, learner in self.learners.items():
            if learner.has_history:
                self.host.send(node, UpToDate())
        self.host.set_timer(HALF_TICK, self.config.tick_time // 2)
        return Outcome.SERVE

    # --- Broadcast

    def propose(self, transaction: Message) -> Zxid:
        """Propose a transaction to the learners that take part. Returns its number. Only once the server serves."""
        assert self.broadcast is not None
        return self.broadcast.propose(transaction, self._taking_part())

    def _has_logged(self, voter: NodeId, zxid: Zxid) -> None:
        if self.broadcast is not None:
            self.broadcast.acknowledge(voter, zxid, self._taking_part())

    def _on_request(self, sender: NodeId, learner: Connection, message: Request) -> None:
        if self.server.serving:
            self.replica.on_request(sender, message.request)

    def _taking_part(self) -> list[NodeId]:
        return [node for node, learner in self.learners.items() if learner.synchronising]

    # --- Keeping a quorum

    def _tick(self) -> Outcome | None:
        """Twice a tick: ping the learners. Every other time, check first whether a quorum is left."""
        present = [self.host.me, *(node for node, learner in self.learners.items() if learner.has_history)]
        if self.whole_tick and not self.server.is_quorum(present):
            return Outcome.LOOK
        self.whole_tick = not self.whole_tick
        for node in self._taking_part():
            self.host.send(node, Ping())
        self.host.set_timer(HALF_TICK, self.config.tick_time // 2)
        return None

    def _on_ping_reply(self, sender: NodeId, learner: Connection, message: PingReply) -> None:
        self.replica.on_touched(sender, message.sessions)

    def _on_closed(self, sender: NodeId, learner: Connection, message: Closed) -> None:
        if message.connection == learner.number:
            self._forget(sender)

    def _await(self, learner: NodeId) -> None:
        """Restart the timer of a learner's silence. Learners are pinged only when this server serves."""
        pinged = self.server.serving and self.learners[learner].has_history
        timeout = self.config.sync_timeout if pinged else self.config.init_timeout
        self.host.set_timer(f"{LEARNER}{learner}", timeout)

    def _await_step(self) -> None:
        """Restart the timer of the present step: a quorum must complete each step within initLimit."""
        self.host.set_timer(STEP, self.config.init_timeout)

    def _drop(self, learner: NodeId) -> None:
        self.host.send(learner, Closed(self.learners[learner].number))
        self._forget(learner)

    def _forget(self, learner: NodeId) -> None:
        del self.learners[learner]
        self.host.cancel_timer(f"{LEARNER}{learner}")

    def _write(self, kind: str) -> str:
        return f"{kind}: {self.epoch}"

    receive: ClassVar[Mapping[type, Callable[[Any, NodeId, Connection, Any], Outcome | None]]] = {
        AckEpoch: _on_ack_epoch,
        Ack: _on_ack,
        PingReply: _on_ping_reply,
        Request: _on_request,
        Closed: _on_closed,
    }
