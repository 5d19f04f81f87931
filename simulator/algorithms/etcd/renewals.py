"""Keep-alives: each client has a stream of them with one member, which answers one at a time.

Renewals do not go through the log. The leader renews a lease in its memory (`lessor`). Another member passes a renewal
to the leader and waits for the answer; it tries again 50 ms after an attempt has failed. After the request timeout it
closes the stream. If a lease has expired and is not revoked yet, its renewal waits until it is.

A stream asks for a member that has a leader. A member without one refuses new streams. It looks once in each election
timeout whether it has one, and closes all streams when it had none three times in a row.
(server/etcdserver/v3_server.go, LeaseRenew; server/etcdserver/api/v3rpc: lease.go, and monitorLeader.)
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from simulator.algorithms.etcd.lessor import Lessor
from simulator.algorithms.etcd.member import Member
from simulator.algorithms.etcd.messages import (
    LeaseId,
    LeaseKeepAlive,
    LeaseKeepAliveResponse,
    Renew,
    Renewed,
    StreamClosed,
)
from simulator.protocol import MILLISECOND, Nanoseconds, NodeId

RENEW = "etcd-renew "  # Begins the names of two timers for each client: to try again, and to give up.
GIVE_UP = "etcd-give-up "
MONITOR = "etcd-monitor"
RETRY_INTERVAL: Nanoseconds = 50 * MILLISECOND
MOST_WITHOUT_LEADER = 3


@dataclass(slots=True)
class Stream:
    """A client's stream. The first lease in `leases` is being renewed."""

    client: NodeId
    number: int
    leases: deque[LeaseId] = field(default_factory=deque)
    asked: int | None = None  # The number of the renewal that was passed to the leader.
    asked_leader: NodeId | None = None


