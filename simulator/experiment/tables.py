"""The tables of a run on disk: written a chunk at a time, and read column by column.

So neither a run nor its statistics need memory for the rows of all trials at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from simulator.analysis.tables import Reads, RunTables
from simulator.checks.violation import Violation
from simulator.experiment.columns import TABLES, VIOLATIONS, concatenated, frame, unpack, violations_in
from simulator.experiment.finished import FinishedTrials, parts
from simulator.experiment.reading import read_table, reading
from simulator.experiment.rows import OVERLAP_TYPES, ROUND_TYPES

FAILURES = "failures"  # The table of trials that failed.
_ROW_GROUP = 1 << 16  # The number of rows in a row group, which does not depend on the chunks of the trials.
_ADDED = {"rounds": ROUND_TYPES, "overlaps": OVERLAP_TYPES}  # Tables that version 0.2.0 did not write yet.

_NEEDED = {  # The columns without which a table cannot be read: `i` for whole numbers, `s` for text.
    "trials": {"trial": "i", "digest": "s"},
    "elections": {"trial": "i", "cause": "s", "outcome": "s"},
}


def write_tables(
    trials: FinishedTrials, first: int, end: int, directory: Path, metadata: Mapping[str, dict[str, str]]
) -> None:
    """Write the tables of trials `first` to `end - 1` into a directory, each file whole or not at all.

    `metadata` is kept in the file of the table of that name, and that of "" in all of them. The table of violations is
    written if there are any. Raises OSError.
    """
    schemas = _schemas(trials)
    writers = {name: _Writer(directory / f"{name}.parquet", name, schema, metadata) for name, schema in schemas.items()}
    try:
        for part in parts(trials, first, end):
            for name, table in part.items():
                writers[name].add(table)
        for writer in writers.values():
            writer.close()
    except BaseException:
        for writer in writers.values():
            writer.abandon()
        raise
    for name, writer in writers.items():
        if name == VIOLATIONS and not writer.rows:
            writer.abandon()
            writer.path.unlink(missing_ok=True)
        else:
            writer.publish()


def write_failures(failures: Sequence[tuple[int, str, str]], directory: Path, metadata: dict[str, str]) -> None:
    """Write the trials that failed: number, error, and the command that repeats the trial. Raises OSError."""
    path = directory / f"{FAILURES}.parquet"
    path.unlink(missing_ok=True)
    if failures:
        names = ("trial", "error", "command")
        rows = [dict(zip(names, row, strict=True)) for row in failures]
        table = pa.Table.from_pylist(
            rows, pa.schema({"trial": pa.int64(), "error": pa.string(), "command": pa.string()})
        )
        writer = _Writer(path, FAILURES, table.schema, {"": metadata})
        writer.add(table)
        writer.close()
        writer.publish()


def _schemas(trials: FinishedTrials) -> dict[str, pa.Schema]:
    """The schema of each table: the same for all chunks, but for numbers that may be fractions in some of them only."""
    packed = pa.unify_schemas([trials.schema(first) for first in trials.counts()], promote_options="permissive")
    return {name: table.schema for name, table in unpack(packed.empty_table()).items()}


class _Writer:
    """A Parquet file that is being written, beside the place that it will take."""

    def __init__(self, path: Path, name: str, schema: pa.Schema, metadata: Mapping[str, dict[str, str]]) -> None:
        self.path = path
        self.rows = 0
        self._draft = path.with_suffix(".draft")
        of_pandas: dict[bytes, bytes] = {} if name in (VIOLATIONS, FAILURES) else _pandas_metadata(name, schema)
        own = metadata.get("", {}) | metadata.get(name, {})
        self._schema = schema.with_metadata(of_pandas | {key.encode(): text.encode() for key, text in own.items()})
        self._file = pq.ParquetWriter(self._draft, self._schema, write_page_checksum=True)
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0

    def add(self, table: pa.Table) -> None:
        if table.num_rows:
            self._waiting.append(table.select(self._schema.names).cast(self._schema))
            self._waiting_rows += table.num_rows
            self.rows += table.num_rows
        while self._waiting_rows >= _ROW_GROUP:
            self._write(_ROW_GROUP)

    def _write(self, count: int) -> None:
        waiting = pa.concat_tables(self._waiting)
        self._file.write_table(waiting.slice(0, count), row_group_size=_ROW_GROUP)
        rest = waiting.slice(count)
        self._waiting, self._waiting_rows = [rest], rest.num_rows

    def close(self) -> None:
        if self._waiting_rows:
            self._write(self._waiting_rows)
        self._file.close()

    def publish(self) -> None:
        os.replace(self._draft, self.path)

    def abandon(self) -> None:
        self._file.close()
        self._draft.unlink(missing_ok=True)


def _pandas_metadata(name: str, schema: pa.Schema) -> dict[bytes, bytes]:
    """By this, pandas reads whole numbers that may be missing as `Int64`."""
    empty = pa.Table.from_pandas(frame(name, schema.empty_table()), preserve_index=False)
    return dict(empty.schema.metadata or {})


# --- Tables in memory


def gathered(trials: FinishedTrials, first: int, end: int) -> tuple[RunTables, pa.Table | None]:
    """The tables of trials `first` to `end - 1` in memory, and their violations."""
    found = concatenated(parts(trials, first, end))
    frames = {name: frame(name, found.get(name)) for name in TABLES}
    return RunTables(**frames), found.get(VIOLATIONS)


# --- Tables on disk


class TablesOnDisk:
    """The tables in a results directory. A table is read as a whole only if it is asked for as a whole."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @cached_property
    def trials(self) -> pd.DataFrame:
        """A row for each trial. Raises StoreError if the file is damaged."""
        return read_table(self._path("trials"), _NEEDED["trials"])

    @cached_property
    def elections(self) -> pd.DataFrame:
        """A row for each election. Raises StoreError."""
        return read_table(self._path("elections"), _NEEDED["elections"])

    @cached_property
    def rounds(self) -> pd.DataFrame:
        """A row for each round of an election. Raises StoreError."""
        return self._added("rounds")

    @cached_property
    def overlaps(self) -> pd.DataFrame:
        """A row for each time in which two or more nodes claimed to lead. Raises StoreError."""
        return self._added("overlaps")

    def only(self, reads: Reads) -> RunTables:
        """These columns of these tables; the other tables are empty. Raises StoreError."""
        return RunTables(**{name: self._columns(name, reads.get(name, ())) for name in TABLES})

    def check(self) -> None:
        """Raises StoreError if the files of trials and elections have not the columns that they need."""
        for name in ("trials", "elections"):
            with reading(self._path(name)):
                there = pq.read_schema(self._path(name)).names
                if lacking := [column for column in _NEEDED[name] if column not in there]:
                    raise ValueError(f"it has no column {lacking[0]}")

    def failures(self) -> list[tuple[int, str]]:
        """The trials that failed, each with its error. Raises StoreError."""
        path = self._path(FAILURES)
        if not path.is_file():
            return []
        with reading(path):
            table = pq.read_table(path, page_checksum_verification=True)
            return list(zip(table["trial"].to_pylist(), table["error"].to_pylist(), strict=True))

    def violations(self, *, waived: bool) -> list[tuple[int, Violation]]:
        """Each violated guarantee, after the number of its trial. Raises StoreError."""
        path = self._path(VIOLATIONS)
        if not path.is_file():
            return []
        with reading(path):
            return violations_in(pq.read_table(path, page_checksum_verification=True), waived=waived)

    def _columns(self, name: str, wanted: Sequence[str]) -> pd.DataFrame:
        if not wanted:
            return pd.DataFrame()
        path = self._path(name)
        if name in _ADDED and not path.is_file():
            return self._added(name)
        with reading(path):
            there = [str(column) for column in pq.read_schema(path).names]
            return pd.read_parquet(path, columns=matching(wanted, there), page_checksum_verification=True)

    def _added(self, name: str) -> pd.DataFrame:
        path = self._path(name)
        return read_table(path) if path.is_file() else frame(name, None)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.parquet"


def matching(wanted: Iterable[str], there: Iterable[str]) -> list[str]:
    """The columns that are asked for by name, or by the beginning of the name (`sent_*`)."""
    names = set(wanted)
    starts = tuple(name.removesuffix("*") for name in names if name.endswith("*"))
    return [name for name in there if name in names or (starts and name.startswith(starts))]
