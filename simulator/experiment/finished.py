"""Where the finished trials of one scenario are kept while it runs: in memory, or as files that a kill leaves whole.

A file `chunks/000000001200-50.parquet` has trials 1200 to 1249. A file gets this name only when all of it is on the
disk, so no chunk is incomplete.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import compute

from simulator.experiment.chunks import Chunk
from simulator.experiment.columns import FAILURE, failures, unpack
from simulator.experiment.files import StoreError, cannot_write

CHUNKS = "chunks"
_NAME = re.compile(r"(\d{12,})-(\d+)\.parquet")


class FinishedTrials(Protocol):
    """Chunks of trials by the number of their first one."""

    def add(self, chunk: Chunk) -> None:
        """Keep a chunk. Raises StoreError."""

    def counts(self) -> Mapping[int, int]:
        """How many trials each chunk has, in the order of its trials."""

    def packed(self, first: int, columns: Sequence[str] | None = None) -> pa.Table:
        """A chunk as `columns.pack` made it, or some of its columns.

        Raises OSError and pa.ArrowException if its file is damaged.
        """

    def schema(self, first: int) -> pa.Schema:
        """The columns of a chunk, and their types."""


class InMemory:
    """Keeps chunks in memory, as they came: about 1 kB for each trial."""

    def __init__(self) -> None:
        self._chunks: dict[int, Chunk] = {}

    def add(self, chunk: Chunk) -> None:
        """See FinishedTrials."""
        self._chunks[chunk.first] = chunk

    def counts(self) -> Mapping[int, int]:
        """See FinishedTrials."""
        return {first: self._chunks[first].count for first in sorted(self._chunks)}

    def packed(self, first: int, columns: Sequence[str] | None = None) -> pa.Table:
        """See FinishedTrials."""
        return pq.read_table(BytesIO(self._chunks[first].packed), columns=columns and list(columns))

    def schema(self, first: int) -> pa.Schema:
        """See FinishedTrials."""
        return pq.read_schema(BytesIO(self._chunks[first].packed))


class InDirectory:
    """Keeps each chunk in a file of its own. Chunks that an earlier process has written are found again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / CHUNKS
        self._counts: dict[int, int] = {}
        if self._directory.is_dir():
            names = sorted(entry.name for entry in self._directory.iterdir())
            self._counts = {int(found[1]): int(found[2]) for found in map(_NAME.fullmatch, names) if found}

    def add(self, chunk: Chunk) -> None:
        """See FinishedTrials. The file is on the disk when this returns, so that not even a power failure loses it."""
        path = self._path(chunk.first, chunk.count)
        draft = path.with_suffix(".draft")
        try:
            self._directory.mkdir(exist_ok=True)
            with draft.open("wb") as file:
                file.write(chunk.packed)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
        except OSError as error:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise StoreError(cannot_write(self._directory.parent, error)) from error
        self._counts[chunk.first] = chunk.count

    def counts(self) -> Mapping[int, int]:
        """See FinishedTrials."""
        return dict(sorted(self._counts.items()))

    def packed(self, first: int, columns: Sequence[str] | None = None) -> pa.Table:
        """See FinishedTrials."""
        path = self._path(first, self._counts[first])
        return pq.read_table(path, columns=columns and list(columns), page_checksum_verification=True)

    def schema(self, first: int) -> pa.Schema:
        """See FinishedTrials."""
        return pq.read_schema(self._path(first, self._counts[first]))

    def drop_damaged(self) -> None:
        """Remove the files that cannot be read, so that their trials are run again. Raises OSError."""
        for first, count in self.counts().items():
            try:
                whole = self.packed(first).num_rows == count
            except (OSError, ValueError, pa.ArrowException):
                whole = False
            if not whole:
                self._path(first, count).unlink(missing_ok=True)
                del self._counts[first]

    def remove(self) -> None:
        """Remove the files, after their content was written into the tables. Raises OSError."""
        if self._directory.is_dir():
            for entry in self._directory.iterdir():
                entry.unlink()
            self._directory.rmdir()

    def _path(self, first: int, count: int) -> Path:
        return self._directory / f"{first:012}-{count}.parquet"


# --- What is in them


def missing(finished: Mapping[int, int], first: int, end: int) -> list[range]:
    """The trials from `first` to `end - 1` that no chunk has, as ranges in order."""
    gaps, at = [], first
    for start, count in finished.items():
        if start >= end:
            break
        if start > at:
            gaps.append(range(at, start))
        at = max(at, start + count)
    return [*gaps, range(at, end)] if at < end else gaps


def without_gap(finished: Mapping[int, int], first: int) -> int:
    """The first trial, from `first` on, that is missing."""
    at = first
    for start, count in finished.items():
        if start > at:
            break
        at = max(at, start + count)
    return at


def parts(trials: FinishedTrials, first: int, end: int) -> Iterator[dict[str, pa.Table]]:
    """The tables of trials `first` to `end - 1`, a chunk at a time, in the order of the trials."""
    for start, count in trials.counts().items():
        if start < end and start + count > first:
            found = unpack(trials.packed(start))
            inside = first <= start and start + count <= end
            yield found if inside else {name: _within(table, first, end) for name, table in found.items()}


def failed(trials: FinishedTrials, first: int, end: int) -> list[tuple[int, str]]:
    """The trials from `first` to `end - 1` that failed, each with the text of its error."""
    starts = [start for start in trials.counts() if start < end]
    found = [row for start in starts for row in failures(trials.packed(start, ("trial", FAILURE)))]
    return [row for row in found if first <= row[0] < end]


def _within(table: pa.Table, first: int, end: int) -> pa.Table:
    numbers = table["trial"]
    return table.filter(compute.and_(compute.greater_equal(numbers, first), compute.less(numbers, end)))
