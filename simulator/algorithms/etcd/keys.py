"""The keys of the store, with the revisions at which they were created and last changed (server/storage/mvcc).

The store has one revision, which each transaction that changes something increases by one. A key that is deleted and
created again has a new create revision, so no two lives of a key have the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class KeyValue(NamedTuple):
    """A key and its value. `version` counts the changes since the key was created."""

    key: str
    value: str
    create_revision: int
    mod_revision: int
    version: int
    lease: int

    @property
    def wire_bytes(self) -> int:
        """The bytes that it takes in a message: its texts, and four numbers."""
        return len(self.key) + len(self.value) + 32


class Event(NamedTuple):
    """A key was put or deleted, at the `mod_revision` of `kv`."""

    kv: KeyValue
    deleted: bool = False

    @property
    def wire_bytes(self) -> int:
        """The bytes that it takes in a message."""
        return self.kv.wire_bytes + 1


class Keys:
    """The present keys, and all events so far, in order. (Nothing is compacted.)"""

    def __init__(self) -> None:
        self.revision = 1
        self.events: list[Event] = []
        self._values: dict[str, KeyValue] = {}

    def get(self, key: str) -> KeyValue | None:
        """A key with its value, or None if it does not exist."""
        return self._values.get(key)

    def under(self, prefix: str) -> Iterator[KeyValue]:
        """The keys under a prefix, in the order in which they were created."""
        found = (kv for kv in self._values.values() if kv.key.startswith(prefix))
        return iter(sorted(found, key=lambda kv: kv.create_revision))

    def put(self, key: str, value: str, lease: int, revision: int) -> KeyValue:
        """Set a key, at this revision. Returns what it was before, or else what it is now."""
        before = self._values.get(key)
        created, version = (revision, 0) if before is None else (before.create_revision, before.version)
        kv = self._values[key] = KeyValue(key, value, created, revision, version + 1, lease)
        self.events.append(Event(kv))
        return before or kv

    def delete(self, key: str, revision: int) -> KeyValue | None:
        """Delete a key, at this revision. Returns what it was, or None if it did not exist."""
        before = self._values.pop(key, None)
        if before is not None:
            self.events.append(Event(before._replace(mod_revision=revision), deleted=True))
        return before

    def events_from(self, revision: int) -> Sequence[Event]:
        """The events at a revision and after it, in order."""
        return [event for event in self.events if event.kv.mod_revision >= revision]

    def view(self) -> dict[str, str]:
        """Each key with its value and its create revision, as text."""
        return {key: f"{kv.value} (created at {kv.create_revision})" for key, kv in self._values.items()}
