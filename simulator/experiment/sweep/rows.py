"""What `study.json` and `cells.parquet` say of each cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from simulator.analysis.comparison import COLD_START, PRIMARY
from simulator.analysis.estimates import Summary, statistic
from simulator.analysis.records.registry import MEASURES
from simulator.analysis.samples import primary_cause
from simulator.analysis.tables import Tables
from simulator.experiment.reading import read_object, reading
from simulator.experiment.result import Result

STUDY = "study.json"
CELLS = "cells.parquet"


def read_study_json(directory: Path) -> dict[str, Any]:
    """What `study.json` says. Raises StoreError."""
    file = directory / STUDY
    found = read_object(file, {"state": str, "command": str, "seed": int, "axes": list, "cells": list, "metrics": list})
    with reading(file):
        for row in found["cells"]:
            if row["directory"] is not None and not (isinstance(row["directory"], str) and "/" not in row["directory"]):
                raise ValueError("a cell has a wrong directory")
            if not isinstance(row["settings"], dict) or not isinstance(row["number"], int):
                raise ValueError("a cell has no settings or no number")
        if not isinstance(found.get("comparison", {}), dict) or not isinstance(found.get("compared", {}), dict):
            raise ValueError("its comparison is no object")
    return found


def described(row: Mapping[str, Any], result: Result, metrics: Sequence[str] = ()) -> dict[str, Any]:
    """What `study.json` has of a finished cell: of the metrics, those that the study names, or all if it names none."""
    published = result.scenario.published
    changed = [] if published is None else list(published.changed)
    return {
        **row,
        "digest": result.digest,
        "trials": result.counts,
        "violations": len(result.violations),
        "violated": result.violated,
        "headline_cause": primary_cause(result.tables.only({"elections": ("cause",)}).elections),
        "metrics": _estimates(result.tables, metrics or list(MEASURES)),
        **({"precision": result.precision.summary()} if result.precision is not None else {}),
        **({"published_left_out": {"changed": changed}} if changed else {}),
    }


def _estimates(tables: Tables, metrics: Sequence[str]) -> Summary:
    return {name: statistic(MEASURES[name].estimate(tables)) for name in metrics}


def digest_of_cells(rows: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 over the numbers and digests of the finished cells, in hexadecimal digits."""
    digests = "\n".join(f"{row['number']} {row['digest']}" for row in rows if "digest" in row)
    return sha256(digests.encode()).hexdigest()


def primary_measures(rows: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    """The metrics to show if none are named: those of elections after losses, or of cold starts."""
    return PRIMARY if any(row.get("headline_cause") == "loss" for row in rows) else COLD_START


def frame_rows(rows: Sequence[Mapping[str, Any]], metrics: Sequence[str]) -> list[dict[str, Any]]:
    """A flat row for each cell: settings, trials, and each metric with its interval."""
    fields = list(dict.fromkeys(field for row in rows for field in row["settings"]))
    linked = list(dict.fromkeys(field for row in rows for field in row["linked"]))
    found = []
    for row in rows:
        flat: dict[str, Any] = {"cell": row["number"]}
        flat |= {field: row["settings"].get(field) for field in fields}
        flat |= {field: row["linked"].get(field) for field in linked}
        trials = row.get("trials", {})
        flat |= {name: trials.get(name) for name in ("run", "failed")} | {"violations": row.get("violations")}
        for name in metrics:
            estimate = row.get("metrics", {}).get(name, {})
            flat |= {
                name: estimate.get("value"),
                f"{name}.low": estimate.get("low"),
                f"{name}.high": estimate.get("high"),
            }
        found.append(flat | {"skipped": row["skipped"], "directory": row["directory"], "digest": row.get("digest")})
    return found
