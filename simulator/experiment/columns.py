"""Finished trials as Arrow tables: a worker packs a chunk of trials into one Parquet buffer, a reader divides it.

A packed chunk has a row for each trial. Its columns are those of the trials table, and a list column for each of the
other tables. A trial that failed has its number and the text of the error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import compute

from simulator.checks.violation import Violation
from simulator.experiment.rows import OVERLAP_TYPES, ROUND_TYPES, Record

if TYPE_CHECKING:
    from simulator.experiment.trial import TrialError, TrialResult

TABLES = ("trials", "elections", "rounds", "overlaps")
FAILURE = "failure"  # The column of a packed chunk that says why a trial failed.
VIOLATIONS = "violations"  # The table of violations, those that the scenario waives included.
NULLABLE = ("lost_leader", "winner", "terms_spent")  # Whole numbers of the elections table that may be missing.

_TEXT = frozenset(
    (
        "digest",
        "faults_without_effect",
        "assumptions_broken",
        "liveness",
        "cause",
        "loss_cause",
        "outcome",
        "kind",
        "claimants",
        FAILURE,
    )
)
_TRUE_OR_FALSE = frozenset(("censored", "effective"))
_TRAFFIC = ("sent_", "bytes_", "steady_sent_", "steady_bytes_")
_NAMED = {"int64": pa.int64(), "float64": pa.float64(), "str": pa.string(), "bool": pa.bool_()}
# Leaving them out halves the size of a small chunk.
_SMALL = {"write_statistics": False, "store_schema": False, "use_dictionary": False}
_VIOLATION = pa.struct(
    {
        "trial": pa.int64(),
        "waived": pa.bool_(),
        "guarantee": pa.string(),
        "time_ns": pa.int64(),
        "text": pa.string(),
        "nodes": pa.list_(pa.int64()),
    }
)


def arrow_type(column: str) -> pa.DataType:
    """The type of a column of the trials or elections table, by its name: `_s` are seconds, all else is counted."""
    if column.startswith(_TRAFFIC):
        return pa.int64()
    if column in _TEXT:
        return pa.string()
    if column in _TRUE_OR_FALSE:
        return pa.bool_()
    return pa.float64() if column.endswith("_s") else pa.int64()


# --- Packing, in a worker


def pack(finished: Sequence[TrialResult], failed: Sequence[TrialError]) -> bytes:
    """A Parquet file of these trials, in memory. The rows are in the order of `finished`, then of `failed`."""
    numbers = [result.trial for result in finished] + [error.trial for error in failed]
    missing = [None] * len(failed)
    arrays: dict[str, pa.Array] = {"trial": pa.array(numbers, pa.int64())}
    for name in finished[0].row if finished else ():
        if name != "trial":
            arrays[name] = _array([*(result.row[name] for result in finished), *missing], arrow_type(name))
    for table, kind in _nested(finished).items():
        rows = [*(getattr(result, table) for result in finished), *missing]
        arrays[_nested_column(table)] = pa.array(rows, pa.list_(kind), from_pandas=True)
    arrays[_nested_column(VIOLATIONS)] = pa.array([*map(_violations, finished), *missing], pa.list_(_VIOLATION))
    arrays[FAILURE] = pa.array([None] * len(finished) + [error.args[1] for error in failed], pa.string())
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(arrays), sink, compression="zstd", write_page_checksum=True, **_SMALL)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """A column. A metric may count in fractions: then its type follows its values."""
    try:
        return pa.array(values, kind, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array(values, from_pandas=True)


def _nested(finished: Sequence[TrialResult]) -> dict[str, pa.DataType]:
    """The types of the rows of the other tables."""
    kinds = {
        "rounds": pa.struct({name: _NAMED[kind] for name, kind in ROUND_TYPES.items()}),
        "overlaps": pa.struct({name: _NAMED[kind] for name, kind in OVERLAP_TYPES.items()}),
    }
    first = next((result.elections[0] for result in finished if result.elections), None)
    if first is not None:
        kinds["elections"] = pa.struct({name: arrow_type(name) for name in first})
    return kinds


def _nested_column(table: str) -> str:
    """The column of a packed chunk that has the rows of another table; the trials table has a column `elections`."""
    return f"rows of {table}"


def _violations(result: TrialResult) -> list[Record]:
    return [
        {
            "trial": result.trial,
            "waived": waived,
            "guarantee": str(violation.guarantee),
            "time_ns": violation.time_ns,
            "text": violation.text,
            "nodes": list(violation.nodes),
        }
        for waived, broken in ((False, result.violations), (True, result.waived))
        for violation in broken
    ]


# --- Unpacking, in the coordinator


def unpack(packed: pa.Table) -> dict[str, pa.Table]:
    """The tables of the trials that finished, and their violations; by name."""
    finished = packed.filter(compute.is_null(packed[FAILURE]))
    nested = {name: _nested_column(name) for name in (*TABLES[1:], VIOLATIONS)}
    of_trials = [name for name in finished.column_names if name not in {FAILURE, *nested.values()}]
    tables = {"trials": finished.select(of_trials)}
    for name, column in nested.items():
        if column in finished.column_names:
            tables[name] = pa.Table.from_struct_array(finished[column].combine_chunks().flatten())
    return tables


def failures(packed: pa.Table) -> list[tuple[int, str]]:
    """The trials that failed, each with the text of its error; in the order of the trials."""
    failed = packed.filter(compute.is_valid(packed[FAILURE]))
    return sorted(zip(failed["trial"].to_pylist(), failed[FAILURE].to_pylist(), strict=True))


def frame(name: str, table: pa.Table | None) -> pd.DataFrame:
    """A table as pandas has it: whole numbers that may be missing are `Int64`. None: no row."""
    if table is None:
        types = {"rounds": ROUND_TYPES, "overlaps": OVERLAP_TYPES}[name]
        return pd.DataFrame(columns=list(types)).astype(dict(types))
    nullable = [column for column in NULLABLE if name == "elections" and column in table.column_names]
    found: pd.DataFrame = table.drop_columns(nullable).to_pandas() if nullable else table.to_pandas()
    for column in nullable:
        found[column] = table[column].to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return found[table.column_names] if nullable else found


def violations_in(table: pa.Table | None, *, waived: bool) -> list[tuple[int, Violation]]:
    """The violations of a table, each after the number of its trial."""
    if table is None:
        return []
    return [
        (row["trial"], Violation(row["guarantee"], row["time_ns"], row["text"], tuple(row["nodes"])))
        for row in table.filter(compute.equal(table["waived"], waived)).to_pylist()
    ]


def concatenated(parts: Iterable[Mapping[str, pa.Table]]) -> dict[str, pa.Table]:
    """The rows of several parts, one after the other. A column may have whole numbers in one part only."""
    by_name: dict[str, list[pa.Table]] = {}
    for part in parts:
        for name, table in part.items():
            by_name.setdefault(name, []).append(table)
    return {name: pa.concat_tables(tables, promote_options="permissive") for name, tables in by_name.items()}
