"""Fast Leader Election: the servers of an ensemble choose the server that leads them, before Zab begins (phase 0).

Medeiros, "ZooKeeper's atomic broadcast protocol: theory and practice" (2012), describes it; details are those of
ZooKeeper 3.8 (FastLeaderElection.java). A server that looks for a leader votes for itself and sends its vote to all
voters. Votes are ordered by (epoch, zxid, id). If the server hears of a greater vote, it changes to that vote and sends
it to all. When a quorum, itself included, has the same vote as the server, it waits for another `finalize_wait`, which
starts again with each vote that is no better. Then it follows its choice. A server that is not looking answers a server
that is with its own vote. A server joins a leader if a quorum follows that leader, and the leader itself says so.

A vote reaches only servers that are looking. If a server begins to look just after a vote was sent, it has missed the
vote, and gets it when it is repeated, at the earliest after 200 ms of silence. Nothing guarantees that a server is
elected, or only one; Zab does not depend on it.

Each server has one connection with each other server, whichever opened it. In ZooKeeper the server with the higher id
opens it, and closes connections that lower ones have opened. As there, the last vote is sent again over a new
connection, unless another vote still waits to be sent. Unlike there, older votes that wait are not dropped for newer
ones.

As there, a server's own vote passes its queue, too, and one thread handles the votes that come one after another. So
each notification lengthens the election by `notification_time`, and restarts the wait. A better vote that comes during
the wait goes to the end of the queue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from simulator.algorithms.zookeeper.messages import Notification, State, Zxid
from simulator.algorithms.zookeeper.server_state import ServerState
from simulator.protocol import Nanoseconds, NodeId, describe, spread

REPEAT, FINALIZE, PASSED = "notification", "finalize", "passed"  # Timers.
THREADS = 4  # WorkerSender and SendWorker on one side, RecvWorker and WorkerReceiver on the other.
OWN_THREADS = 2  # A server's own vote goes from WorkerSender to WorkerReceiver.
_NOBODY = Notification(
    leader=0, zxid=Zxid(-1, 0), peer_epoch=-1, election_epoch=0
)  # The vote of an observer, for no server.


class FastLeaderElection:
    """One server's part. `vote` is its current vote; after the election it says whom the server follows.

    `on_timer` and `hear` return the id of the elected leader when they decide the election, and None otherwise.
    """

    def __init__(self, server: ServerState) -> None:
        self.server = server
        self.host = server.host
        self.config = server.config
        self.clock = 0  # The number of this election (ZooKeeper's logicalclock), which is not on disk.
        self.vote = _NOBODY
        self.received: dict[NodeId, Notification] = {}  # The votes of this election, by voter.
        self.established: dict[NodeId, Notification] = {}  # The votes of servers that follow or lead, of any election.
        self.interval = self.config.notification_interval[0]
        self.finalizing = False
        # Notifications on their way through the threads, each with the instant at which the last thread gets it.
        self._passing: deque[tuple[Nanoseconds, NodeId, Notification]] = deque()
        self._connected: set[NodeId] = set()
        self._waiting: set[NodeId] = set()  # Peers for which a vote waits for a connection.

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
        self._listen()
        self._propose(self._own_vote())

    def hear(self, sender: NodeId, heard: Notification) -> NodeId | None:
        """A notification has come. It passes from thread to thread until it is handled."""
        delay = (THREADS if sender != self.host.me else OWN_THREADS) * self.config.hand_over
        if not self._passing and not delay and not any(self.config.notification_time):
            return self._receive(sender, heard)
        self._passing.append((self.host.monotonic() + delay, sender, heard))
        if len(self._passing) == 1:
            self._handle_next()
        return None

    def _handle_next(self) -> None:
        """The last thread begins with the first notification in the queue as soon as that has reached it."""
        wait = max(0, self._passing[0][0] - self.host.monotonic())
        self.host.set_timer(PASSED, wait + spread(self.host.random, self.config.notification_time))

    def _receive(self, sender: NodeId, heard: Notification) -> NodeId | None:
        if sender not in self.server.voters:
            self._send(sender)
        elif not self.looking:
            if heard.state == State.LOOKING and sender != self.host.me:
                self._send(sender)
        else:
            if heard.state == State.LOOKING and heard.election_epoch < self.clock:
                self._send(sender)
            return self._take(sender, heard)
        return None

    def on_timer(self, name: str) -> NodeId | None:
        """Decide the election, hand on votes between threads, or repeat the vote; see the class for what it returns."""
        if name == FINALIZE:
            return self._decide(self.vote)
        if name == PASSED:
            _, sender, heard = self._passing.popleft()
            if self._passing:
                self._handle_next()
            return self._receive(sender, heard)
        self._send_to_all()
        self.interval = min(2 * self.interval, self.config.notification_interval[1])
        self._listen()
        return None

    def on_connect(self, peer: NodeId) -> None:
        """Send the vote to a peer that could not be reached before."""
        self._connected.add(peer)
        if peer in self._waiting:
            self._waiting.remove(peer)
        elif self.looking and peer in self.server.voters:
            self._send(peer)

    def on_disconnect(self, peer: NodeId) -> None:
        """The connection to a peer is closed."""
        self._connected.discard(peer)
        self._waiting.discard(peer)

    def stop(self) -> None:
        """End this server's part in the election."""
        for name in (REPEAT, FINALIZE):
            self.host.cancel_timer(name)

    def synchronised(self, epoch: int) -> None:
        """The server has its leader's history, so its vote now carries that leader's epoch (ZOOKEEPER-1732)."""
        self.vote = replace(self.vote, peer_epoch=epoch)

    # --- Votes

    def _take(self, sender: NodeId, heard: Notification) -> NodeId | None:
        """Handle the notification of a voter while looking."""
        if self.finalizing:
            if heard.order <= self.vote.order:
                self.host.set_timer(FINALIZE, self.config.finalize_wait)
                return None
            self.finalizing = False
            self.host.cancel_timer(FINALIZE)
            if self._passing:  # The better vote is put back into the queue, behind the votes that wait there.
                self._passing.append((self.host.monotonic(), sender, heard))
                return None
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
        """If a quorum has this server's vote, wait for `finalize_wait`.

        Only a better vote can change the outcome now.
        """
        if self._has_quorum(self.received, self.vote):
            self.finalizing = True
            self.host.cancel_timer(REPEAT)
            self.host.set_timer(FINALIZE, self.config.finalize_wait)

    def _join(self, sender: NodeId, heard: Notification) -> NodeId | None:
        """Handle the vote of a server that follows or leads.

        If it is of this election, it also counts in this election.
        """
        if heard.election_epoch == self.clock:
            self.received[sender] = heard
            if self._has_quorum(self.received, heard) and self._is_elected(self.received, heard):
                return self._decide(heard)
        self.established[sender] = heard
        if self._has_quorum(self.established, heard) and self._is_elected(self.established, heard):
            self.clock = heard.election_epoch
            return self._decide(heard)
        return None

    def _has_quorum(self, votes: Mapping[NodeId, Notification], vote: Notification) -> bool:
        return self.server.is_quorum([voter for voter, other in votes.items() if votes_agree(vote, other)])

    def _is_elected(self, votes: Mapping[NodeId, Notification], vote: Notification) -> bool:
        """Whether the leader of a vote says itself that it leads.

        Otherwise, a crashed server could be elected again.
        """
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

    # --- Sending votes

    def _own_vote(self) -> Notification:
        server = self.server
        if server.observes:
            return replace(_NOBODY, election_epoch=self.clock)
        return Notification(self.host.me, server.history.last, server.current_epoch, self.clock)

    def _propose(self, vote: Notification) -> None:
        """Vote as another server does, or for this server, and send the vote to all voters."""
        self.vote = replace(vote, election_epoch=self.clock, state=State.LOOKING)
        self._send_to_all()
        if not self.server.observes:
            self.hear(self.host.me, self.vote)

    def _send_to_all(self) -> None:
        for voter in self.server.voters:
            if voter != self.host.me:
                self._send(voter)

    def _send(self, peer: NodeId) -> None:
        if peer not in self._connected:
            self._waiting.add(peer)
        self.host.send(peer, self.vote)

    def _listen(self) -> None:
        self.host.set_timer(REPEAT, self.interval)


def votes_agree(one: Notification, other: Notification) -> bool:
    """Whether two votes agree. Those of following servers differ in zxid and election (ZOOKEEPER-1805)."""
    if State.LOOKING in (one.state, other.state):
        return one.order == other.order and one.election_epoch == other.election_epoch
    return (one.leader, one.peer_epoch) == (other.leader, other.peer_epoch)
