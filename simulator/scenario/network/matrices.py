"""Matrices of latencies between zones, in a CSV file beside the scenario or in the scenario itself.

A matrix holds the figures as they were measured. The topology says whether they are one-way or round-trip times.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from simulator.protocol import Nanoseconds
from simulator.scenario.text.errors import Path, alternatives, reject, shown
from simulator.scenario.text.fields import DURATION_SCHEMA
from simulator.scenario.text.files import measured, read_lines, unit_in
from simulator.scenario.text.targets import ZONE_NAME_PATTERN
from simulator.scenario.text.units import format_duration, parse_duration

MOST_ZONES = 100  # The most zones. Results keep the matrix in their scenario, which has a maximum size.
_LARGEST_CSV = 1_000_000
_USUAL_UNIT = "ms"
_ZONE_NAMES = "write letters, digits, hyphens and underscores, 40 at most"

Figures: TypeAlias = dict[str, dict[str, Nanoseconds | None]]  # By row, then by column.


@dataclass(frozen=True, slots=True)
class Matrix:
    """The figures from each zone (row) to each zone (column). On the diagonal, None means that no figure is given."""

    zones: tuple[str, ...]
    figures: tuple[tuple[Nanoseconds | None, ...], ...]
    file: str | None = field(default=None, compare=False)  # The file from which the figures were read.

    def written(self) -> dict[str, dict[str, str]]:
        """The matrix as a scenario writes it inline."""
        return {
            zone: {
                destination: format_duration(figure)
                for destination, figure in zip(self.zones, row, strict=True)
                if figure is not None
            }
            for zone, row in zip(self.zones, self.figures, strict=True)
        }


def zone_name_error(name: str) -> str | None:
    """What is wrong with the name of a zone. None if nothing is."""
    if re.fullmatch(ZONE_NAME_PATTERN, name):
        return None
    return f"{shown(name)} is not a zone's name; {_ZONE_NAMES}"


def _matrix(figures: Figures, zones: Sequence[str], file: str | None = None) -> Matrix:
    rows = tuple(tuple(figures[zone].get(destination) for destination in zones) for zone in zones)
    return Matrix(tuple(zones), rows, file)


def _gap(zone: str, destination: str) -> str:
    return f"gives no latency from {zone} to {destination}; only that within a zone may be left out"


# --- In a file


def parse_csv(lines: Sequence[str], name: str) -> Matrix:
    """Reads a header `region,zone1,zone2…`, then a row for each zone: its name, and the figures to each zone.

    Raises ValueError with file, line and column.
    """
    source = shown(name)
    split = [(number, [cell.strip() for cell in line.split(",")]) for number, line in enumerate(lines, start=1)]
    rows = [(f"{source}:{number}", cells) for number, cells in split if any(cells)]
    if not rows:
        raise ValueError(f"{source} is empty; head it region_ms,zone1,zone2, say")
    (where, (heading, *zones)), *below = rows
    _check_zones(zones, where)
    unit = unit_in(heading) or _USUAL_UNIT
    figures: Figures = {}
    for where, (zone, *texts) in below:
        if zone not in zones:
            raise ValueError(f"{where}: the zone of this row has no column; give both for each zone")
        if zone in figures:
            raise ValueError(f"{where}: the zone of this row has a row already; give one for each zone")
        figures[zone] = _row(zone, zones, texts, unit, where)
    missing = [column for column, zone in enumerate(zones, start=2) if zone not in figures]
    if missing:
        raise ValueError(f"{source}: the zone of column {missing[0]} has no row; give both for each zone")
    return _matrix(figures, zones, name)


def _check_zones(zones: Sequence[str], where: str) -> None:
    if not zones:
        raise ValueError(f"{where}: names no zones; head the columns region_ms,zone1,zone2, say")
    if len(zones) > MOST_ZONES:
        raise ValueError(f"{where}: names more than {MOST_ZONES} zones; merge some")
    for position, zone in enumerate(zones):
        column = f"{where}: column {position + 2}"
        if zone_name_error(zone):
            raise ValueError(f"{column} names no zone; {_ZONE_NAMES}")
        if zone in zones[:position]:
            raise ValueError(f"{column} names a zone a second time; give one column for each zone")


def _row(zone: str, zones: Sequence[str], texts: Sequence[str], unit: str, where: str) -> dict[str, Nanoseconds | None]:
    if len(texts) != len(zones):
        raise ValueError(f"{where}: {len(texts)} figures for {len(zones)} zones; give one for each")
    figures: dict[str, Nanoseconds | None] = {}
    for column, (destination, text) in enumerate(zip(zones, texts, strict=True), start=2):
        if not text and destination != zone:
            raise ValueError(f"{where}: column {column} is empty; only the latency within a zone may be left out")
        try:
            figures[destination] = measured(text, unit) if text else None
        except ValueError as error:
            raise ValueError(f"{where}: column {column}: {error}") from None
    return figures


# --- In the scenario


def _read(value: Any) -> Matrix:
    if isinstance(value, Matrix):
        return value
    if isinstance(value, str):
        return parse_csv(read_lines(value, _LARGEST_CSV), value)
    if not isinstance(value, Mapping) or not value:
        raise ValueError(f"{shown(value)} is no matrix; name a CSV file, or write {{a: {{b: 10ms}}, b: {{a: 10ms}}}}")
    if len(value) > MOST_ZONES:
        raise ValueError(f"names more than {MOST_ZONES} zones; merge some")
    zones = list(value)
    figures: Figures = {}
    errors: list[tuple[Path, str]] = []
    for zone, row in value.items():
        figures[zone], row_errors = _inline_row(zone, row, zones)
        errors += row_errors
    reject(errors)
    return _matrix(figures, zones)


def _inline_row(
    zone: str, row: Any, zones: Sequence[str]
) -> tuple[dict[str, Nanoseconds | None], list[tuple[Path, str]]]:
    """The figures of a row, and the errors in it."""
    if error := zone_name_error(zone):
        return {}, [((zone,), error)]
    if not isinstance(row, Mapping):
        return {}, [((zone,), f"{shown(row)} is not a row; write the latency to each zone, {{{zones[0]}: 10ms}}")]
    figures: dict[str, Nanoseconds | None] = {}
    errors: list[tuple[Path, str]] = []
    for destination, figure in row.items():
        try:
            figures[destination] = parse_duration(figure)
        except ValueError as error:
            errors.append(((zone, destination), str(error)))
        if destination not in zones:
            errors.append(
                (
                    (zone, destination),
                    f"{shown(destination)} is a column without a row; {alternatives(destination, zones)}",
                )
            )
    gaps = [destination for destination in zones if destination not in row and destination != zone]
    return figures, [*errors, *(((zone,), _gap(zone, destination)) for destination in gaps)]


AnyMatrix = Annotated[
    Matrix,
    PlainValidator(_read),
    PlainSerializer(Matrix.written),
    WithJsonSchema(
        {
            "description": "The name of a CSV file, or from each zone to each other.",
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": {"type": "object", "additionalProperties": DURATION_SCHEMA},
                },
            ],
            "examples": [{"a": {"b": "10ms"}, "b": {"a": "12ms"}}],
        }
    ),
]
