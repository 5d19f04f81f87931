"""Sizes of memory as people write them (`4GiB`, `500MB`), in bytes."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from simulator.scenario.text.errors import shown

_BINARY = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, **_BINARY}
_PATTERN = rf"^([0-9]+\.?[0-9]*|\.[0-9]+)({'|'.join(_UNITS)})$"
_LEAST, _MOST = 1 << 20, 1 << 50
_LONGEST_TEXT = 40


def parse_size(value: object) -> int:
    """Bytes from a number with a unit; a plain whole number is bytes already.

    Raises ValueError, in one sentence that shows the value and says what to write.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        size = value
    else:
        match = re.fullmatch(_PATTERN, value) if isinstance(value, str) and len(value) <= _LONGEST_TEXT else None
        if match is None:
            raise ValueError(f"{shown(value)} is not a size of memory; write a number and a unit, such as 4GiB")
        size = int(Decimal(match[1]) * _UNITS[match[2]])
    if not _LEAST <= size <= _MOST:
        raise ValueError(f"{shown(value)} is not between {format_size(_LEAST)} and {format_size(_MOST)}")
    return size


def format_size(size: int) -> str:
    """The text of exactly this many bytes, in the largest binary unit of which they are a multiple: `4GiB`."""
    for unit, factor in reversed(_BINARY.items()):
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size}B"


SIZE_SCHEMA: dict[str, Any] = {
    "description": "Bytes, or a number with its unit: B, kB, MB, GB, TB, KiB, MiB, GiB or TiB.",
    "anyOf": [
        {"type": "string", "pattern": _PATTERN},
        {"type": "integer", "minimum": _LEAST, "maximum": _MOST},
    ],
    "examples": ["4GiB", "500MB"],
}
Size = Annotated[int, BeforeValidator(parse_size), PlainSerializer(format_size), WithJsonSchema(SIZE_SCHEMA)]