class Renewals:
    """The streams of a member, and, while it leads, what other members pass on to it."""

    def __init__(self, member: Member, lessor: Lessor) -> None:
        self.member = member
        self.lessor = lessor
        self._streams: dict[NodeId, Stream] = {}
        self._last_number = 0
        self._expired: dict[LeaseId, list[tuple[NodeId, int]]] = {}  # Renewals of others that wait for a revocation.
        self._without_leader = 0
        self.wants_proof = False  # Whether this leader has to prove that it leads before it renews.

    # --- Clients

    def on_keep_alive(self, client: NodeId, message: LeaseKeepAlive) -> None:
        """A client asks to renew a lease."""
        stream = self._streams.get(client)
        if stream is None or stream.number != message.stream:
            self.forget(client)
            if self.member.leader is None:
                self.member.host.send(client, StreamClosed(message.stream))
                return
            stream = self._streams[client] = Stream(client, message.stream)
        stream.leases.append(message.lease)
        if len(stream.leases) == 1:
            self._begin(stream)

    def forget(self, client: NodeId) -> None:
        """The stream of a client has ended."""
        if self._streams.pop(client, None) is not None:
            self.member.host.cancel_timer(f"{RENEW}{client}")
            self.member.host.cancel_timer(f"{GIVE_UP}{client}")

    # --- Timers

    def start(self) -> None:
        """Look for a leader from now on, once in each election timeout."""
        self.member.host.set_timer(MONITOR, self.member.config.election_timeout)

    def on_timer(self, name: str) -> None:
        """Try a renewal again, give it up, or look whether there is a leader."""
        if name == MONITOR:
            self._monitor()
        elif name.startswith(RENEW):
            self._try(self._streams[int(name.removeprefix(RENEW))])
        else:
            self._close(self._streams[int(name.removeprefix(GIVE_UP))])

    def _monitor(self) -> None:
        self._without_leader = self._without_leader + 1 if self.member.leader is None else 0
        if self._without_leader >= MOST_WITHOUT_LEADER:
            for stream in tuple(self._streams.values()):
                self._close(stream)
        self.start()

    def _close(self, stream: Stream) -> None:
        self.member.host.send(stream.client, StreamClosed(stream.number))
        self.forget(stream.client)

    # --- A renewal at the member that was asked

    def _begin(self, stream: Stream) -> None:
        self.member.host.set_timer(f"{GIVE_UP}{stream.client}", self.member.config.request_timeout)
        self._try(stream)

    def _try(self, stream: Stream, *, proven: bool = False) -> None:
        """Renew the first lease of a stream, or pass that on to the leader, or wait."""
        leader = self.member.leader
        stream.asked = stream.asked_leader = None
        if leader is None:
            self._try_later(stream)
        elif not self.member.leads:
            self._last_number += 1
            stream.asked, stream.asked_leader = self._last_number, leader
            self.member.host.send(leader, Renew(self._last_number, stream.leases[0]))
        elif not (proven or self.member.is_active):
            self.wants_proof = True  # `on_proven` goes on.
        else:
            ttl_s = self._renew(stream.leases[0])
            if ttl_s is not None:
                self._answer(stream, ttl_s)
            elif not self.lessor.is_primary:
                self._try_later(stream)  # Else it waits until the lease is revoked.

    def on_proven(self) -> None:
        """A majority has confirmed since that this member leads; or it does not lead any more."""
        self.wants_proof = False
        self._try_all(proven=True)

    def on_leader_changed(self) -> None:
        """Another leader is known, or none. This member leads no more, or has begun to lead."""
        for leases in self._expired.values():
            for asker, number in leases:
                self.member.host.send(asker, Renewed(number, None))
        self._expired.clear()
        self._try_all()

    def on_disconnected(self, peer: NodeId) -> None:
        """The connection with another member has ended: renewals that it was asked for have failed."""
        for stream in tuple(self._streams.values()):
            if stream.asked_leader == peer:
                self._try_later(stream)

    def on_renewed(self, message: Renewed) -> None:
        """The leader has answered a renewal."""
        stream = next((stream for stream in self._streams.values() if stream.asked == message.number), None)
        if stream is None:
            return
        if message.ttl_s is None:
            self._try_later(stream)
        else:
            self._answer(stream, message.ttl_s)

    def _try_all(self, *, proven: bool = False) -> None:
        for stream in tuple(self._streams.values()):
            if stream.leases and stream.asked is None:
                self._try(stream, proven=proven)

    def _try_later(self, stream: Stream) -> None:
        stream.asked = stream.asked_leader = None
        self.member.host.set_timer(f"{RENEW}{stream.client}", RETRY_INTERVAL)

    def _answer(self, stream: Stream, ttl_s: int) -> None:
        self.member.host.cancel_timer(f"{RENEW}{stream.client}")
        self.member.host.cancel_timer(f"{GIVE_UP}{stream.client}")
        lease = stream.leases.popleft()
        stream.asked = stream.asked_leader = None
        self.member.host.send(stream.client, LeaseKeepAliveResponse(stream.number, lease, ttl_s))
        if stream.leases:
            self._begin(stream)

    # --- At the leader

    def on_renew(self, asker: NodeId, message: Renew) -> None:
        """Another member passes a renewal on. The handler of such requests does not ask for a proof (leasehttp)."""
        if not (self.member.leads and self.lessor.is_primary):
            self.member.host.send(asker, Renewed(message.number, None))
            return
        ttl_s = self._renew(message.lease)
        if ttl_s is not None:
            self.member.host.send(asker, Renewed(message.number, ttl_s))
        else:
            self._expired.setdefault(message.lease, []).append((asker, message.number))

    def _renew(self, lease: LeaseId) -> int | None:
        """Renew a lease. Returns its time to live; 0 if there is none; None if it has to wait."""
        if not self.lessor.is_primary:
            return None
        granted = self.member.store.leases.get(lease)
        if granted is None:
            return 0
        if self.lessor.is_expired(lease):
            return None
        self.lessor.renew(lease, granted)
        return granted.ttl_s

    def on_revoked(self, lease: LeaseId) -> None:
        """A lease was revoked: answer the renewals that waited for that."""
        for asker, number in self._expired.pop(lease, ()):
            self.member.host.send(asker, Renewed(number, 0))
        if self.member.leads:
            for stream in tuple(self._streams.values()):
                if stream.leases and stream.leases[0] == lease:
                    self._try(stream)
