"""Writes a file whole or not at all, whatever happens in between: a full disk, or a kill."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

UNFINISHED = "unfinished"  # The `state` of a result of which trials are left.


class StoreError(OSError):
    """Results that cannot be written or read: one line, which says where and why."""


def cannot_write(place: Path, error: OSError) -> str:
    """The line that says that results cannot be written there, and why."""
    reason = error.strerror or error
    return f"{place}: cannot write results: {reason}; choose another place with --results DIRECTORY"


def write_whole(path: Path, content: str | bytes) -> None:
    """Put a file there, in place of an earlier one, or leave that as it is. Text is UTF-8. Raises OSError.

    What is no file (`/dev/stdout`, a pipe) is written to directly.
    """
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    target = Path(os.path.realpath(path))  # If the path is a link, the file that it leads to.
    try:
        _replace(target, data)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error  # The path as the user wrote it.


def _replace(target: Path, data: bytes) -> None:
    handle, draft = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(draft, 0o644)
        os.replace(draft, target)
    except BaseException:
        os.unlink(draft)
        raise
