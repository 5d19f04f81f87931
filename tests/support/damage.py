"""Random damage to files, as disks, editors and interrupted copies do it; the same for the same seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

WRONG: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 3, 10**30, 1.5, float("inf"), float("nan")),
    *("", "x", "n1", "\ud800", "\x1b[2J", "9" * 5000),
    *([], {}, [[]], [{}], [1, "x"], {"x": 1}, {"value": "x", "low": None, "high": []}),
)

Keys = tuple[str | int, ...]


def damage(file: Path, chance: random.Random) -> str:
    """Damage a file in one of several ways; what was done, for the message of a test that fails."""
    directions: list[Callable[[Path, random.Random], str]] = [_flip, _flip, _truncate, _garble]
    if file.suffix == ".json":
        directions += [_replace, _replace, _replace, _replace, _remove, _remove, _nest]
    return f"{file.name}: {chance.choice(directions)(file, chance)}"


def _flip(file: Path, chance: random.Random) -> str:
    content = bytearray(file.read_bytes())
    bits = [chance.randrange(8 * len(content)) for _ in range(chance.choice((1, 1, 8, 64)))]
    for bit in bits:
        content[bit // 8] ^= 1 << (bit % 8)
    file.write_bytes(content)
    return f"bits {bits[:8]} flipped"


def _truncate(file: Path, chance: random.Random) -> str:
    content = file.read_bytes()
    length = chance.choice((0, 1, len(content) - 1, chance.randrange(len(content))))
    file.write_bytes(content[:length])
    return f"cut to {length} of {len(content)} bytes"


def _garble(file: Path, chance: random.Random) -> str:
    content = bytearray(file.read_bytes())
    at, length = chance.randrange(len(content)), chance.choice((4, 64, 512))
    content[at : at + length] = chance.randbytes(length)
    file.write_bytes(content)
    return f"{length} bytes at {at} garbled"


def _replace(file: Path, chance: random.Random) -> str:
    tree = json.loads(file.read_text(encoding="utf-8"))
    keys, wrong = chance.choice(list(_places(tree))), chance.choice(WRONG)
    if keys:
        _parent(tree, keys)[keys[-1]] = wrong
    else:
        tree = wrong
    file.write_text(json.dumps(tree), encoding="utf-8")
    return f"{'.'.join(map(str, keys)) or 'all'} is {str(wrong)[:40]!r}"


def _remove(file: Path, chance: random.Random) -> str:
    tree = json.loads(file.read_text(encoding="utf-8"))
    keys = chance.choice([keys for keys in _places(tree) if keys])
    del _parent(tree, keys)[keys[-1]]
    file.write_text(json.dumps(tree), encoding="utf-8")
    return f"{'.'.join(map(str, keys))} is missing"


def _nest(file: Path, chance: random.Random) -> str:
    """Deeper than a reader may recurse."""
    opening = chance.choice(("[", '{"x":'))
    file.write_text(opening * 100_000, encoding="utf-8")
    return f"{opening} a hundred thousand times"


def _places(tree: Any, keys: Keys = ()) -> Iterator[Keys]:
    yield keys
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _places(value, (*keys, key))
    elif isinstance(tree, list):
        for at, value in enumerate(tree[:3]):
            yield from _places(value, (*keys, at))


def _parent(tree: Any, keys: Keys) -> Any:
    for key in keys[:-1]:
        tree = tree[key]
    return tree
