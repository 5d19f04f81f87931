"""Measured durations: samples in a CSV file beside the scenario, or in the scenario itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from simulator.protocol import Nanoseconds
from simulator.scenario.text.errors import shown
from simulator.scenario.text.files import measured, read_lines, unit_in
from simulator.scenario.text.units import UNITS, format_duration, parse_duration

_MOST_SAMPLES = 20_000  # Written beside results, they must stay within what a scenario may hold.
_LARGEST_CSV = 2_000_000


def read_samples(name: str) -> tuple[Nanoseconds, ...]:
    """The samples in a CSV file, rising. Raises ValueError with file, line and value."""
    lines = read_lines(name, _LARGEST_CSV)
    if len(lines) > _MOST_SAMPLES + 1:
        raise ValueError(f"{shown(name)} holds more than {_MOST_SAMPLES} samples; thin it out")
    unit = unit_in(lines[0]) if lines else None
    if unit is None:
        units = ", ".join(UNITS)
        raise ValueError(f"{shown(name)}:1: the header names no unit ({units}); head the only column latency_ms, say")
    samples = []
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            try:
                samples.append(measured(line.strip(), unit))
            except ValueError as error:
                raise ValueError(f"{shown(name)}:{number}: {error}") from None
    if not samples:
        raise ValueError(f"{shown(name)} holds no samples below its header")
    return tuple(sorted(samples))


def _parse_samples(text: object) -> tuple[Nanoseconds, ...]:
    if not isinstance(text, str) or not text.split():
        raise ValueError(f"{shown(text)} is not samples; write durations with blanks between them: 4ms 5.2ms")
    words = text.split()
    if len(words) > _MOST_SAMPLES:
        raise ValueError(f"holds more than {_MOST_SAMPLES} samples; thin them out")
    return tuple(sorted(map(parse_duration, words)))


Samples = Annotated[
    tuple[Nanoseconds, ...],
    BeforeValidator(_parse_samples),
    PlainSerializer(lambda samples: " ".join(map(format_duration, samples))),
    WithJsonSchema({"type": "string", "examples": ["4ms 5.2ms 4.7ms"]}),
]
