"""The watches at one member. It reports events after it has applied them itself (server/storage/mvcc, watchable store).

A watch begins at a revision. If that is in the past, the member reports the events since then at once. If the member
has not come so far yet, it reports none before that revision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from simulator.algorithms.coordination.watchers import Watchers
from simulator.algorithms.etcd.keys import Event
from simulator.algorithms.etcd.member import Member
from simulator.algorithms.etcd.messages import Watch, WatchResponse
from simulator.protocol import NodeId


class Watcher(NamedTuple):
    """The watch of a client."""

    client: NodeId
    watch: Watch

    def __hash__(self) -> int:
        return hash((self.client, self.watch.number))

    def sees(self, event: Event) -> bool:
        """Whether the watch is to report an event."""
        kv, watch = event.kv, self.watch
        matches = kv.key.startswith(watch.key) if watch.is_prefix else kv.key == watch.key
        return matches and kv.mod_revision >= watch.start_revision


class WatchStreams:
    """The watches of all clients of this member."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self._keys: Watchers[Watcher] = Watchers()
        self._prefixes: Watchers[Watcher] = Watchers()

    def watch(self, client: NodeId, watch: Watch) -> None:
        """Begin a watch, and report the events that have happened already."""
        watcher = Watcher(client, watch)
        (self._prefixes if watch.is_prefix else self._keys).add(watch.key, watcher)
        self._report(watcher, self.member.store.keys.events_from(watch.start_revision))

    def cancel(self, client: NodeId, number: int) -> None:
        """End a watch."""
        for watchers in (self._keys, self._prefixes):
            watchers.forget(lambda watcher: watcher.client == client and watcher.watch.number == number)

    def forget(self, client: NodeId) -> None:
        """The connection with a client has ended."""
        for watchers in (self._keys, self._prefixes):
            watchers.forget(lambda watcher: watcher.client == client)

    def on_events(self, events: Sequence[Event]) -> None:
        """The store has changed."""
        concerned = [watcher for event in events for watcher in self._keys.of(event.kv.key)]
        concerned += [watcher for watcher in self._prefixes if any(map(watcher.sees, events))]
        for watcher in dict.fromkeys(concerned):
            self._report(watcher, events)

    def _report(self, watcher: Watcher, events: Sequence[Event]) -> None:
        seen = tuple(event for event in events if watcher.sees(event))
        if seen:
            self.member.host.send(watcher.client, WatchResponse(watcher.watch.number, seen))
