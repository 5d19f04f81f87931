"""A comparison is a study whose cells are compared: which ones can be, and what differs between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.analysis.comparison import ComparedVariant, ComparisonPlan, compare, provenance
from simulator.analysis.estimates import Summary
from simulator.experiment.sweep.cells import StudyCell, name_of
from simulator.experiment.sweep.study import Study, refused
from simulator.experiment.tables import TablesOnDisk

MOST_COMPARED = 50
Row = Mapping[str, Any]  # Of a cell.
_OF_A_VARIANT = ("settings", "directory", "digest", "trials")


@dataclass(frozen=True, slots=True)
class Comparing:
    """How the cells of a study are compared. The metrics are those of the study."""

    reference: Mapping[str, str] | None = None
    margin: float | None = None

    def described(self) -> Summary:
        """As `study.json` keeps it."""
        return {
            "reference": None if self.reference is None else dict(self.reference),
            "equivalent": self.margin,
        }


def check_comparable(study: Study, cells: Sequence[StudyCell]) -> None:
    """Raises ScenarioError if these cells cannot be compared."""
    if study.precision is not None:
        raise refused("precision", "all variants have the same trials; leave it out, or use `electsim sweep`")
    valid = [cell for cell in cells if cell.scenario is not None]
    if len(valid) > MOST_COMPARED:
        raise refused("the comparison", f"{len(valid):,} variants; compare {MOST_COMPARED} at most")
    if len(valid) < 2:
        reason = "".join(f"; skipped: {cell.skipped}" for cell in cells if cell.skipped is not None)
        raise refused("the comparison", f"give values to compare, two at least: cluster.nodes=3,5{reason}")


def compare_cells(study: Mapping[str, Any], rows: Sequence[Row], compared: Sequence[Row], directory: Path) -> Summary:
    """The finished cells of a study in `directory`, and what differs between those of `compared`.

    This is the `comparison` of `study.json`. `study` is what that file said before, `rows` what it says of each cell
    now. Raises StoreError.
    """
    how = study["compared"]
    plan = ComparisonPlan(metrics=study["metrics"], reference=how["reference"], margin=how["equivalent"])
    variants = [
        ComparedVariant(
            name=name_of(row["settings"]),
            settings=row["settings"],
            tables=TablesOnDisk(directory / row["directory"]),
        )
        for row in compared
        if "digest" in row
    ]
    return {
        **provenance(study["name"], study["command"], study["seed"]),
        **how,
        "variants": [_described(row) for row in rows if "digest" in row],
        "skipped": [{"name": name_of(row["settings"]), "reason": row["skipped"]} for row in rows if row["skipped"]],
        **compare(variants, plan),
    }


def _described(row: Mapping[str, Any]) -> Summary:
    """The entry of a variant in `comparison`."""
    found = {"name": name_of(row["settings"]), **{name: row[name] for name in _OF_A_VARIANT}}
    found["violations"] = row["violated"]
    return found | {name: row[name] for name in ("published_left_out",) if name in row}
