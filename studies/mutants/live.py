"""Puts a mutant into a program that runs: the changed code of one function in place of the old.

Whoever holds the function then calls the changed one, so nothing is imported again.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType

Functions = dict[tuple[str, str, int], list[FunctionType]]


def functions(folder: Path) -> Functions:
    """All functions of the modules in a folder that are imported, by file, qualified name and first line."""
    found: Functions = defaultdict(list)
    for value in gc.get_objects():
        if isinstance(value, FunctionType) and value.__code__.co_filename.startswith(str(folder)):
            found[_key(value.__code__)].append(value)
    return found


def changed_functions(source: str, mutant: str, path: Path) -> Sequence[CodeType] | None:
    """The code of the functions that a change is in. None if it is in what runs at import: a module or a class."""
    pairs = list(_pairs(compile(source, str(path), "exec"), compile(mutant, str(path), "exec")))
    if any(new is None for _, new in pairs):
        return None
    changed = [new for old, new in pairs if new is not None and old != new and _is_function(new)]
    at_import = [
        old
        for old, new in pairs
        if new is not None and not _is_function(old) and _without_parts(old) != _without_parts(new)
    ]
    return None if at_import or not changed else changed


def _key(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _is_function(code: CodeType) -> bool:
    """Neither a module's nor a class's code, which have no names of their own for their variables."""
    return bool(code.co_flags & 0x2)  # inspect.CO_NEWLOCALS


def _pairs(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType | None]]:
    """The code of each part of a module, before and after; None if the parts do not match."""
    yield old, new
    parts = [[const for const in code.co_consts if isinstance(const, CodeType)] for code in (old, new)]
    if [part.co_qualname for part in parts[0]] != [part.co_qualname for part in parts[1]]:
        yield old, None
        return
    for before, after in zip(*parts, strict=True):
        yield from _pairs(before, after)


def _without_parts(code: CodeType) -> tuple[object, ...]:
    consts = tuple(const for const in code.co_consts if not isinstance(const, CodeType))
    return code.co_code, consts, code.co_names, code.co_varnames


def put_in(found: Functions, changed: Sequence[CodeType]) -> bool:
    """Give functions their changed code. False if none of them is there: it is part of what has run at import."""
    live = [(function, code) for code in changed for function in found.get(_key(code), [])]
    for function, code in live:
        if len(function.__code__.co_freevars) != len(code.co_freevars):
            return False
    for function, code in live:
        function.__code__ = code
    return bool(live) or not changed
