"""One member of a ZooKeeper ensemble. It looks for a leader, leads, follows or observes.

Zab and Fast Leader Election, as cited in the package's docstring. The parts of a server get its state (`server_state`)
and its replica as arguments; this module gives each input to the part that handles it, and changes the server's role
when that part says so.

A server's term is the last epoch that it has accepted. A server that has served and looks for a leader is a
pre-candidate. A server that has proposed an epoch is a candidate of that epoch. It declares itself leader when a quorum
has its history, and serves from then on. So an election round is an epoch in which a server was a candidate, and the
leader that a follower names is a leader that serves.

Assumes only that servers crash and restart, that connections are FIFO while they last, and that in the end a majority
of the voters runs. Cost of an election in which m survivors notice the loss together: m·m notifications, since each
tells all other voters, the dead one too; at worst m²(m + 1)/2, since each tells all again about every better vote that
it hears of. Then seven messages with each follower, and two for its first attempt if it is refused. Time: `leaving`,
the time for its notifications (`notification_time` each, m(m + 1)/2 at most), `finalize_wait`, `connect_retry` if its
followers were refused, and what it takes to use the leader's history (`synchronisation`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from simulator.algorithms.zookeeper.config import EnsembleConfig
from simulator.algorithms.zookeeper.fast_leader_election import FINALIZE, PASSED, REPEAT, FastLeaderElection
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
    Notification,
    Ping,
    PingReply,
    Proposal,
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
from simulator.algorithms.zookeeper.server_state import Outcome, ServerState
from simulator.algorithms.zookeeper.zab_follower import Learner
from simulator.algorithms.zookeeper.zab_leader import Leader
from simulator.protocol import FOLLOWER, LEADER, PRE_CANDIDATE, Algorithm, Guarantee, Host, Message, NodeId, spread

LEAVING = "leaving"  # A timer.


class Server(Algorithm):
    """One server. It has a `leader` part while it leads, and a `learner` part while it follows or observes."""

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
        self.state = ServerState(host, config, durable)
        self.election = FastLeaderElection(self.state)
        self.leader: Leader | None = None
        self.learner: Learner | None = None
        self.replica = self.replica_type(self, durable)

    def view(self) -> Mapping[str, object]:
        leader, learner = self.leader, self.learner
        return {
            "role": self.election.vote.state,
            "election": self.election.view(),
            **self.state.view(),
            "learners": () if leader is None else tuple(leader.learners),
            "leader": self.host.me if leader is not None else None if learner is None else learner.leader,
            **self.replica.view(),
        }

    # --- What a replica asks for (`ReplicaServer`)

    @property
    def leading(self) -> bool:
        """Whether this server leads. It may propose only if it serves, too."""
        return self.leader is not None

    @property
    def serving(self) -> bool:
        """Whether this server leads or follows, and serves clients."""
        return self.state.serving

    def propose(self, transaction: Message) -> Zxid:
        """Log a transaction and have the ensemble agree on it. Returns its number. Only on a leader that serves."""
        assert self.leader is not None and self.serving
        return self.leader.propose(transaction)

    def forward(self, request: Message) -> None:
        """Send a client's request to the leader, which may be this server. Lost if this server does not serve."""
        if not self.serving:
            return
        if self.learner is not None:
            self.host.send(self.learner.leader, Request(request))
        else:
            self.replica.on_request(self.host.me, request)

    # --- Inputs

    def on_start(self) -> None:
        state = self.state
        if state.members != state.voters:
            self.host.note("configuration", voters=state.voters, learners=state.members[len(state.voters) :])
        state.note_history()
        self._look()

    def on_message(self, sender: NodeId, message: Message) -> None:
        handle = self.receive.get(type(message))
        if handle is None:
            self.replica.on_client_message(sender, message)
        else:
            handle(self, sender, message)

    def on_timer(self, name: str) -> None:
        if name in (REPEAT, FINALIZE, PASSED):
            self._end_election(self.election.on_timer(name))
        elif name == LEAVING:
            self.election.look()
        elif name.startswith("replica"):
            self.replica.on_timer(name)
        elif self.leader is not None:
            self._act(self.leader.on_timer(name))
        elif self.learner is not None:
            self._act(self.learner.on_timer(name))

    def on_saved(self, name: str) -> None:
        if name.startswith("replica"):
            self.replica.on_saved(name)
        elif self.leader is not None:
            self._act(self.leader.on_saved(name))

    def on_command(self, command: Message) -> None:
        """A client's write (`Propose`). Only a leader that serves takes it."""
        if self.leading and self.serving:
            self.propose(Write(command.size))

    def on_connect(self, peer: NodeId) -> None:
        if peer in self.state.members:
            self.election.on_connect(peer)
        else:
            self.replica.on_client_connect(peer)

    def on_disconnect(self, peer: NodeId, reason: str) -> None:
        if peer not in self.state.members:
            self.replica.on_client_disconnect(peer, reason)
            return
        self.election.on_disconnect(peer)
        if self.leader is not None:
            self.leader.on_disconnect(peer)
        elif self.learner is not None and self.learner.on_disconnect(peer, reason) is Outcome.LOOK:
            self._look(closed=True)

    def _on_notification(self, sender: NodeId, message: Notification) -> None:
        self._end_election(self.election.hear(sender, message))

    def _on_follower_info(self, sender: NodeId, message: FollowerInfo) -> None:
        if self.leader is None or not self.leader.listening:
            self.host.send(sender, Refused(message.connection))
        else:
            self.leader.on_follower_info(sender, message)

    def _for_leader(self, sender: NodeId, message: Message) -> None:
        """A message from a learner. A server that does not lead any more has closed the connection and ignores it."""
        if self.leader is not None:
            self._act(self.leader.on_message(sender, message))

    def _for_learner(self, sender: NodeId, message: Message) -> None:
        """A message from a leader. A server has at most one leader, and ignores others."""
        if self.learner is not None and sender == self.learner.leader:
            self._act(self.learner.on_message(message))

    def _on_closed(self, sender: NodeId, message: Closed) -> None:
        self._for_leader(sender, message)
        self._for_learner(sender, message)

    # --- Roles

    def _act(self, outcome: Outcome | None) -> None:
        """Do what the leader part or the learner part says."""
        if outcome is Outcome.LOOK:
            self._look()
        elif outcome is Outcome.SERVE and self.leader is not None:
            self._lead(self.leader)
        elif outcome is Outcome.SERVE and self.learner is not None:
            self._follow(self.learner)

    def _look(self, *, closed: bool = False) -> None:
        """Leave any role, then start to look for a leader after the time that leaving takes.

        `closed`: the connection to the leader was closed, as after a kill of its process.
        """
        served, self.state.serving = self.state.serving, False
        if self.leader is not None:
            self.leader.close()
        if self.learner is not None:
            self.learner.close()
        self.leader = self.learner = None
        suspects = self.state.has_served and not self.state.observes  # A server that has just started suspects nobody.
        self.state.declare(PRE_CANDIDATE if suspects else FOLLOWER)
        if served:
            self.replica.unserving()
        if self.election.looking:
            self.election.look()
            return
        self.state.leave(closed=closed)
        config = self.config
        delay = config.leaving if self.state.cold else spread(self.host.random, config.warm_leaving)
        if delay:  # Until then, the server answers notifications with the vote of its old role.
            self.host.set_timer(LEAVING, delay)
        else:
            self.election.look()

    def _end_election(self, leader: NodeId | None) -> None:
        """Lead, or learn from the elected leader. None: the election goes on."""
        if leader is None:
            return
        assert self.leader is None and self.learner is None
        if leader == self.host.me:
            self.leader = Leader(self.state, self.replica)
            self.leader.start()
        else:
            self.state.declare(FOLLOWER)
            self.learner = Learner(self.state, self.replica, leader)
            self.learner.start()

    def _lead(self, leader: Leader) -> None:
        """A quorum has this leader's history."""
        self._begin_to_serve()
        self.state.note_history(whole=True)
        self.state.declare(LEADER, self.host.me)
        self.state.apply_up_to(self.state.history.last, self.replica)
        self.replica.led()
        leader.on_serving()

    def _follow(self, learner: Learner) -> None:
        """The leader of this server serves, and so does this server."""
        self._begin_to_serve()
        self.state.declare(FOLLOWER, learner.leader)
        self.state.apply_up_to(learner.committed, self.replica)
        self.replica.followed()
        learner.on_serving()

    def _begin_to_serve(self) -> None:
        assert self.election.vote.state is not State.LOOKING and not self.state.serving
        self.state.serving = self.state.has_served = True
        self.election.synchronised(self.state.current_epoch)

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
