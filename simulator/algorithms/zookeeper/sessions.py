"""The sessions at the leader, and when each expires.

"Session expiration is managed by the ZooKeeper cluster itself, not by the client" (Programmer's Guide, "ZooKeeper
Sessions"). The leader checks once every tick, and closes all sessions whose timeout has passed. A session that was last
touched at t expires at (⌊(t + timeout) / tick⌋ + 1) · tick, so up to a tick after its timeout. Ticks are counted on the
leader's own clock, from its `phase`. Other servers report every half tick from which clients they have heard
(`service.py`); this also makes sessions last longer.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.algorithms.zookeeper.tree import SessionId
from simulator.protocol import Nanoseconds, NodeId


def negotiated(timeout: Nanoseconds, tick: Nanoseconds) -> Nanoseconds:
    """The session timeout that a server grants: at least 2 and at most 20 ticks (Programmer's Guide)."""
    return min(max(timeout, 2 * tick), 20 * tick)


@dataclass(slots=True)
class _Tracked:
    timeout: Nanoseconds
    expires: Nanoseconds
    owner: NodeId | None  # The server that the client was last known to be connected with.
    closing: bool = False


class SessionTracker:
    """The open sessions, in buckets of one tick. All instants are on the leader's clock, in nanoseconds."""

    def __init__(self, tick: Nanoseconds, phase: Nanoseconds = 0) -> None:
        self._tick = tick
        self._phase = phase
        self._tracked: dict[SessionId, _Tracked] = {}
        self._buckets: dict[Nanoseconds, dict[SessionId, None]] = {}

    def track(self, session: SessionId, timeout: Nanoseconds, now: Nanoseconds, owner: NodeId | None = None) -> None:
        """Track a session from now on: it is opened, or a new leader takes over."""
        self._tracked[session] = tracked = _Tracked(timeout, self._bucket(now + timeout), owner)
        self._put(session, tracked)

    def touch(self, session: SessionId, now: Nanoseconds) -> bool:
        """The client of a session was heard from. Returns False if there is no such session, or it is being closed."""
        tracked = self._tracked.get(session)
        if tracked is None or tracked.closing:
            return False
        expires = self._bucket(now + tracked.timeout)
        if expires != tracked.expires:
            self._buckets[tracked.expires].pop(session)
            tracked.expires = expires
            self._put(session, tracked)
        return True

    def moved_to(self, session: SessionId, owner: NodeId) -> None:
        """The client of a session is connected with another server."""
        self._tracked[session].owner = owner

    def owner(self, session: SessionId) -> NodeId | None:
        """The server that the client was last known to be connected with. None if this leader does not know."""
        return self._tracked[session].owner

    def owned_by(self, session: SessionId, server: NodeId) -> bool:
        """Whether a session is open, and its client is connected with that server."""
        tracked = self._tracked.get(session)
        return tracked is not None and not tracked.closing and tracked.owner == server

    def next_look(self, now: Nanoseconds) -> Nanoseconds:
        """The next instant at which the leader checks for expired sessions."""
        return self._bucket(now)

    def expire(self, now: Nanoseconds) -> list[SessionId]:
        """The sessions whose timeout has passed, in the order of their expiry. From now on they are being closed."""
        expired: list[SessionId] = []
        for bucket in sorted(bucket for bucket in self._buckets if bucket <= now):
            expired += self._buckets.pop(bucket)
        for session in expired:
            self._tracked[session].closing = True
        return expired

    def forget(self, session: SessionId) -> None:
        """A session is closed."""
        tracked = self._tracked.pop(session, None)
        if tracked is not None and not tracked.closing:
            self._buckets[tracked.expires].pop(session)

    def _bucket(self, instant: Nanoseconds) -> Nanoseconds:
        """The first instant after this one at which the leader checks."""
        return ((instant - self._phase) // self._tick + 1) * self._tick + self._phase

    def _put(self, session: SessionId, tracked: _Tracked) -> None:
        self._buckets.setdefault(tracked.expires, {})[session] = None
