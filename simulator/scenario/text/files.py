"""Files that a scenario names: they lie beside it, are read once, and are part of it from then on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from pathlib import Path as FilePath

from simulator.protocol import Nanoseconds
from simulator.scenario.text.errors import shown
from simulator.scenario.text.units import LONGEST, UNITS

_BESIDE: ContextVar[FilePath | None] = ContextVar("_BESIDE", default=None)


@contextmanager
def files_beside(directory: FilePath) -> Iterator[None]:
    """Within the block, a scenario's files are looked for in that directory; otherwise in the current one."""
    token = _BESIDE.set(directory)
    try:
        yield
    finally:
        _BESIDE.reset(token)


def read_lines(name: str, largest_bytes: int) -> list[str]:
    """The lines of a text file beside the scenario. Raises ValueError with its name and what to do."""
    path = (_BESIDE.get() or FilePath()) / name
    try:
        if not path.is_file():  # A pipe or a device might never end.
            raise ValueError(f"{shown(name)} is not a file beside the scenario")
        with path.open("rb") as file:
            content = file.read(largest_bytes + 1)
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{shown(name)} is not UTF-8; save the file in that encoding") from None
    except OSError as error:
        raise ValueError(f"{shown(name)} cannot be read: {error.strerror or error}") from None
    if len(content) > largest_bytes:
        raise ValueError(f"{shown(name)} is larger than {largest_bytes} bytes; thin it out")
    return lines


_HEADING = re.compile(rf"(?:\S*_)?({'|'.join(UNITS)})")
_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?")


def unit_in(heading: str) -> str | None:
    """The unit that the heading of a column ends in: `latency_ms`, or just `ms`."""
    match = _HEADING.fullmatch(heading.strip())
    return None if match is None else match[1]


def measured(text: str, unit: str, where: str) -> Nanoseconds:
    """A number from a file, in that unit: measured, and so rounded to whole nanoseconds."""
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        raise ValueError(f"{where}: {shown(text)} is not a number of 0 or more")
    duration_ns = Decimal(text) * UNITS[unit]
    if duration_ns > LONGEST:
        raise ValueError(f"{where}: {text}{unit} is too long; at most {LONGEST // UNITS['h']}h")
    return round(duration_ns)
