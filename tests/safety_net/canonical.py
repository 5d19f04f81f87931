"""Traces, tables and summaries in the old words, so that values recorded before the rebuild can be compared.

This module imports nothing of `simulator`: `drive` hands it plain values, and `renamed` says what was renamed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from hashlib import sha256
from numbers import Integral, Real
from typing import Any

from tests.safety_net import renamed

# Keys whose values depend on the machine, on the version or on the digest of the new code.
VOLATILE = frozenset(("schema", "version", "versions", "platform", "command", "digest"))
_PER_MESSAGE = re.compile(r"((?:steady_)?(?:sent|bytes)_)(\w+)")  # Columns that count messages of one type.
_TOTALS = frozenset(("sent_total", "bytes_total"))
_DIGITS = 12  # Significant digits of a float: beyond them, another machine's libraries may differ.


def digest(end_ns: int, trace_rows: Iterable[Any], message_types: Sequence[str], sent: Sequence[int]) -> str:
    """SHA-256 over all that `Trace.digest` covers, in the old words.

    It does not depend on how the code is laid out: counts of messages are sorted by the message's name, and a message
    that the trial never sent is left out.
    """
    return hashed(rows(end_ns, trace_rows, message_types, sent))


def rows(end_ns: int, trace_rows: Iterable[Any], message_types: Sequence[str], sent: Sequence[int]) -> list[Any]:
    """What the digest is taken of: one entry for each row, then one for the end of the trial."""
    columns = sorted(
        (_old(renamed.MESSAGES, name), position) for position, name in enumerate(message_types) if sent[position]
    )
    end = [end_ns, [[name, sent[position]] for name, position in columns]]
    return [*(_row(row, [position for _, position in columns]) for row in trace_rows), end]


def measures(tables: Mapping[str, Iterable[Mapping[str, Any]]]) -> str:
    """SHA-256 over the rows that a trial adds to the tables, each row's columns in alphabetical order."""
    return hashed({name: [record(row) for row in rows] for name, rows in tables.items()})


def record(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a table in the old words, without counts that are zero: there may be columns for more types now."""
    found = {_column(key): plain(value) for key, value in row.items() if key not in VOLATILE | set(renamed.ADDED)}
    return {
        key: value
        for key, value in sorted(found.items())
        if value or key in _TOTALS or _PER_MESSAGE.fullmatch(key) is None
    }


def summary(part: Any) -> Any:
    """A summary in the old words, without what is volatile or new."""
    if isinstance(part, Mapping):
        return {
            _old(renamed.KEYS, _old(renamed.MESSAGES, _old(renamed.GROUPS, key))): summary(value)
            for key, value in part.items()
            if key not in VOLATILE and key not in renamed.ADDED
        }
    if isinstance(part, list | tuple):
        return [summary(value) for value in part]
    return plain(part)


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """Where two summaries differ, one line each; floats are equal within 1e-9 of their size."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = {**old, **new}
        return [
            line
            for key in keys
            for line in differences(old.get(key, "(missing)"), new.get(key, "(missing)"), f"{path}.{key}")
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [line for number, (one, two) in pairs for line in differences(one, two, f"{path}[{number}]")]
    if _is_float(old) and _is_float(new):
        return [] if math.isclose(old, new, rel_tol=1e-9, abs_tol=1e-12) else [f"{path}: was {old}, is {new}"]
    return [] if old == new else [f"{path}: was {old!r}, is {new!r}"]


def hashed(value: Any) -> str:
    return sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def plain(value: Any) -> Any:
    """The value as JSON has it; TypeError for what would be written differently under another name of its class."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return "nan" if math.isnan(value) else float(f"{float(value):.{_DIGITS}g}")
    if isinstance(value, Mapping):
        return {_old(renamed.DETAIL_KEYS, str(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, frozenset | set):
        return sorted((plain(inner) for inner in value), key=repr)
    if isinstance(value, Sequence):
        return [plain(inner) for inner in value]
    if str(value) == "<NA>":  # pandas' missing integer.
        return None
    raise TypeError(f"{type(value).__name__} in a trace or a table: say in tests/safety_net how it is compared")


def _row(row: Sequence[Any], columns: Sequence[int]) -> list[Any]:
    """A row of the trace, by position: its fields may be renamed."""
    time_ns, event, node, term, role, leader, group, detail, sent = row[:9]
    return [
        time_ns,
        _old(renamed.ROW_TYPES, event),
        node,
        term,
        plain(role),
        leader,
        None if group is None else _old(renamed.GROUPS, group),
        [[_old(renamed.DETAIL_KEYS, key), plain(value)] for key, value in detail],
        [sent[position] for position in columns],
    ]


def _column(key: str) -> str:
    counted = _PER_MESSAGE.fullmatch(key)
    if counted is not None and key not in _TOTALS:
        key = counted[1] + _old(renamed.MESSAGES, counted[2])
    return _old(renamed.KEYS, key)


def _text(text: str) -> str:
    for new, old in renamed.TEXTS:
        text = re.sub(new, old, text)
    return text


def _old(names: Mapping[str, str], name: str) -> str:
    return names.get(name, name)


def _is_float(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
