"""One member of a ZooKeeper ensemble: looking for a leader, leading, following, or observing.

Zab and Fast Leader Election, as the package's docstring cites them. A server's term is the last epoch that it has
accepted. Who has served and looks for a leader is a pre-candidate, in no epoch yet; who has proposed an epoch is its
candidate; and it claims to lead once a quorum has its history, from when on it serves. So a round is an epoch in which
a server stood, and whom a follower names is a leader that serves.

Assumes no more than crashes and restarts, connections that are FIFO while they last, and in the end a majority of the
voters. Cost of an election, with m survivors that notice together: m·m notifications, as each tells all other voters,
the dead one too; at worst, m²(m + 1)/2, as each tells all again of every better vote that it hears. Then seven messages
with each follower, and two for its first attempt, which is refused; in time `leaving`, `finalize_wait`,
`connect_retry`, and what it takes to be ready with the leader's history (`synchronisation`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from simulator.algorithms.registration import Registration
from simulator.algorithms.zookeeper.config import EnsembleConfig
from simulator.algorithms.zookeeper.fast_leader_election import FINALIZE, PASSED, REPEAT, FastLeaderElection
from simulator.algorithms.zookeeper.history import History, of_length
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
    Notification,
    Ping,
    PingReply,
    Proposal,
    Propose,
    Refused,
    Request,
    Snap,
    State,
    Trunc,
    UpToDate,
    Write,
    Zxid,
)
from simulator.algorithms.zookeeper.replica import Replica
from simulator.algorithms.zookeeper.zab_follower import Learner
from simulator.algorithms.zookeeper.zab_leader import Leader
from simulator.protocol import (
    CANDIDATE,
    FOLLOWER,
    LEADER,
    PRE_CANDIDATE,
    Algorithm,
    Guarantee,
    Host,
    Message,
    NodeId,
    Role,
)

LEAVING = "leaving"  # A timer.


class Server(Algorithm):
    """One server. What it is made of depends on its state: `leader` while it leads, `learner` while it learns."""

    replica_type: ClassVar[type[Replica]] = Replica
    guarantees: ClassVar = frozenset(
        {
            Guarantee.ELECTION_SAFETY,
            Guarantee.ONE_VOTE,
            Guarantee.QUORUM_OF_VOTES,
            Guarantee.MONOTONIC_TERMS,
            Guarantee.LOG_UP_TO_DATE,
            Guarantee.LEADER_COMPLETENESS,
        }
    )

    def __init__(self, host: Host, config: EnsembleConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.config: EnsembleConfig = config
        self.group, members = next((name, nodes) for name, nodes in host.groups.items() if host.me in nodes)
        self.members = tuple(members)
        self.voters = self.members[: max(1, len(self.members) - config.observers)]
        self.observes = host.me not in self.voters
        self.accepted_epoch: int = durable.get("accepted_epoch", 0)  # The last that was proposed to this server.
        self.current_epoch: int = durable.get("current_epoch", 0)  # The last of whose leader it has had the history.
        self.history: History = durable.get("history", History())
        self.state = State.LOOKING
        self.serving = False
        self.has_served = False  # In this life.
        self.applied = NOTHING  # By the replica.
        self.connections = 0  # How often this server has asked to follow somebody.
        self.election = FastLeaderElection(self)
        self.leader: Leader | None = None
        self.learner: Learner | None = None
        self.replica = self.replica_type(self, durable)

    # --- For the replica, and for what the server is made of

    @property
    def leading(self) -> bool:
        """Whether this server leads; only once it serves, too, may it propose."""
        return self.leader is not None

    def propose(self, transaction: Message) -> Zxid:
        """Log a transaction and have it agreed on; only the leader may, once it serves."""
        assert self.leader is not None and self.serving
        return self.leader.propose(transaction)

    def forward(self, request: Message) -> None:
        """Hand a client's request to the leader, which may be this server; lost where this server does not serve."""
        if not self.serving:
            return
        if self.learner is not None:
            self.host.send(self.learner.leader, Request(request))
        else:
            self.replica.on_request(self.host.me, request)

    def is_quorum(self, servers: Iterable[NodeId]) -> bool:
        """Whether so many voters are a majority of all."""
        return 2 * sum(server in self.voters for server in servers) > len(self.voters)

    def declare(self, role: Role, leader: NodeId | None = None) -> None:
        self.host.transition(role, self.accepted_epoch, leader, self.group)

    def note_history(self, *, whole: bool = False) -> None:
        runs = {"runs": self.history.runs()} if whole else {}
        self.host.note("log", last_term=self.current_epoch, last_index=self.history.index, **runs)

    def accept(self, epoch: int, then: str | None = None) -> None:
        """Never accept an older one; and be on disk before anybody hears of it."""
        assert epoch >= self.accepted_epoch
        self.accepted_epoch = epoch
        self.host.save(then, accepted_epoch=epoch)

    def take_over(self, history: History, then: str | None = None) -> None:
        """The history of the accepted epoch's leader is this server's, in one write, and replaces its own."""
        self.history, self.current_epoch = history, self.accepted_epoch
        self.host.save(then, history=history, current_epoch=self.current_epoch)
        self.note_history()

    def log(self, zxid: Zxid, transaction: Message, then: str | None = None) -> None:
        self.history = self.history.append(zxid, transaction)
        self.host.save(then, history=self.history)

    def apply_up_to(self, zxid: Zxid) -> None:
        """Let the replica have what is committed; where it has missed too much, as a snapshot first."""
        if self.applied < self.history.base:
            self.applied = self.history.base
            self.replica.restore(self.history.snapshot)
        for entry in self.history.after(self.applied):
            if entry.zxid > zxid:
                break
            self.applied = entry.zxid
            self.replica.apply(entry.zxid, entry.transaction)

    # --- Inputs

    def on_start(self) -> None:
        if self.members != self.voters:
            self.host.note("configuration", voters=self.voters, learners=self.members[len(self.voters) :])
        self.note_history()
        self.look()

    def on_message(self, sender: NodeId, message: Message) -> None:
        handle = self.receive.get(type(message))
        if handle is None:
            self.replica.on_client_message(sender, message)
        else:
            handle(self, sender, message)

    def on_timer(self, name: str) -> None:
        if name in (REPEAT, FINALIZE, PASSED):
            self.election.on_timer(name)
        elif name == LEAVING:
            self._begin_election()
        elif name.startswith("replica"):
            self.replica.on_timer(name)
        elif self.leader is not None:
            self.leader.on_timer(name)
        elif self.learner is not None:
            self.learner.on_timer(name)

    def on_saved(self, name: str) -> None:
        if name.startswith("replica"):
            self.replica.on_saved(name)
        elif self.leader is not None:
            self.leader.on_saved(name)

    def on_command(self, command: Message) -> None:
        """A client's write (`Propose`)."""
        if self.leading and self.serving:
            self.propose(Write(command.size))

    def on_connect(self, peer: NodeId) -> None:
        if peer in self.members:
            self.election.on_connect(peer)
        else:
            self.replica.on_client_connect(peer)

    def on_disconnect(self, peer: NodeId, reason: str) -> None:
        if peer not in self.members:
            self.replica.on_client_disconnect(peer, reason)
            return
        self.election.on_disconnect(peer)
        if self.leader is not None:
            self.leader.on_disconnect(peer)
        elif self.learner is not None:
            self.learner.on_disconnect(peer, reason)

    def _on_notification(self, sender: NodeId, message: Notification) -> None:
        self.election.hear(sender, message)

    def _on_follower_info(self, sender: NodeId, message: FollowerInfo) -> None:
        if self.leader is None or not self.leader.listening:
            self.host.send(sender, Refused(message.connection))
        else:
            self.leader.on_follower_info(sender, message)

    def _for_leader(self, sender: NodeId, message: Message) -> None:
        """From a learner; who does not lead any more has closed the connection, and hears nothing over it."""
        if self.leader is not None:
            self.leader.on_message(sender, message)

    def _for_learner(self, sender: NodeId, message: Message) -> None:
        """From a leader; a server learns of one at a time."""
        if self.learner is not None and sender == self.learner.leader:
            self.learner.on_message(message)

    def _on_closed(self, sender: NodeId, message: Closed) -> None:
        self._for_leader(sender, message)
        self._for_learner(sender, message)

    # --- States

    def look(self) -> None:
        """From any state: leave whomever it leads or learns of, and look for a leader."""
        served, self.serving = self.serving, False
        if self.leader is not None:
            self.leader.close()
        if self.learner is not None:
            self.learner.close()
        self.leader = self.learner = None
        stands = self.has_served and not self.observes  # Who has just started suspects nobody.
        self.declare(PRE_CANDIDATE if stands else FOLLOWER)
        if served:
            self.replica.unserving()
        if self.state is State.LOOKING or not self.config.leaving:
            self._begin_election()
        else:
            self.host.set_timer(LEAVING, self.config.leaving)

    def _begin_election(self) -> None:
        """Until now others have heard what it was, not what it looks for."""
        self.state = State.LOOKING
        self.election.look()

    def elected(self, leader: NodeId) -> None:
        """The election is over for this server."""
        assert self.state is State.LOOKING
        self.state = self.election.vote.state
        if leader == self.host.me:
            self.leader = Leader(self)
            self.leader.start()
        else:
            self.declare(FOLLOWER)
            self.learner = Learner(self, leader)
            self.learner.start()

    def stand(self) -> None:
        """It has proposed an epoch."""
        assert self.state is State.LEADING
        self.declare(CANDIDATE)

    def lead(self) -> None:
        """A quorum has its history."""
        assert self.state is State.LEADING and not self.serving
        self.serving = self.has_served = True
        self.election.synchronised(self.current_epoch)
        self.note_history(whole=True)
        self.declare(LEADER, self.host.me)
        self.apply_up_to(self.history.last)
        self.replica.led()

    def follow(self, leader: NodeId, committed: Zxid) -> None:
        """Its leader serves, and so does this server."""
        assert self.state in (State.FOLLOWING, State.OBSERVING) and not self.serving
        self.serving = self.has_served = True
        self.election.synchronised(self.current_epoch)
        self.declare(FOLLOWER, leader)
        self.apply_up_to(committed)
        self.replica.followed()

    receive: ClassVar = {
        Notification: _on_notification,
        FollowerInfo: _on_follower_info,
        Refused: _for_learner,
        LeaderInfo: _for_learner,
        AckEpoch: _for_leader,
        Closed: _on_closed,
        Diff: _for_learner,
        Trunc: _for_learner,
        Snap: _for_learner,
        NewLeader: _for_learner,
        UpToDate: _for_learner,
        Proposal: _for_learner,
        Ack: _for_leader,
        Commit: _for_learner,
        Inform: _for_learner,
        Ping: _for_learner,
        PingReply: _for_leader,
        Request: _for_leader,
    }


def durable_log(length: int) -> Mapping[str, Any]:
    """What a history of so many transactions of one epoch leaves on disk."""
    epoch = min(length, 1)
    return {"accepted_epoch": epoch, "current_epoch": epoch, "history": of_length(length)}


ENSEMBLE = Registration(
    name="zookeeper-ensemble",
    group="ensemble",
    algorithm=Server,
    config=EnsembleConfig,
    paper="Junqueira, Reed and Serafini 2011 (Zab); Medeiros 2012 (Fast Leader Election)",
    cost="m² to m²(m + 1)/2 notifications of m survivors, 9(m − 1) to synchronise; 300 ms, and a follower's time",
    page="zookeeper.md",
    streams=True,
    durable_log=durable_log,
    commands={"propose": Propose},
    bytes_per_pair=34,
)
