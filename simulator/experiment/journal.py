"""Reads the journal of a run that was killed under version 0.3.0, which wrote down each finished trial as a line.

`finished.jsonl` has a JSON value a line. An object names the columns of the rows that follow; an array is a trial. A
last line that a kill has cut short is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from simulator.checks.violation import Violation
from simulator.experiment.trial import TrialResult

JOURNAL = "finished.jsonl"
_TABLES = ("row", "elections", "rounds", "overlaps")


def read_journal(path: Path) -> list[TrialResult]:
    """The finished trials, in order. Raises OSError, and ValueError for a file that is no journal."""
    columns: dict[str, list[str]] = {}
    finished = []
    for number, line in _whole_lines(path):
        try:
            content = json.loads(line)
            if isinstance(content, dict):
                columns |= content
            else:
                finished.append(_result(content, columns))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{path.name}, line {number}: is not a finished trial") from error
    return finished


def count_finished(path: Path) -> int:
    """How many trials the file has; 0 if it cannot be read."""
    try:
        return sum(line.startswith(b"[") for _, line in _whole_lines(path))
    except OSError:
        return 0


def _whole_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.endswith(b"\n"):
                yield number, line


def _result(content: Sequence[Any], columns: dict[str, list[str]]) -> TrialResult:
    trial, digest, row, elections, rounds, overlaps, violations, waived = content
    tables = dict(zip(_TABLES, (row, elections, rounds, overlaps), strict=True))
    rows = {name: [dict(zip(columns[name], values, strict=True)) for values in table] for name, table in tables.items()}
    return TrialResult(
        trial=trial,
        digest=digest,
        row=rows["row"][0],
        elections=rows["elections"],
        rounds=rows["rounds"],
        overlaps=rows["overlaps"],
        violations=[_violation(values) for values in violations],
        waived=[_violation(values) for values in waived],
    )


def _violation(values: Sequence[Any]) -> Violation:
    guarantee, time_ns, text, nodes = values
    return Violation(guarantee, time_ns, text, tuple(nodes))
