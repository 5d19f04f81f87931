"""How a leader changes the configuration (dissertation, 4.1 and 4.2): one server at a time.

A change begins once the change before it is committed and the leader has committed an entry of its own term. The second
condition is the author's correction of 2015 (raft-dev, "bug in single-server membership changes"). A server that is to
be added first catches up in rounds. In each round it receives the entries that the leader had when the round began
(4.2.1).
"""

from __future__ import annotations

from collections import deque

from simulator.algorithms.raft.configuration import Configuration
from simulator.algorithms.raft.membership import Membership
from simulator.algorithms.raft.messages import AddServer, RemoveServer
from simulator.algorithms.raft.replication import Replication
from simulator.protocol import Host, Nanoseconds, NodeId

CATCH_UP = "catch up"
ROUNDS = 10  # The number of rounds that the dissertation suggests (4.2.1).


class MembershipChange:
    """The changes that one leader was asked for. The next leader does not know of those that had not begun."""

    def __init__(self, host: Host, replication: Replication, membership: Membership, timeout_ns: Nanoseconds) -> None:
        self.host = host
        self.replication = replication
        self.membership = membership
        self.timeout_ns = timeout_ns
        self.is_active = False  # Whether the change may have a further step.
        self.requested: deque[AddServer | RemoveServer] = deque()
        self.catching_up: NodeId | None = None
        self._rounds = 0
        self._goal = 0  # The index that the server has to reach in this round.
        self._reached = 0
        self._is_slow = False  # Whether this round takes longer than an election timeout.

    def request(self, command: AddServer | RemoveServer) -> None:
        """Queue a change."""
        self.requested.append(command)
        self.is_active = True

    def next_step(self, term: int, *, is_transferring: bool) -> Configuration | NodeId | None:
        """Return what the leader of `term` has to do next, or None until something new happens.

        A configuration: append it to the log, and send it to all. A node: send it the entries that it lacks.
        """
        while self.catching_up is not None or (self.requested and self.may_begin(term, is_transferring)):
            if self.catching_up is None:
                step = self._begin(self.requested.popleft())
            elif self.replication.match_index[self.catching_up] < self._goal:
                break
            else:
                step = self._end_round(self.catching_up)
            if step is not None:
                return step
        self.is_active = bool(self.requested) or self.catching_up is not None or not self.is_committed
        return None

    @property
    def must_step_down(self) -> bool:
        """Whether the leader is no voter of the configuration, and that is committed (4.2.2)."""
        return self.is_committed and not self.membership.is_voter

    @property
    def is_committed(self) -> bool:
        """Whether the configuration in use is committed."""
        return self.replication.commit_index >= self.membership.index

    def has_committed(self, term: int) -> bool:
        """Whether the leader has committed an entry of its own term."""
        return self.replication.log.term_at(self.replication.commit_index) == term

    def may_begin(self, term: int, is_transferring: bool) -> bool:
        """Whether the next change may begin. It may not while leadership is transferred."""
        return self.is_committed and self.has_committed(term) and not is_transferring

    def on_timeout(self) -> None:
        """An election timeout has passed in one round: give the server up if it has made no progress."""
        if self.catching_up is None:
            return
        reached = self.replication.match_index[self.catching_up]
        if reached <= self._reached:
            self._give_up(self.catching_up, "makes no progress")
        else:
            self._reached, self._is_slow = reached, True
            self.host.set_timer(CATCH_UP, self.timeout_ns)

    def begin(self) -> None:
        """The server leads from now on. A leader that is no voter will have to step down."""
        self.is_active = not self.membership.is_voter

    def end(self) -> None:
        """The server leads no more."""
        self.requested.clear()
        self.is_active = False
        if self.catching_up is not None:
            self._stop_catching_up()
            self.membership.apply()

    # --- Inside

    def _begin(self, command: AddServer | RemoveServer) -> Configuration | NodeId | None:
        """Begin a change. It may be that there is nothing to change."""
        node, current = command.node, self.membership.current
        if isinstance(command, RemoveServer):
            without = current.without(node)
            return without if node in current.members and without.voters else None
        if node in (*current.voters, self.host.me):
            return None
        self.catching_up, self._rounds = node, 0
        self.membership.add_peer(node)
        self.replication.replicate_to(self.membership.peers)
        return self._begin_round(node)

    def _begin_round(self, node: NodeId) -> NodeId | None:
        self._rounds += 1
        self._goal = self.replication.log.last_index
        self._reached = self.replication.match_index[node]
        self._is_slow = False
        self.host.set_timer(CATCH_UP, self.timeout_ns)
        return node if self._reached < self._goal else None

    def _end_round(self, node: NodeId) -> Configuration | NodeId | None:
        """After the last round, add the server if that round was quicker than an election timeout (4.2.1)."""
        if self._rounds < ROUNDS:
            return self._begin_round(node)
        if self._is_slow:
            self._give_up(node, "is too slow")
            return None
        self._stop_catching_up()
        return self.membership.current.with_voter(node)

    def _give_up(self, node: NodeId, why: str) -> None:
        self.host.note("change-given-up", node=node, why=why)
        self._stop_catching_up()
        self.membership.apply()
        self.replication.replicate_to(self.membership.peers)

    def _stop_catching_up(self) -> None:
        self.catching_up = None
        self.host.cancel_timer(CATCH_UP)
