"""A server's history: the transactions that it has logged, behind a snapshot, if any."""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulator.algorithms.zookeeper.messages import NOTHING, Write, Zxid
from simulator.protocol import Message


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A transaction, and what is before it. `index` counts from the first transaction of all, which has 1."""

    zxid: Zxid
    transaction: Message
    index: int
    before: Entry | None


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Immutable, so that a server can receive another while it keeps its own, and change to it in one write.

    It is a chain from its last entry back, which histories share: to append, to compare and to save cost no copy.
    """

    newest: Entry | None = None  # None: there is nothing behind the snapshot.
    base: Zxid = NOTHING  # The last transaction that is in the snapshot.
    base_runs: tuple[tuple[int, int], ...] = ()  # What is in the snapshot, as `runs` tells it.
    snapshot: object = None

    @property
    def last(self) -> Zxid:
        return self.base if self.newest is None else self.newest.zxid

    @property
    def index(self) -> int:
        """How many transactions there have been, up to the last."""
        return self._base_index if self.newest is None else self.newest.index

    def append(self, zxid: Zxid, transaction: Message) -> History:
        return replace(self, newest=Entry(zxid, transaction, self.index + 1, self.newest))

    def truncate(self, zxid: Zxid) -> History:
        """Without what is behind a transaction."""
        return replace(self, newest=self._up_to(zxid))

    def common(self, zxid: Zxid) -> Zxid | None:
        """The last transaction here that is not behind that one; None where even the snapshot is."""
        found = self._up_to(zxid)
        if found is not None:
            return found.zxid
        return self.base if self.base <= zxid else None

    def after(self, zxid: Zxid) -> list[Entry]:
        """The entries behind a transaction, in order."""
        behind = []
        entry = self.newest
        while entry is not None and entry.zxid > zxid:
            behind.append(entry)
            entry = entry.before
        return behind[::-1]

    def last_entries(self, count: int) -> list[Entry]:
        """At most `count` entries behind the snapshot, the last ones, in order."""
        last: list[Entry] = []
        entry = self.newest
        while entry is not None and len(last) < count:
            last.append(entry)
            entry = entry.before
        return last[::-1]

    def runs(self) -> tuple[tuple[int, int], ...]:
        """The history in short: each epoch in order, with the last index that it reaches."""
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
    """So many transactions, all of epoch 1."""
    history = History()
    for counter in range(1, length + 1):
        history = history.append(Zxid(1, counter), Write())
    return history
