"""What the leader of an ensemble does for all sessions: it proposes requests of clients, and ends silent sessions.

A new leader gives every session its whole timeout again, since it does not know when each client was last heard from.
The phase of its ticks is random.
"""

from __future__ import annotations

from simulator.algorithms.zookeeper.client_config import ZooKeeperConfig
from simulator.algorithms.zookeeper.client_messages import (
    EndSession,
    Moved,
    OpenSession,
    Revalidate,
    Revalidated,
    WriteRequest,
)
from simulator.algorithms.zookeeper.replica import ReplicaServer
from simulator.algorithms.zookeeper.sessions import SessionTracker
from simulator.algorithms.zookeeper.tree import DataTree, SessionId
from simulator.protocol import Message, NodeId, uniform

TIMER = "replica-sessions"


class SessionLeader:
    """The part of a leader that manages sessions, for as long as it leads. `tree` holds the open sessions."""

    def __init__(self, server: ReplicaServer, tree: DataTree) -> None:
        self._server = server
        self._host = server.host
        self._tree = tree
        config: ZooKeeperConfig = server.config
        phase = uniform(self._host.random, (0, config.tick_time - 1))
        self._tracker = SessionTracker(config.tick_time, phase)
        for session in tree.sessions:
            self.opened(session, None)
        self._await_next_look()

    def opened(self, session: SessionId, owner: NodeId | None) -> None:
        """A session was opened, and its client is connected with that server."""
        self._tracker.track(session, self._tree.sessions[session], self._host.monotonic(), owner)

    def closed(self, session: SessionId) -> None:
        """A session was closed."""
        self._tracker.forget(session)

    def hear_of(self, session: SessionId) -> bool:
        """The client of a session was heard from. Returns False if the session is not open any more."""
        return self._tracker.touch(session, self._host.monotonic())

    def on_timer(self) -> None:
        """End the sessions whose timeout has passed."""
        for session in self._tracker.expire(self._host.monotonic()):
            self._host.note("session-expired", session=session, server=self._tracker.owner(session))
            self._server.propose(EndSession(session))
        self._await_next_look()

    def answer(self, learner: NodeId, request: Message) -> Revalidated | Moved | None:
        """Propose a learner's request, or return what to answer instead."""
        if isinstance(request, Revalidate):
            return self._revalidate(learner, request)
        if isinstance(request, OpenSession) or self._tracker.owned_by(request.session, learner):
            self._server.propose(request)
            return None
        assert isinstance(request, WriteRequest | EndSession)
        return Moved(request.session)

    def _revalidate(self, learner: NodeId, request: Revalidate) -> Revalidated:
        """If the session is open, its client is connected with that learner from now on."""
        timeout = None
        if self.hear_of(request.session):
            self._tracker.moved_to(request.session, learner)
            timeout = self._tree.sessions[request.session]
        return Revalidated(request.client, request.connection, request.session, timeout)

    def _await_next_look(self) -> None:
        now = self._host.monotonic()
        self._host.set_timer(TIMER, self._tracker.next_look(now) - now)
