"""A candidate of etcd's election recipe: the candidate whose key was created first leads.

client/v3/concurrency, election.go and key.go. A candidate has a session (`session`). `Campaign` creates a key for its
lease under a common prefix, if it is not there. The key's create revision is the candidate's place in line. It looks
for the key with the next lower create revision, and watches that one key until it is deleted; then it looks again. If
there is none, it leads. So the end of a session wakes one candidate.

A leader leads until its session has ended (`Session.Done`), or it resigns: nothing else stops it. Its term is the
create revision of its key. Each later leader has a higher one, so it is a fencing token: a transaction that compares it
is refused once the key is deleted, and another resource can refuse the lower of two.

All candidates follow the leader with `Observe`: they read the first key under the prefix, and watch it (`observe`).

When a session has ended or a campaign has failed, the application begins anew after a while (`restart_delay`).

Guaranteed is that no two candidates lead with the same token, whatever happens. Nothing else is. A candidate does not
look whether its own key still exists when that of its predecessor is gone. If both leases have ended, it leads with its
old token, maybe after a candidate with a later one, until its session ends (`check_own_key` prevents that).

Costs, with n candidates and s members: a write takes 3(s - 1) messages, and up to 3 for the client; a read takes
2(s - 1), and up to 4 for the client. An election takes the end of a lease (a write without a client), an event, and a
read; for `Observe`, an event and a read for each candidate. Besides, there are up to 4 messages for each candidate at
each keep-alive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from simulator.algorithms.coordination import candidate as coordination
from simulator.algorithms.etcd.client import Client
from simulator.algorithms.etcd.config import EtcdElectionConfig
from simulator.algorithms.etcd.keys import Event, KeyValue
from simulator.algorithms.etcd.messages import (
    TO_CLIENTS,
    Compare,
    Delete,
    Get,
    LeaseKeepAliveResponse,
    Put,
    Range,
    Result,
    StreamClosed,
    Transaction,
)
from simulator.algorithms.etcd.session import GRANTED, Session
from simulator.protocol import LEADER, Guarantee, Host, Message, NodeId, message, uniform

MEMBERS = "etcd"  # The group of etcd's members.
PREFIX = "election/"
AGAIN = "candidate-again"  # The timer after which the application begins anew.

# The purposes of a candidate's calls.
CAMPAIGNED, PREDECESSOR, OWN_KEY = "campaigned", "predecessor", "own key"
RESIGNED, LEADER_READ = "resigned", "leader read"


@message
class Resign:
    """The command to resign, and to campaign again behind all others. `to` is ignored: the next in line leads."""

    to: NodeId | None = None


class Candidate(coordination.Candidate):
    """One candidate, with one session at a time."""

    guarantees: ClassVar = frozenset({Guarantee.ELECTION_SAFETY})

    def __init__(self, host: Host, config: EtcdElectionConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.config: EtcdElectionConfig = config
        self.client = Client(host, list(host.groups[MEMBERS]), config, self)
        self.session = Session(host, config, self.client, self)
        self.key = ""  # Its own key in this session.
        self.created: int | None = None  # The create revision of its own key, if it is known to exist.
        self.predecessor: KeyValue | None = None
        self.awaited: int | None = None  # The watch of its predecessor.
        self.observed: int | None = None  # The watch of the leader's key, or of the prefix.
        self.first: KeyValue | None = None  # The leader's key, as `Observe` knows it; maybe later than its own.

    def view(self) -> Mapping[str, object]:
        return {
            **super().view(),
            "lease": self.session.lease,
            "own key": self.key,
            "create revision": self.created,
            "watched key": None if self.predecessor is None else self.predecessor.key,
        }

    # --- Inputs

    def on_start(self) -> None:
        self._become_follower(None)
        self.client.connections.open()
        self.session.begin()
        if self.config.observe:
            self._observe()

    def on_message(self, sender: NodeId, message: Message) -> None:
        self.client.on_message(sender, message)

    def on_timer(self, name: str) -> None:
        if name == AGAIN:
            self._begin()
        elif name.startswith("session-"):
            self.session.on_timer(name)
        else:
            self.client.connections.on_timer(name)

    def on_disconnect(self, peer: NodeId, reason: str) -> None:
        self.client.connections.on_disconnect(peer)

    def on_command(self, command: Message) -> None:
        """Resign (`Resign`): only a leader does. It stops leading before its key is deleted."""
        if self.role is LEADER and self.created is not None:
            own = Compare(self.key, self.created)
            self._leave_line()
            self.client.ask(Transaction((own,), (Delete(own.key),)), purpose=RESIGNED)

    # --- The client (`User`)

    def on_ready(self) -> None:
        self.session.on_ready()

    def on_lost(self, server: NodeId) -> None:
        self.session.on_lost(server)

    def on_stream_message(self, message: LeaseKeepAliveResponse | StreamClosed) -> None:
        if isinstance(message, StreamClosed):
            self.session.on_stream_closed(message)
        else:
            self.session.on_keep_alive(message)

    def on_result(self, purpose: str, result: Result) -> None:
        self.results[purpose](self, result)

    def on_failed(self, purpose: str) -> None:
        """A transaction has failed, and may have been carried out: campaign again after a while."""
        self._begin_later()

    def on_event(self, watch: int, event: Event) -> None:
        if watch == self.observed:
            self._on_leader_event(event)
        elif watch == self.awaited and event.deleted:
            self._on_predecessor_deleted()

    # --- The session (`Holder`)

    def on_session(self) -> None:
        self.key = f"{PREFIX}{self.session.lease:x}"
        self._campaign()

    def on_session_ended(self) -> None:
        """`Done` is closed: the application stops leading, or gives up its campaign."""
        self._leave_line()
        self.client.forget(CAMPAIGNED, PREDECESSOR, OWN_KEY, RESIGNED)
        self._begin_later()

    def _begin_later(self) -> None:
        self.host.set_timer(AGAIN, uniform(self.host.random, self.config.restart_delay))

    def _begin(self) -> None:
        """Campaign in the session, if it goes on; else begin another session."""
        if self.session.lease is None:
            self.session.begin()
        else:
            self._campaign()

    def _leave_line(self) -> None:
        """Stop leading, or waiting to lead."""
        self.host.cancel_timer(AGAIN)
        if self.awaited is not None:
            self.client.cancel_watch(self.awaited)
        self.created = self.predecessor = self.awaited = None
        if self.role is not None and self.leader in (None, self.host.me):
            self._become_follower(None)
        if self.first is not None:
            self._follow(int(self.first.value), self.first.create_revision)

    # --- Campaign

    def _campaign(self) -> None:
        """Create the key of this session. If it is there already, an earlier attempt has created it."""
        assert self.session.lease is not None
        put = Put(self.key, str(self.host.me), self.session.lease)
        self.client.ask(Transaction((Compare(self.key, 0),), (put,), (Get(self.key),)), purpose=CAMPAIGNED)

    def _on_campaigned(self, result: Result) -> None:
        if result.kv is None:  # The lease is gone, or has ended between: `Campaign` returns an error.
            self._begin_later()
            return
        self.created = result.kv.create_revision
        self._look_for_predecessor()

    def _look_for_predecessor(self) -> None:
        assert self.created is not None
        before = Range(PREFIX, newest=True, max_create_revision=self.created - 1)
        self.client.ask(before, purpose=PREDECESSOR)

    def _on_predecessor(self, result: Result) -> None:
        if result.kv is None and self.config.check_own_key:
            self.client.ask(Range(self.key, exact=True), purpose=OWN_KEY)
            return
        if result.kv is None:
            self._lead()
            return
        self.predecessor = result.kv
        self.awaited = self.client.watch(result.kv.key, result.revision)

    def _on_predecessor_deleted(self) -> None:
        gone = self.predecessor
        assert gone is not None and self.created is not None and self.awaited is not None
        self.client.cancel_watch(self.awaited)
        self.awaited = self.predecessor = None
        if gone.create_revision == self.term:  # It was the leader.
            if self.leader is not None:
                self._suspect(self.leader)
            self._become_candidate(self.created)
        self._look_for_predecessor()

    def _on_own_key(self, result: Result) -> None:
        if result.kv is None:  # The session has expired, though the client does not know it yet.
            self._become_follower(None)
            self._begin_later()
        else:
            self._lead()

    def _lead(self) -> None:
        assert self.created is not None and self.role is not LEADER
        self._become_candidate(self.created)
        self._become_leader(self.created, self.created)

    def _on_resigned(self, result: Result) -> None:
        """The key is deleted. The session goes on, and the application campaigns again in it."""
        self._campaign()

    # --- Observe

    def _observe(self) -> None:
        self.client.ask(Range(PREFIX), purpose=LEADER_READ)

    def _on_leader_read(self, result: Result) -> None:
        if result.kv is None:
            self.observed = self.client.watch(PREFIX, result.revision, is_prefix=True)
        else:
            self._observe_key(result.kv, result.revision)

    def _observe_key(self, kv: KeyValue, revision: int) -> None:
        """Follow the candidate whose key is the first one."""
        self.first = kv
        self._follow(int(kv.value), kv.create_revision)
        self.observed = self.client.watch(kv.key, revision + 1)

    def _on_leader_event(self, event: Event) -> None:
        """The first key under the prefix was put, or the leader's key was deleted: read again who is first.

        While there is no key, a deletion says nothing: the watch begins at the revision of the read, which may be one.
        """
        assert self.observed is not None
        if event.deleted and self.first is None:
            return
        if event.deleted and event.kv.create_revision == self.term and self.leader not in (None, self.host.me):
            self._suspect(self.leader)
            self._become_follower(None)
        self.client.cancel_watch(self.observed)
        self.observed = self.first = None
        if event.deleted:
            self._observe()
        else:
            self._observe_key(event.kv, event.kv.mod_revision)

    def _on_granted(self, result: Result) -> None:
        self.session.on_granted(result)

    receive: ClassVar = dict.fromkeys(TO_CLIENTS, on_message)
    results: ClassVar[Mapping[str, Callable[[Any, Result], None]]] = {
        GRANTED: _on_granted,
        CAMPAIGNED: _on_campaigned,
        PREDECESSOR: _on_predecessor,
        OWN_KEY: _on_own_key,
        RESIGNED: _on_resigned,
        LEADER_READ: _on_leader_read,
    }
