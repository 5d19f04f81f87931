"""Bandwidths: from text such as `100Mbit/s` or `10MB/s` to bytes per second."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from simulator.scenario.text.errors import shown

_PREFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_BITS_PER = {"bit": 1, "B": 8}
_UNITS = {
    f"{prefix}{name}/s": Decimal(factor * bits) / 8
    for name, bits in _BITS_PER.items()
    for prefix, factor in _PREFIXES.items()
}
_PATTERN = rf"^([0-9]+\.?[0-9]*|\.[0-9]+)({'|'.join(_UNITS)})$"
_LEAST, _MOST = 1, 10**15
_LONGEST_TEXT = 40


def parse_rate(value: object) -> float:
    """The bytes per second in a text with a unit. A plain number is bytes per second already. Raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        rate = float(value) if abs(value) <= _MOST else float("inf")
    else:
        match = re.fullmatch(_PATTERN, value) if isinstance(value, str) and len(value) <= _LONGEST_TEXT else None
        if match is None:
            raise ValueError(f"{shown(value)} is not a bandwidth; write a number and a unit ({', '.join(_UNITS)})")
        rate = float(Decimal(match[1]) * _UNITS[match[2]])
    if not _LEAST <= rate <= _MOST:
        raise ValueError(f"{shown(value)} is not between {_LEAST} and {_MOST:.0e} bytes per second")
    return rate


def format_rate(rate: float) -> str:
    """The text of a rate in bytes per second, with a prefix: 12.5 MB/s."""
    prefix, factor = max(
        ((prefix, factor) for prefix, factor in _PREFIXES.items() if factor <= max(rate, 1)), key=lambda pair: pair[1]
    )
    return f"{rate / factor:.4g} {prefix}B/s"


Rate = Annotated[
    float,
    BeforeValidator(parse_rate),
    PlainSerializer(lambda rate: int(rate) if rate == int(rate) else rate),
    WithJsonSchema(
        {
            "description": "Bytes per second, or a number with its unit: bit/s or B/s, with k, M or G before it.",
            "anyOf": [
                {"type": "string", "pattern": _PATTERN},
                {"type": "number", "minimum": _LEAST, "maximum": _MOST},
            ],
            "examples": ["100Mbit/s", "10MB/s", 12500000],
        }
    ),
]
