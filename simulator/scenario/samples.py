"""Measured durations: samples in a CSV file beside the scenario, or in the scenario itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from pathlib import Path as FilePath
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from simulator.protocol import Nanoseconds
from simulator.scenario.problems import shown
from simulator.scenario.units import LONGEST, UNITS, format_duration, parse_duration

_MOST_SAMPLES = 20_000  # Written beside results, they must stay within what a scenario may hold.
_LARGEST_CSV = 2_000_000

_BESIDE: ContextVar[FilePath | None] = ContextVar("_BESIDE", default=None)


@contextmanager
def files_beside(directory: FilePath) -> Iterator[None]:
    """Within the block, a scenario's files are looked for in that directory; otherwise in the current one."""
    token = _BESIDE.set(directory)
    try:
        yield
    finally:
        _BESIDE.reset(token)


_HEADER = re.compile(rf"(?:\S*_)?({'|'.join(UNITS)})")
_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?")


def read_samples(name: str) -> tuple[Nanoseconds, ...]:
    """The samples in a CSV file, rising. Raises ValueError with file, line and value."""
    path = (_BESIDE.get() or FilePath()) / name
    try:
        if not path.is_file():  # A pipe or a device might never end.
            raise ValueError(f"{shown(name)} is not a file beside the scenario")
        with path.open("rb") as file:
            content = file.read(_LARGEST_CSV + 1)
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{shown(name)} is not UTF-8; save the file in that encoding") from None
    except OSError as error:
        raise ValueError(f"{shown(name)} cannot be read: {error.strerror or error}") from None
    if len(content) > _LARGEST_CSV or len(lines) > _MOST_SAMPLES + 1:
        raise ValueError(f"{shown(name)} holds more than {_MOST_SAMPLES} samples; thin it out")
    header = _HEADER.fullmatch(lines[0].strip()) if lines else None
    if header is None:
        heading = shown(lines[0]) if lines else "''"
        units = ", ".join(UNITS)
        raise ValueError(f"{shown(name)}:1: {heading} names no unit ({units}); head the only column latency_ms, say")
    samples = [
        _sample(line.strip(), header[1], f"{shown(name)}:{number}")
        for number, line in enumerate(lines[1:], start=2)
        if line.strip()
    ]
    if not samples:
        raise ValueError(f"{shown(name)} holds no samples below its header")
    return tuple(sorted(samples))


def _sample(text: str, unit: str, where: str) -> Nanoseconds:
    """Measured, and so rounded to whole nanoseconds."""
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        raise ValueError(f"{where}: {shown(text)} is not a number of 0 or more")
    duration_ns = Decimal(text) * UNITS[unit]
    if duration_ns > LONGEST:
        raise ValueError(f"{where}: {text}{unit} is too long; at most {LONGEST // UNITS['h']}h")
    return round(duration_ns)


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
