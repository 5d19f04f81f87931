"""The directories of runs that have not ended: hidden, locked by their process, and left behind where that is killed.

A draft is dead when no process holds its lock, which the operating system gives back however the process ends.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from simulator.experiment.journal import JOURNAL, count_finished

HEAD = "run.json"  # The scenario that is being run. It is kept beside the journal until all results are written.
_NAME = re.compile(r"\.[A-Za-z0-9._-]+-[a-z0-9_]{8}")
_PART = re.compile(r"\d\d+-")  # A variant of a comparison.
_CONTENT = {
    HEAD,
    "scenario.yaml",
    "summary.json",
    "comparison.json",
}  # A draft has one of these, only parts, or nothing.


class DraftLock:
    """Held by the process that writes a draft."""

    def __init__(self, directory: Path) -> None:
        """Raises OSError where another process holds it, or the directory is gone."""
        self._descriptor: int | None = None
        if sys.platform == "win32":  # No directory can be locked there: no draft is taken for dead.
            return
        import fcntl

        self._descriptor = os.open(directory, os.O_RDONLY)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.stat(directory)  # `electsim clean` may have removed the draft meanwhile.
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        """Let go of the draft. Nothing happens if it was released before."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def make_draft(root: Path, name: str) -> tuple[Path, DraftLock | None]:
    """A new draft for a run of that name, and the lock on it, if the file system has locks. Raises OSError."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=root))
        try:
            return path, DraftLock(path)
        except (BlockingIOError, FileNotFoundError):  # `electsim clean` took the new directory for a dead one.
            continue
        except OSError:
            return path, None


@dataclass(frozen=True, slots=True)
class DeadDraft:
    """The draft of a killed run."""

    path: Path
    trials: int  # Finished ones, of all its parts.
    bytes: int


def is_draft(path: Path) -> bool:
    """Whether a directory is a run's draft, by its name and what is in it."""
    if not _NAME.fullmatch(path.name) or path.is_symlink() or not path.is_dir():
        return False
    try:
        content = {entry.name for entry in path.iterdir()}
    except OSError:  # Somebody else's, in a place that many share.
        return False
    return not content or bool(content & _CONTENT) or all(_PART.match(entry) for entry in content)


def is_dead(path: Path) -> bool:
    """Whether no process is writing this draft any more. False on Windows, where that is not known."""
    if sys.platform == "win32":
        return False
    try:
        DraftLock(path).release()
    except OSError:
        return False
    return True


def dead_drafts(root: Path) -> list[Path]:
    """The drafts of killed runs in a results directory, by name. Empty where it cannot be read."""
    try:
        return sorted(path for path in root.iterdir() if is_draft(path) and is_dead(path))
    except OSError:
        return []


def described(path: Path) -> DeadDraft:
    """A draft with its number of finished trials and its size."""
    files = [file for file in path.rglob("*") if file.is_file()]
    trials = sum(count_finished(file) for file in files if file.name == JOURNAL)
    trials += sum(_summarised(file) for file in files if file.name == "summary.json")
    return DeadDraft(path, trials, sum(file.stat().st_size for file in files))


def _summarised(summary: Path) -> int:
    """The trials of a part that was written whole."""
    if (summary.parent / JOURNAL).exists():
        return 0
    try:
        return int(json.loads(summary.read_text(encoding="utf-8"))["trials"]["run"])
    except (OSError, ValueError, TypeError, KeyError):
        return 0


def remove(path: Path) -> bool:
    """Remove a dead draft. Returns False if it is in use again. Raises OSError if it cannot be removed."""
    try:
        lock = DraftLock(path)
    except OSError:
        return False
    try:
        shutil.rmtree(path)
    finally:
        lock.release()
    return True
