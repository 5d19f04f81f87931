"""Reads the files that a scenario names. They are in its folder, and are read once, when the scenario is loaded.

A scenario may come from somebody else. It reads no file outside its folder unless the user allows another folder. No
error quotes what is in a file: a scenario that names a private file must not bring its content into a log.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path as FilePath

from simulator.protocol import Nanoseconds
from simulator.scenario.text.errors import shown
from simulator.scenario.text.units import LONGEST, UNITS

PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class FileAccess:
    """Which files a scenario may read: those in its own folder, and those in the folders that the user allows."""

    folder: FilePath | None = None  # None: the scenario is a text without a folder, and may read no file.
    allowed: tuple[FilePath, ...] = ()

    def resolve(self, name: str) -> FilePath:
        """The path of a file, with every symbolic link followed. Raises ValueError if it may not be read."""
        if self.folder is None:
            raise ValueError(
                f"{shown(name)} is a file, and a scenario that is given as a text reads none; "
                "write the values into the scenario, or call loads(…, folder=DIR)"
            )
        path = (self.folder / name).resolve()
        if not any(path.is_relative_to(folder.resolve()) for folder in (self.folder, *self.allowed)):
            raise ValueError(
                f"{shown(name)} is outside the scenario's folder; move the file there, "
                "or allow its folder: --allow-files DIR, or load(…, allow_files=[DIR])"
            )
        return path


_NONE = FileAccess()
_ACCESS: ContextVar[FileAccess] = ContextVar("_ACCESS", default=_NONE)


@contextmanager
def file_access(folder: PathLike | None, allow_files: Iterable[PathLike] = ()) -> Iterator[None]:
    """Within the block, a scenario reads files in `folder` and in the folders of `allow_files` only."""
    access = FileAccess(None if folder is None else FilePath(folder), tuple(map(FilePath, allow_files)))
    token = _ACCESS.set(access)
    try:
        yield
    finally:
        _ACCESS.reset(token)


def read_lines(name: str, largest_bytes: int) -> list[str]:
    """The lines of a text file that the scenario names. Raises ValueError with its name and the remedy."""
    try:
        content = _read_regular(_ACCESS.get().resolve(name), largest_bytes + 1)
        if content is None:
            raise ValueError(f"{shown(name)} is not a file in the scenario's folder")
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{shown(name)} is not UTF-8; save the file in that encoding") from None
    except OSError as error:
        raise ValueError(f"{shown(name)} cannot be read: {error.strerror or error}") from None
    if len(content) > largest_bytes:
        raise ValueError(f"{shown(name)} is larger than {largest_bytes} bytes; thin it out")
    return lines


def _read_regular(path: FilePath, most_bytes: int) -> bytes | None:
    """The first bytes of a regular file; None if it is another kind of file, or not there.

    A pipe or a device might never end, so the file is opened without waiting. A symbolic link is refused: the path was
    resolved before, so a link at its end has been put there since.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as file:
        return file.read(most_bytes) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


_HEADING = re.compile(rf"(?:\S*_)?({'|'.join(UNITS)})")
_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?")


def unit_in(heading: str) -> str | None:
    """The unit that the heading of a column ends in: `latency_ms`, or just `ms`."""
    match = _HEADING.fullmatch(heading.strip())
    return None if match is None else match[1]


def measured(text: str, unit: str) -> Nanoseconds:
    """A number from a file, in that unit, rounded to whole nanoseconds.

    Raises ValueError with what is wrong, such as "not a number of 0 or more". The text does not stand in the error.
    """
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        raise ValueError("not a number of 0 or more")
    duration_ns = Decimal(text) * UNITS[unit]
    if duration_ns > LONGEST:
        raise ValueError(f"too long; at most {LONGEST // UNITS['h']}h")
    return round(duration_ns)
