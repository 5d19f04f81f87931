"""What a study has found by now, while trials of it are left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulator.experiment.drafts import HEAD
from simulator.experiment.files import UNFINISHED
from simulator.experiment.stored import NoTrialError, cell_result, why_unfinished
from simulator.experiment.sweep.cells import name_of
from simulator.experiment.sweep.comparing import compare_cells
from simulator.experiment.sweep.rows import described, digest_of_cells, primary_measures, read_study_json


def found_by_now(directory: Path) -> dict[str, Any]:
    """What `study.json` says; if trials are left, with what all trials that are finished by now have found.

    A cell that has not all its trials has no `digest`. It is left out of a comparison. Raises StoreError.
    """
    study = read_study_json(directory)
    if not (directory / HEAD).is_file():
        return study
    rows = [_by_now(directory, row) for row in study["cells"]]
    left = [row for row in rows if row["directory"] is not None and "digest" not in row and not row["skipped"]]
    found = study | {
        "state": UNFINISHED,
        "stopped_by": study.get("stopped_by") or why_unfinished(directory),
        "digest": digest_of_cells(rows),
        "metrics": list(study["metrics"] or primary_measures(rows)),
        "unfinished": [row["number"] for row in left],
        "cells": rows,
    }
    if "compared" in study:
        cut = [unfinished_variant(row, row.get("trials", {})) for row in left]
        found["comparison"] = compare_cells(study, rows, rows, directory)
        found["comparison"] |= {"stopped_by": found["stopped_by"], "unfinished": cut}
    return found


def unfinished_variant(row: Mapping[str, Any], trials: Mapping[str, int]) -> dict[str, Any]:
    """The entry of `unfinished` in a comparison."""
    counts = {"run": trials.get("run", 0), "requested": trials.get("requested")}
    return {"name": name_of(row["settings"]), "directory": row["directory"], "trials": counts}


def _by_now(directory: Path, row: dict[str, Any]) -> dict[str, Any]:
    """What is known of a cell."""
    if row["directory"] is None or "digest" in row or row["skipped"]:
        return row
    part = directory / row["directory"]
    try:
        found = described(row, cell_result(part))
    except NoTrialError:
        return row
    if (part / HEAD).is_file():
        del found["digest"]
    return found
