"""The directories of runs that have not ended. The process of a run holds a lock on its directory. If the process is
killed, the directory stays as it is.

`run.json` in a directory says that its run has not ended. A draft is dead if no process holds its lock. The operating
system releases the lock however the process ends. Until version 0.3.0, drafts were hidden directories.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from simulator.experiment.journal import JOURNAL, count_finished

HEAD = "run.json"  # What is being run. This file exists until all trials are finished and all results are written.
_NAME = re.compile(r"\.[A-Za-z0-9._-]+-[a-z0-9_]{8}")
_NUMBERED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*-\d{3,}")
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
        """Raises OSError if another process holds it, or the directory is gone."""
        self._descriptor: int | None = None
        if sys.platform == "win32":  # No directory can be locked on Windows, so no draft counts as dead.
            return
        import fcntl

        self._descriptor = os.open(directory, os.O_RDONLY)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.stat(directory)  # `electsim clean` may have removed the draft meanwhile.
        except OSError:
            self.release()
            raise

    @classmethod
    def of(cls, directory: Path) -> DraftLock | None:
        """The lock, or None if the file system has no locks. Raises BlockingIOError if another process holds it."""
        try:
            return cls(directory)
        except (BlockingIOError, FileNotFoundError):
            raise
        except OSError:
            return None

    def release(self) -> None:
        """Let go of the draft. Nothing happens if it was released before."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@dataclass(frozen=True, slots=True)
class DeadDraft:
    """The draft of a killed run."""

    path: Path
    trials: int  # The number of finished trials of all parts.
    bytes: int


def is_draft(path: Path) -> bool:
    """Whether a directory belongs to a run that has not ended, or is a hidden draft of an old version. The files in the
    directory decide.

    False for a run that was ended by a signal and has kept its results, even if some trials were not run.
    """
    if _NUMBERED.fullmatch(path.name) and path.is_dir() and not path.is_symlink() and _has_just_begun(path):
        return True
    if (path / HEAD).is_file() and not path.name.startswith("."):
        return not path.is_symlink() and _stopped_by(path) is None
    if not _NAME.fullmatch(path.name) or path.is_symlink() or not path.is_dir():
        return False
    try:
        content = {entry.name for entry in path.iterdir()}
    except OSError:  # The directory may belong to another user, in a place that many users share.
        return False
    return not content or bool(content & _CONTENT) or all(_PART.match(entry) for entry in content)


def _has_just_begun(path: Path) -> bool:
    """Whether the run was killed before it wrote down which trials it was to run."""
    try:
        return all(entry.name.startswith(f".{HEAD}-") for entry in path.iterdir())
    except OSError:
        return False


def _stopped_by(path: Path) -> object:
    """Why it ended, if it could still say so."""
    try:
        head = json.loads((path / HEAD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return head.get("stopped_by") if isinstance(head, dict) else None


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
    """The drafts of killed runs in a results directory, by name. Empty if it cannot be read."""
    try:
        return sorted(path for path in root.iterdir() if is_draft(path) and is_dead(path))
    except OSError:
        return []


def described(path: Path) -> DeadDraft:
    """A draft with its number of finished trials and its size."""
    from simulator.experiment.finished import InDirectory  # Imports pyarrow.

    files = [file for file in path.rglob("*") if file.is_file()]
    trials = sum(count_finished(file) for file in files if file.name == JOURNAL)
    trials += sum(sum(InDirectory(file.parent).counts().values()) for file in files if file.name == HEAD)
    trials += sum(_summarised(file) for file in files if file.name == "summary.json")
    return DeadDraft(path, trials, sum(file.stat().st_size for file in files))


def _summarised(summary: Path) -> int:
    """The trials of a part that was written whole."""
    if (summary.parent / HEAD).exists():
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
