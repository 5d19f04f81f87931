"""How a leader changes the configuration (dissertation, 4.1 and 4.2): one server at a time.

A change begins once the one before is committed and, as the author corrected the algorithm in 2015 (raft-dev, "bug in
single-server membership changes"), once the leader has committed an entry of its own term. A server to be added first
catches up, in rounds: each brings it the entries that the leader had when the round began (4.2.1).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from simulator.algorithms.raft.configuration import Configuration
from simulator.algorithms.raft.handover import Handover
from simulator.algorithms.raft.membership import Membership
from simulator.algorithms.raft.messages import AddServer, RemoveServer
from simulator.algorithms.raft.replication import Replication
from simulator.protocol import Host, Nanoseconds, NodeId

CATCH_UP = "catch up"
ROUNDS = 10  # As the dissertation suggests (4.2.1).


class Server(Protocol):
    """What changes know of their server."""

    term: int
    peers: Sequence[NodeId]
    counts_itself: bool
    handover: Handover

    def send_append_entries(self, peer: NodeId) -> None: ...
    def send_to_all(self) -> None: ...
    def retire(self) -> None: ...


class Changes:
    """What one leader was asked to change. Whoever leads next knows nothing of what had not begun."""

    def __init__(
        self,
        host: Host,
        server: Server,
        membership: Membership,
        replication: Replication,
        patience_ns: Nanoseconds,
    ) -> None:
        self.host = host
        self.server = server
        self.membership = membership
        self.replication = replication
        self.patience_ns = patience_ns
        self.under_way = False  # Whether there is anything to see to.
        self.wanted: deque[AddServer | RemoveServer] = deque()
        self.newcomer: NodeId | None = None  # Who is catching up.
        self._rounds = 0
        self._goal = 0  # Up to where this round goes.
        self._reached = 0
        self._slow = False  # Whether this round takes longer than an election timeout.

    def lead(self) -> None:
        """A leader that is not in its configuration will have to go."""
        self.under_way = not self.server.counts_itself

    def ask(self, command: AddServer | RemoveServer) -> None:
        self.wanted.append(command)
        self.under_way = True
        self.proceed()

    def proceed(self) -> None:
        """A follower has answered, or a write is done: see to what that makes possible."""
        if self.is_done and not self.server.counts_itself:
            self.server.retire()
            return
        while self._go_on():
            pass
        self.under_way = bool(self.wanted) or self.newcomer is not None or not self.is_done

    @property
    def is_done(self) -> bool:
        """Whether the configuration that is used is committed."""
        return self.replication.commit_index >= self.membership.index

    @property
    def has_committed(self) -> bool:
        """Whether an entry of this leader's own term is."""
        return self.replication.log.term_at(self.replication.commit_index) == self.server.term

    @property
    def may_begin(self) -> bool:
        """Whether the next change may: not while leadership is handed over, either."""
        return self.is_done and self.has_committed and self.server.handover.to is None

    def ring(self) -> None:
        """An election timeout has passed in one round."""
        if self.newcomer is None:
            return
        reached = self.replication.match_index[self.newcomer]
        if reached > self._reached:
            self._reached, self._slow = reached, True
            self.host.set_timer(CATCH_UP, self.patience_ns)
        else:
            self._give_up("makes no progress")
            self.proceed()

    def end(self) -> None:
        """This server leads no more."""
        self.wanted.clear()
        self.under_way = False
        if self.newcomer is not None:
            self.newcomer = None
            self.host.cancel_timer(CATCH_UP)
            self.membership.apply()

    # --- Inside

    def _go_on(self) -> bool:
        """Take the next step, if it is possible now."""
        if self.newcomer is not None:
            possible = self.replication.match_index[self.newcomer] >= self._goal
            if possible:
                self._end_round()
        else:
            possible = bool(self.wanted) and self.may_begin
            if possible:
                self._begin(self.wanted.popleft())
        return possible

    def _begin(self, command: AddServer | RemoveServer) -> None:
        node, current = command.node, self.membership.current
        if isinstance(command, RemoveServer):
            if node in current.members and current.without(node).voters:
                self._append(current.without(node))
        elif node not in (*current.voters, self.host.me):
            self.newcomer, self._rounds = node, 0
            if node not in self.server.peers:
                self.server.peers = (*self.server.peers, node)
            self.replication.meet()
            self._begin_round()

    def _begin_round(self) -> None:
        assert self.newcomer is not None
        self._rounds += 1
        self._goal = self.replication.log.last_index
        self._reached = self.replication.match_index[self.newcomer]
        self._slow = False
        self.host.set_timer(CATCH_UP, self.patience_ns)
        if self._reached < self._goal:
            self.server.send_append_entries(self.newcomer)

    def _end_round(self) -> None:
        """After the last round, the server is added if that round was quicker than an election timeout (4.2.1)."""
        assert self.newcomer is not None
        if self._rounds < ROUNDS:
            self._begin_round()
        elif self._slow:
            self._give_up("is too slow")
        else:
            node, self.newcomer = self.newcomer, None
            self.host.cancel_timer(CATCH_UP)
            self._append(self.membership.current.with_voter(node))

    def _give_up(self, why: str) -> None:
        assert self.newcomer is not None
        self.host.note("change-given-up", node=self.newcomer, why=why)
        self.newcomer = None
        self.host.cancel_timer(CATCH_UP)
        self.membership.apply()
        self.replication.meet()

    def _append(self, configuration: Configuration) -> None:
        self.replication.append(configuration=configuration)
        self.membership.follow_log()
        self.replication.meet()
        self.server.send_to_all()
