"""A Raft server's log (5.3): entries from index 1 on, each with the term in which a leader received it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from simulator.algorithms.raft.configuration import Configuration
from simulator.protocol import Message


class Entry(NamedTuple):
    """One entry: a command of `size` bytes, a no-op of none (dissertation, 6.4), or a configuration (4.1)."""

    term: int
    size: int = 0
    configuration: Configuration | None = None
    command: Message | None = None  # What the state machine that the log is applied to, if there is one, has to do.

    @property
    def wire_bytes(self) -> int:
        """The bytes that the entry takes in a message: its term, and its command or configuration."""
        return 8 + self.size + (0 if self.configuration is None else self.configuration.wire_bytes)

    def __repr__(self) -> str:
        what = f"size={self.size}" if self.configuration is None else f"configuration={self.configuration}"
        return f"Entry(term={self.term}, {what})"


class Log:
    """The entries of one server, and the names under which they are saved on its disk."""

    def __init__(self, entries: Sequence[Entry] = ()) -> None:
        self._entries = list(entries)
        self.configurations: list[tuple[int, Configuration]] = []  # Entries with their indices, in order.
        self._find_configurations(1)

    @classmethod
    def restored(cls, durable: Mapping[str, Any]) -> Log:
        """Return the log that an earlier life has left on disk; it begins with what `last_log` says, if anything."""
        base_term, base_length = durable.get("last_log", (0, 0))
        base = {_key(at): Entry(base_term) for at in range(1, base_length + 1)}
        length = durable.get("log_length", base_length)
        held = {**base, **durable}
        found = (held.get(_key(at)) for at in range(1, length + 1))
        whole: Iterator[Any] = takewhile(lambda entry: entry is not None, found)
        return cls(list(whole))

    @property
    def last_index(self) -> int:
        """The index of the last entry; 0 if the log is empty."""
        return len(self._entries)

    @property
    def last(self) -> tuple[int, int]:
        """Term and index of the last entry. Two logs are compared by these (5.4.1)."""
        return self.term_at(self.last_index), self.last_index

    def term_at(self, index: int) -> int:
        """Return the term of the entry at an index; 0 before the first entry and beyond the last."""
        return self._entries[index - 1].term if 0 < index <= self.last_index else 0

    def holds(self, index: int, term: int) -> bool:
        """Return whether the entry at an index has that term: the consistency check of AppendEntries."""
        return index <= self.last_index and self.term_at(index) == term

    def entry_at(self, index: int) -> Entry:
        """Return the entry at an index, which must exist."""
        return self._entries[index - 1]

    def after(self, index: int, most: int) -> tuple[Entry, ...]:
        """Return the entries after an index, at most `most` of them."""
        return tuple(self._entries[index : index + most])

    def append(self, entry: Entry) -> Mapping[str, object]:
        """Add an entry. Return the values to save."""
        self._entries.append(entry)
        self._find_configurations(self.last_index)
        return self._saved_from(self.last_index)

    def merge(self, index: int, entries: Sequence[Entry]) -> Mapping[str, object]:
        """Put entries after an index. "If an existing entry conflicts with a new one, delete the existing entry and all
        that follow it" (Figure 2). Return the values to save: none if the log held all entries.
        """
        for offset, entry in enumerate(entries, start=1):
            if not self.holds(index + offset, entry.term):
                del self._entries[index + offset - 1 :]
                self._entries += entries[offset - 1 :]
                self._find_configurations(index + offset)
                return self._saved_from(index + offset)
        return {}

    def first_of_term_at(self, index: int) -> int:
        """Return the first index of the term at an index: how far back a conflict may reach (5.3)."""
        term = self.term_at(index)
        while index > 1 and self.term_at(index - 1) == term:
            index -= 1
        return index

    def runs(self) -> tuple[tuple[int, int], ...]:
        """Return the log in short: each term in order, with the last index of its entries."""
        found: dict[int, int] = {}
        for index, entry in enumerate(self._entries, start=1):
            found[entry.term] = index
        return tuple(found.items())

    def _find_configurations(self, index: int) -> None:
        """The entries from an index on are new: find the configurations among them, and forget those they replace."""
        while self.configurations and self.configurations[-1][0] >= index:
            self.configurations.pop()
        for at in range(index, self.last_index + 1):
            if (configuration := self._entries[at - 1].configuration) is not None:
                self.configurations.append((at, configuration))

    def _saved_from(self, index: int) -> Mapping[str, object]:
        changed = {_key(at): self._entries[at - 1] for at in range(index, self.last_index + 1)}
        return {"log_length": self.last_index, **changed}


def _key(index: int) -> str:
    """Return the name of an entry on disk. Each entry has its own, so that a write holds only what is new."""
    return f"entry {index}"
