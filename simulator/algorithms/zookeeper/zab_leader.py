"""What a server does that Fast Leader Election has chosen: Zab's phases, as a leader.

Junqueira, Reed and Serafini, "Zab" (2011). Discovery: a quorum tells which epochs it has accepted, the leader proposes
a greater one, and a quorum accepts it, whose histories must not be ahead of its own. (In the paper the leader then
takes over the best history of that quorum; ZooKeeper, and this, elect who has the best already.) Synchronisation:
each follower gets the leader's history, and once a quorum has it on disk the leader is established: only then may it
propose. Broadcast: a transaction is committed, in the order of proposals, when a quorum has it. All the while the
leader pings its followers every half tick, sees every tick whether a quorum of them is left, and gives up otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from simulator.algorithms.zookeeper.messages import (
    NOTHING,
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
    Request,
    Snap,
    Trunc,
    UpToDate,
    Zxid,
)
from simulator.protocol import Message, NodeId

if TYPE_CHECKING:
    from simulator.algorithms.zookeeper.server import Server

LISTEN, STEP, HALF_TICK, LEARNER = "listen", "step", "half-tick", "learner "  # Timers; the last, of each learner.
EPOCH_PROPOSED, EPOCH_CURRENT, LOGGED = "epoch proposed", "epoch current", "logged"  # Writes.


@dataclass(slots=True)
class Connection:
    """A learner that is connected, and how far it has come."""

    number: int
    summary: AckEpoch | None = None  # What it has answered to the epoch.
    synchronising: bool = False  # It has been sent the history, and is sent all that is new.
    has_history: bool = False


@dataclass(slots=True)
class Outstanding:
    """A transaction that is proposed, and not committed."""

    zxid: Zxid
    transaction: Message
    acknowledged: set[NodeId] = field(default_factory=set)


class Leader:
    """A prospective leader, and a leader once it serves."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.host = server.host
        self.config = server.config
        self.listening = False
        self.learners: dict[NodeId, Connection] = {}
        self.accepted = {self.host.me: server.accepted_epoch}  # By whoever has asked to follow.
        self.summary = (server.current_epoch, server.history.last)  # Of its own history, which it must be ahead with.
        self.epoch: int | None = None  # Proposed.
        self.epoch_on_disk = False
        self.accepted_by: set[NodeId] = set()  # The voters that have accepted the epoch.
        self.has_quorum_of_epochs = False
        self.followed_by: set[NodeId] = set()  # The voters that have its history.
        self.counter = 0
        self.outstanding: list[Outstanding] = []
        self.committed = NOTHING
        self.whole_tick = False

    # --- Inputs

    def start(self) -> None:
        self.host.set_timer(LISTEN, self.config.listen_delay)
        self._await_step()
        self._discover()

    def on_message(self, sender: NodeId, message: Message) -> None:
        learner = self.learners.get(sender)
        if learner is None:
            return  # It was given up, and will learn of it.
        self._await(sender)
        self.receive[type(message)](self, sender, learner, message)

    def on_follower_info(self, sender: NodeId, message: FollowerInfo) -> None:
        """A learner connects, in place of an earlier connection of its own."""
        self.learners[sender] = Connection(message.connection)
        self._await(sender)
        self.accepted[sender] = message.accepted_epoch
        if self.epoch_on_disk:
            self._tell_epoch(sender)
        else:
            self._discover()

    def on_timer(self, name: str) -> None:
        if name == LISTEN:
            self.listening = True
        elif name == HALF_TICK:
            self._tick()
        elif name == STEP:
            self.server.look()  # No quorum has come so far in time.
        else:
            self._drop(int(name.removeprefix(LEARNER)))

    def on_saved(self, name: str) -> None:
        """Writes of an earlier reign of this server's name other epochs."""
        kind, _, rest = name.partition(": ")
        epoch, _, counter = rest.partition(".")
        if self.epoch is None or int(epoch) != self.epoch:
            return
        if kind == EPOCH_PROPOSED:
            self._has_proposed_epoch()
        elif kind == EPOCH_CURRENT:
            self._has_history(self.host.me)
        else:
            self._has_logged(self.host.me, Zxid(self.epoch, int(counter)))

    def on_disconnect(self, peer: NodeId) -> None:
        if peer in self.learners:
            self._forget(peer)

    def close(self) -> None:
        """The server gives up leading."""
        for name in (LISTEN, STEP, HALF_TICK):
            self.host.cancel_timer(name)
        for learner in list(self.learners):
            self._drop(learner)

    # --- Discovery

    def _discover(self) -> None:
        """Propose an epoch, once a quorum has told which it has accepted."""
        if self.epoch is None and self.server.is_quorum(self.accepted):
            self.epoch = max(self.accepted.values()) + 1
            self.server.accept(self.epoch, then=self._write(EPOCH_PROPOSED))

    def _has_proposed_epoch(self) -> None:
        self.epoch_on_disk = True
        self.server.stand()
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
                self._drop(sender)  # It is ahead of this leader, and must not follow it.
            elif sender in self.server.voters:
                self._has_accepted(sender)

    def _has_accepted(self, voter: NodeId) -> None:
        """A voter accepts an epoch once, so that no two leaders have it."""
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
        """Send a learner what it has missed, drop what it has too much, and let it take part in what is going on."""
        learner, server = self.learners[node], self.server
        assert learner.summary is not None and self.epoch is not None
        learner.synchronising = True
        agreed = self.committed if server.serving else server.history.last
        history = server.history.truncate(agreed)
        shared = history.common(learner.summary.zxid)
        if shared is None or (server.serving and len(history.after(shared)) > self.config.diff_limit):
            shared = self._send_snapshot(node)
        else:
            self.host.send(node, Diff() if shared == learner.summary.zxid else Trunc(shared))
        for entry in history.after(shared):
            self.host.send(node, Proposal(entry.zxid, entry.transaction))
        self.host.send(node, NewLeader(self.epoch))
        if node in server.voters:
            for one in self.outstanding:
                self.host.send(node, Proposal(one.zxid, one.transaction))

    def _send_snapshot(self, node: NodeId) -> Zxid:
        """The state as it is, or the one that the history begins with; the last transaction that is in it."""
        server, history = self.server, self.server.history
        if server.serving:
            snapshot = Snap(server.applied, history.truncate(server.applied).runs(), server.replica.snapshot())
        else:
            snapshot = Snap(history.base, history.base_runs, history.snapshot)
        self.host.send(node, snapshot)
        return snapshot.zxid

    def _on_ack(self, sender: NodeId, learner: Connection, message: Ack) -> None:
        if message.zxid.counter:
            self._has_logged(sender, message.zxid)
            return
        learner.has_history = True
        if self.server.serving:
            self._await(sender)
            self.host.send(sender, UpToDate())
        elif sender in self.server.voters:
            self._has_history(sender)

    def _has_history(self, voter: NodeId) -> None:
        self.followed_by.add(voter)
        if not self.server.serving and self.server.is_quorum(self.followed_by):
            self.host.cancel_timer(STEP)
            self.committed = self.server.history.last
            for node, learner in self.learners.items():
                if learner.has_history:
                    self.host.send(node, UpToDate())
            self.host.set_timer(HALF_TICK, self.config.tick_time // 2)
            self.server.lead()
            for node in self.learners:
                self._await(node)

    # --- Broadcast

    def propose(self, transaction: Message) -> Zxid:
        """A proposal promises nothing, and leaves before the leader has logged it; its own log is one of the quorum.

        In ZooKeeper no proposal waits for a write. Here it waits for that of an earlier one, if that is still going on.
        """
        assert self.epoch is not None
        self.counter += 1
        zxid = Zxid(self.epoch, self.counter)
        self.outstanding.append(Outstanding(zxid, transaction))
        for node in self._taking_part():
            if node in self.server.voters:
                self.host.send(node, Proposal(zxid, transaction))
        self.server.log(zxid, transaction, then=f"{self._write(LOGGED)}.{self.counter}")
        return zxid

    def _has_logged(self, voter: NodeId, zxid: Zxid) -> None:
        """Commit what a quorum has, in order; whatever a later one has, it has all before."""
        for one in self.outstanding:
            if one.zxid == zxid:
                one.acknowledged.add(voter)
        while self.outstanding and self.server.is_quorum(self.outstanding[0].acknowledged):
            self._commit(self.outstanding.pop(0))

    def _commit(self, one: Outstanding) -> None:
        self.committed = one.zxid
        history = self.server.history.truncate(one.zxid)
        self.host.note("commit", term=self.epoch, index=history.index, entry_term=one.zxid.epoch)
        for node in self._taking_part():
            told = Commit(one.zxid) if node in self.server.voters else Inform(one.zxid, one.transaction)
            self.host.send(node, told)
        self.server.apply_up_to(one.zxid)

    def _on_request(self, sender: NodeId, learner: Connection, message: Request) -> None:
        if self.server.serving:
            self.server.replica.on_request(sender, message.request)

    def _taking_part(self) -> list[NodeId]:
        return [node for node, learner in self.learners.items() if learner.synchronising]

    # --- Keeping a quorum

    def _tick(self) -> None:
        """Twice a tick: ping; and every other time see whether a quorum is left."""
        present = [self.host.me, *(node for node, learner in self.learners.items() if learner.has_history)]
        if self.whole_tick and not self.server.is_quorum(present):
            self.server.look()
            return
        self.whole_tick = not self.whole_tick
        for node in self._taking_part():
            self.host.send(node, Ping())
        self.host.set_timer(HALF_TICK, self.config.tick_time // 2)

    def _on_ping_reply(self, sender: NodeId, learner: Connection, message: PingReply) -> None:
        self.server.replica.on_touched(sender, message.sessions)

    def _on_closed(self, sender: NodeId, learner: Connection, message: Closed) -> None:
        if message.connection == learner.number:
            self._forget(sender)

    def _await(self, learner: NodeId) -> None:
        """A learner may be silent for so long: it is pinged, once this server serves."""
        config, pinged = self.config, self.server.serving and self.learners[learner].has_history
        self.host.set_timer(f"{LEARNER}{learner}", config.sync_timeout if pinged else config.init_timeout)

    def _await_step(self) -> None:
        """A quorum must come through each step within initLimit."""
        self.host.set_timer(STEP, self.config.init_timeout)

    def _drop(self, learner: NodeId) -> None:
        self.host.send(learner, Closed(self.learners[learner].number))
        self._forget(learner)

    def _forget(self, learner: NodeId) -> None:
        del self.learners[learner]
        self.host.cancel_timer(f"{LEARNER}{learner}")

    def _write(self, kind: str) -> str:
        return f"{kind}: {self.epoch}"

    receive: ClassVar[Mapping[type, Callable[[Any, NodeId, Connection, Any], None]]] = {
        AckEpoch: _on_ack_epoch,
        Ack: _on_ack,
        PingReply: _on_ping_reply,
        Request: _on_request,
        Closed: _on_closed,
    }
