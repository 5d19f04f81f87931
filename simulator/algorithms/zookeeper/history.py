"""A server's history: the transactions that it has logged, after a snapshot, if there is one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulator.algorithms.zookeeper.messages import NOTHING, Write, Zxid
from simulator.protocol import Message


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A transaction, and the entry before it. `index` counts all transactions, the first is 1."""

    zxid: Zxid
    transaction: Message
    index: int
    before: Entry | None


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """An immutable history. So a server can receive the history of its leader while it keeps its own, and replace its
    own in one write.

    Each entry refers to the one before it, and histories share entries, so that appending and saving copy nothing.
    """

    newest: Entry | None = None  # The last entry. None if there is no transaction after the snapshot.
    base: Zxid = NOTHING  # The last transaction in the snapshot.
    base_runs: tuple[tuple[int, int], ...] = ()  # The transactions in the snapshot, in the form of `runs`.
    snapshot: object = None

    @property
    def last(self) -> Zxid:
        """The number of the last transaction."""
        return self.base if self.newest is None else self.newest.zxid

    @property
    def index(self) -> int:
        """The index of the last transaction: how many there have been."""
        return self._base_index if self.newest is None else self.newest.index

    def append(self, zxid: Zxid, transaction: Message) -> History:
        """This history with one more transaction."""
        return replace(self, newest=Entry(zxid, transaction, self.index + 1, self.newest))

    def truncate(self, zxid: Zxid) -> History:
        """This history without the transactions after this one."""
        return replace(self, newest=self._up_to(zxid))

    def common(self, zxid: Zxid) -> Zxid | None:
        """The last transaction that is not after this one. None if the snapshot is already later than the given
        transaction.
        """
        found = self._up_to(zxid)
        if found is not None:
            return found.zxid
        return self.base if self.base <= zxid else None

    def after(self, zxid: Zxid) -> list[Entry]:
        """The entries after a transaction, in order."""
        behind = []
        entry = self.newest
        while entry is not None and entry.zxid > zxid:
            behind.append(entry)
            entry = entry.before
        return behind[::-1]

    def last_entries(self, count: int) -> list[Entry]:
        """The last `count` entries after the snapshot, or fewer, in order."""
        last: list[Entry] = []
        entry = self.newest
        while entry is not None and len(last) < count:
            last.append(entry)
            entry = entry.before
        return last[::-1]

    def runs(self) -> tuple[tuple[int, int], ...]:
        """Each epoch in order, with the index of its last transaction."""
        reached = dict(self.base_runs)
        for entry in self.after(self.base):
            reached[entry.zxid.epoch] = entry.index
        return tuple(reached.items())

    def __repr__(self) -> str:
        snapshot = () if self.base == NOTHING else (f"snapshot {self.base}",)
        return f"<{' '.join([*snapshot, *(str(entry.zxid) for entry in self.after(self.base))])}>"

    @property
    def _base_index(self) -> int:
        return self.base_runs[-1][1] if self.base_runs else 0

    def _up_to(self, zxid: Zxid) -> Entry | None:
        entry = self.newest
        while entry is not None and entry.zxid > zxid:
            entry = entry.before
        return entry


def of_length(length: int) -> History:
    """A history of this many transactions, all of epoch 1."""
    history = History()
    for counter in range(1, length + 1):
        history = history.append(Zxid(1, counter), Write())
    return history
