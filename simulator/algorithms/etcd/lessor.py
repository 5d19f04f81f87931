"""When leases expire: in the memory of the leader, by its monotonic clock (server/lease/lessor.go).

The member that leads is the primary. On all others, leases never expire. A renewal sets a lease's expiry to its whole
time to live from now, without the log. A new leader does not know when each lease was last renewed. It gives all of
them their whole time, and an election timeout more, as soon as it has applied the first entry of its term.

The primary looks for expired leases every 500 ms, and proposes to revoke each. So the keys of a lease are deleted up to
500 ms after it has expired. At most 500 leases are revoked at each look. If a lease is not revoked after 7 s (the
request timeout at the default election timeout), the primary proposes it again.
"""

from __future__ import annotations

from collections.abc import Mapping

from simulator.algorithms.etcd.messages import LeaseId
from simulator.algorithms.etcd.store import GrantedLease
from simulator.protocol import MILLISECOND, SECOND, Host, Nanoseconds, uniform

LESSOR = "etcd-lessor"  # The timer.
LOOK_INTERVAL: Nanoseconds = 500 * MILLISECOND
MOST_AT_ONCE = 500


class Lessor:
    """The expiry of all leases while this member is the primary. Instants are on its monotonic clock."""

    def __init__(self, host: Host, request_timeout_ns: Nanoseconds) -> None:
        self.host = host
        self.is_primary = False
        self._request_timeout_ns = request_timeout_ns
        self._expiry: dict[LeaseId, Nanoseconds] = {}
        self._proposed_at: dict[LeaseId, Nanoseconds] = {}  # When it was proposed to revoke an expired lease.
        # The process looks every 500 ms since it started; other processes started at other instants.
        self._phase_ns = host.monotonic() + uniform(host.random, (0, LOOK_INTERVAL - 1))

    def promote(self, leases: Mapping[LeaseId, GrantedLease], extend_ns: Nanoseconds) -> None:
        """This member leads, and has applied everything of earlier terms: give each lease its whole time, and more."""
        self.is_primary = True
        self._expiry = {lease: self._after(granted, extend_ns) for lease, granted in leases.items()}
        self._proposed_at.clear()
        self._await_next_look()

    def demote(self) -> None:
        """This member leads no more."""
        self.is_primary = False
        self._expiry.clear()
        self._proposed_at.clear()
        self.host.cancel_timer(LESSOR)

    def on_granted(self, lease: LeaseId, granted: GrantedLease) -> None:
        """A lease was granted."""
        if self.is_primary:
            self._expiry[lease] = self._after(granted, 0)

    def on_revoked(self, lease: LeaseId) -> None:
        """A lease was revoked."""
        self._expiry.pop(lease, None)
        self._proposed_at.pop(lease, None)

    def is_expired(self, lease: LeaseId) -> bool:
        """Whether an existing lease has expired. Then a renewal waits until the lease is revoked."""
        return self._expiry[lease] <= self.host.monotonic()

    def renew(self, lease: LeaseId, granted: GrantedLease) -> None:
        """Give a lease its whole time again."""
        self._expiry[lease] = self._after(granted, 0)

    def on_timer(self) -> list[LeaseId]:
        """Look for expired leases. Returns those to be revoked now, those that expired first at the front."""
        self._await_next_look()
        now = self.host.monotonic()
        expired = sorted((expiry, lease) for lease, expiry in self._expiry.items() if expiry <= now)
        due = [lease for _, lease in expired if self._is_due(lease, now)][:MOST_AT_ONCE]
        for lease in due:
            self._proposed_at[lease] = now
        return due

    def view(self) -> Mapping[str, object]:
        """What a page may show of it, in plain values: how long each lease lasts yet, in seconds."""
        return {"expiry in s": {lease: expiry / SECOND for lease, expiry in self._expiry.items()}}

    def _after(self, granted: GrantedLease, extend_ns: Nanoseconds) -> Nanoseconds:
        return self.host.monotonic() + granted.ttl_s * SECOND + extend_ns

    def _is_due(self, lease: LeaseId, now: Nanoseconds) -> bool:
        proposed_at = self._proposed_at.get(lease)
        return proposed_at is None or now - proposed_at >= self._request_timeout_ns

    def _await_next_look(self) -> None:
        since = (self.host.monotonic() - self._phase_ns) % LOOK_INTERVAL
        self.host.set_timer(LESSOR, LOOK_INTERVAL - since)
