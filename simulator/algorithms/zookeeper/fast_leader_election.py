"""Fast Leader Election: how the servers of an ensemble find out whom they are to follow, before Zab begins (phase 0).

Medeiros, "ZooKeeper's atomic broadcast protocol: theory and practice" (2012), describes it; details are those of
ZooKeeper 3.8 (FastLeaderElection.java). A server that looks for a leader votes for itself, and tells all voters. It
changes to the greatest vote that it hears of, by (epoch, zxid, id), and tells all of each change. Once a quorum, itself
included, votes as it does, it listens for another `finalize_wait`, from the last vote that was no better, and then
follows its choice. Whoever does not look for a leader answers who does with the vote that it goes by; of a quorum that
follows a leader, and the leader itself, that is enough to join them.

A vote reaches only those who are looking: a server that enters the election just after one has been sent has not heard
it, and hears it when it is repeated, at the earliest after 200 ms of silence. Nothing here promises that anybody is
elected, or one server only: Zab does not depend on it.

Each server has one connection with each other, whoever has opened it. In ZooKeeper it is the server of the higher id
that opens it, and closes one that a lower has opened. As there, what was told last is told again over a new connection,
unless something still waits to be told. Unlike there, older votes that wait are not dropped for newer ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from simulator.algorithms.zookeeper.messages import Notification, State, Zxid
from simulator.algorithms.zookeeper.server_state import ServerState
from simulator.protocol import Nanoseconds, NodeId, describe

REPEAT, FINALIZE, PASSED = "notification", "finalize", "passed"  # Timers.
THREADS = 4  # WorkerSender and SendWorker on one side, RecvWorker and WorkerReceiver on the other.
_NOBODY = Notification(leader=0, zxid=Zxid(-1, 0), peer_epoch=-1, election_epoch=0)  # An observer votes for nobody.


class FastLeaderElection:
    """One server's part. `vote` is its current vote; after the election it says whom the server follows.

    `on_timer` and `hear` return the id of the elected leader when they decide the election, and None otherwise.
    """

    def __init__(self, server: ServerState) -> None:
        self.server = server
        self.host = server.host
        self.config = server.config
        self.clock = 0  # Counts elections (ZooKeeper's logicalclock); it is not on disk.
        self.vote = _NOBODY
        self.received: dict[NodeId, Notification] = {}  # Of this election.
        self.established: dict[NodeId, Notification] = {}  # Of those who follow or lead, whatever election that was.
        self.interval = self.config.notification_interval[0]
        self.finalizing = False
        self._passing: deque[tuple[Nanoseconds, NodeId, Notification]] = deque()  # When each has passed all threads.
        self._connected: set[NodeId] = set()
        self._waiting: set[NodeId] = set()  # To whom something has been sent that waits for a connection.

    @property
    def looking(self) -> bool:
        """Whether the server takes part in an election."""
        return self.vote.state is State.LOOKING

    def view(self) -> Mapping[str, object]:
        """What a page may show of it, in plain values: the votes, as text."""
        votes = {voter: describe(vote) for voter, vote in self.received.items()}
        return {"election": self.clock, "vote": describe(self.vote), "votes received": votes}

    # --- Inputs

    def look(self) -> None:
        """Begin an election."""
        self.clock += 1
        self.received, self.established = {}, {}
        self.interval, self.finalizing = self.config.notification_interval[0], False
        self._propose(self._own_vote())
        self._listen()
        self._count()

    def hear(self, sender: NodeId, heard: Notification) -> NodeId | None:
        """A notification has come. It passes from thread to thread until it is handled."""
        delay = THREADS * self.config.hand_over
        if not delay:
            return self._receive(sender, heard)
        self._passing.append((self.host.monotonic() + delay, sender, heard))
        if len(self._passing) == 1:
            self.host.set_timer(PASSED, delay)
        return None

    def _receive(self, sender: NodeId, heard: Notification) -> NodeId | None:
        if sender not in self.server.voters:
            self._tell(sender)
        elif not self.looking:
            if heard.state == State.LOOKING:
                self._tell(sender)
        else:
            if heard.state == State.LOOKING and heard.election_epoch < self.clock:
                self._tell(sender)
            return self._take(sender, heard)
        return None

    def on_timer(self, name: str) -> NodeId | None:
        if name == FINALIZE:
            return self._decide(self.vote)
        if name == PASSED:
            _, sender, heard = self._passing.popleft()
            if self._passing:
                self.host.set_timer(PASSED, max(0, self._passing[0][0] - self.host.monotonic()))
            return self._receive(sender, heard)
        self._tell_all()
        self.interval = min(2 * self.interval, self.config.notification_interval[1])
        self._listen()
        return None

    def on_connect(self, peer: NodeId) -> None:
        """Who could not be reached before has heard nothing."""
        self._connected.add(peer)
        if peer in self._waiting:
            self._waiting.remove(peer)
        elif self.looking and peer in self.server.voters:
            self._tell(peer)

    def on_disconnect(self, peer: NodeId) -> None:
        self._connected.discard(peer)
        self._waiting.discard(peer)

    def stop(self) -> None:
        for name in (REPEAT, FINALIZE):
            self.host.cancel_timer(name)

    def synchronised(self, epoch: int) -> None:
        """The server has a leader's history: what it tells others of it is that leader's epoch (ZOOKEEPER-1732)."""
        self.vote = replace(self.vote, peer_epoch=epoch)

    # --- Votes

    def _take(self, sender: NodeId, heard: Notification) -> NodeId | None:
        """What a server that looks does with a notification of a voter, as it takes them from its queue in turn."""
        if self.finalizing:
            if heard.order <= self.vote.order:
                self.host.set_timer(FINALIZE, self.config.finalize_wait)
                return None
            self.finalizing = False
            self.host.cancel_timer(FINALIZE)
        self._listen()
        if heard.leader not in self.server.voters:
            return None
        if heard.state == State.LOOKING:
            self._compare(sender, heard)
        elif heard.state != State.OBSERVING:
            return self._join(sender, heard)
        return None

    def _compare(self, sender: NodeId, heard: Notification) -> None:
        if heard.election_epoch < self.clock:
            return
        if heard.election_epoch > self.clock:
            self.clock = heard.election_epoch
            self.received = {}
            own = self._own_vote()
            self._propose(heard if heard.order > own.order else own)
        elif heard.order > self.vote.order:
            self._propose(heard)
        self.received[sender] = heard
        self._count()

    def _count(self) -> None:
        """Where a quorum votes as this server does, nothing but a better vote can change that any more."""
        if self._has_quorum(self.received, self.vote):
            self.finalizing = True
            self.host.cancel_timer(REPEAT)
            self.host.set_timer(FINALIZE, self.config.finalize_wait)

    def _join(self, sender: NodeId, heard: Notification) -> NodeId | None:
        """From who follows or leads: of this election, it counts with the others; of any, a quorum of them does."""
        if heard.election_epoch == self.clock:
            self.received[sender] = heard
            if self._has_quorum(self.received, heard) and self._leads(self.received, heard):
                return self._decide(heard)
        self.established[sender] = heard
        if self._has_quorum(self.established, heard) and self._leads(self.established, heard):
            self.clock = heard.election_epoch
            return self._decide(heard)
        return None

    def _has_quorum(self, votes: Mapping[NodeId, Notification], vote: Notification) -> bool:
        return self.server.is_quorum([voter for voter, other in votes.items() if _same(vote, other)])

    def _leads(self, votes: Mapping[NodeId, Notification], vote: Notification) -> bool:
        """Whether a leader says so itself: or servers would go on electing one that has died."""
        if vote.leader == self.host.me:
            return vote.election_epoch == self.clock
        return vote.leader in votes and votes[vote.leader].state == State.LEADING

    def _decide(self, vote: Notification) -> NodeId:
        self.stop()
        self.finalizing = False
        leads = vote.leader == self.host.me
        learns = State.OBSERVING if self.server.observes else State.FOLLOWING
        self.vote = replace(vote, election_epoch=self.clock, state=State.LEADING if leads else learns)
        return self.vote.leader

    # --- Telling

    def _own_vote(self) -> Notification:
        server = self.server
        if server.observes:
            return replace(_NOBODY, election_epoch=self.clock)
        return Notification(self.host.me, server.history.last, server.current_epoch, self.clock)

    def _propose(self, vote: Notification) -> None:
        """Vote as one has heard another vote, or for oneself, and tell all: oneself, too."""
        self.vote = replace(vote, election_epoch=self.clock, state=State.LOOKING)
        self._tell_all()
        if not self.server.observes:
            self.received[self.host.me] = self.vote

    def _tell_all(self) -> None:
        for voter in self.server.voters:
            if voter != self.host.me:
                self._tell(voter)

    def _tell(self, peer: NodeId) -> None:
        if peer not in self._connected:
            self._waiting.add(peer)
        self.host.send(peer, self.vote)

    def _listen(self) -> None:
        self.host.set_timer(REPEAT, self.interval)


def _same(one: Notification, other: Notification) -> bool:
    """Votes of those who follow differ in what they know of the leader's history and of elections (ZOOKEEPER-1805)."""
    if State.LOOKING in (one.state, other.state):
        return one.order == other.order and one.election_epoch == other.election_epoch
    return (one.leader, one.peer_epoch) == (other.leader, other.peer_epoch)
