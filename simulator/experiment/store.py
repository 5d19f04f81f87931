"""The results store: one directory a run, never overwritten, and complete or not there at all.

A run writes into a hidden directory, which takes its name when all files are in it.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.experiment.drafts import HEAD, make_draft
from simulator.experiment.journal import JOURNAL, Journal
from simulator.experiment.runner import SCHEMA, Result
from simulator.experiment.trial import TrialResult
from simulator.scenario import Scenario, resolved_text
from simulator.trace.trace import Trace

if TYPE_CHECKING:
    import pandas as pd


SCENARIO_HASH = "electsim.scenario_sha256"  # In the metadata of trials.parquet.
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)


class StoreError(OSError):
    """Results that cannot be written: one line, saying where and why."""


@contextmanager
def new_directory(root: Path, name: str) -> Iterator[RunWriter]:
    """A draft of `root/name-NNN`, NNN being the next free number, which is published when the block ends.

    Raises StoreError where `root` cannot be written. Where the block fails, nothing is left behind. Where the process
    is killed, the draft is left with its finished trials: `electsim show` reads it, `electsim clean` removes it.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        path, lock = make_draft(root, name)
    except OSError as error:
        raise StoreError(_reason(root, error)) from error
    draft = RunWriter(path, root, name)
    try:
        yield draft
    finally:
        draft.close()
        shutil.rmtree(path, ignore_errors=True)
        if lock is not None:
            lock.release()


def save(result: Result, root: str | Path = "results") -> Path:
    """Keep a result's data in a new directory under `root`, and return it. Raises StoreError."""
    with new_directory(Path(root), result.scenario.name) as draft:
        draft.write(result)
        return draft.publish()


class RunWriter:
    """A results directory that is being written."""

    def __init__(self, path: Path, root: Path, name: str) -> None:
        self.path = path
        self.journal_error: OSError | None = None  # Why finished trials are no longer written down, if they are not.
        self._root = root
        self._name = name
        self.finished = 0  # Trials that were written down.
        self._journal: Journal | None = None
        self._head: dict[str, Any] = {}

    def begin(self, scenario: Scenario, *, seed: int, requested: int, command: str) -> None:
        """Say what is about to be run, so that `append` can write down its trials. Raises StoreError."""
        self._head = {"schema": SCHEMA, "seed": seed, "requested": requested, "command": command}
        try:
            (self.path / "scenario.yaml").write_text(resolved_text(scenario), encoding="utf-8")
            self._journal = Journal(self.path / JOURNAL)
        except OSError as error:
            raise StoreError(_reason(self._root, error)) from error
        self.write_json(HEAD, self._head)

    def append(self, result: TrialResult) -> None:
        """Write down a trial as soon as it is finished. A full disk ends that, and not the run: see `journal_error`."""
        if self._journal is None or self.journal_error is not None:
            return
        try:
            self._journal.append(result)
            self.finished += 1
        except OSError as error:
            self.journal_error = error

    def close(self) -> None:
        """End what `begin` began."""
        if self._journal is not None:
            with suppress(OSError):
                self._journal.close()

    def leave(self, stopped_by: str) -> None:
        """Keep the trials that were written down; their tables are made when they are read. Raises StoreError."""
        self.close()
        self.write_json(HEAD, self._head | {"stopped_by": stopped_by})

    def discard(self) -> None:
        """Leave no trace of a part in which nothing was finished."""
        self.close()
        shutil.rmtree(self.path, ignore_errors=True)

    def write(self, result: Result) -> None:
        """The scenario with all its defaults, the tables and the summary. Raises StoreError."""
        try:
            (self.path / "scenario.yaml").write_text(resolved_text(result.scenario), encoding="utf-8")
            scenario_hash = hash_of_scenario(self.path / "scenario.yaml")
            _write_parquet(result.trials, self.path / "trials.parquet", {SCENARIO_HASH: scenario_hash})
            _write_parquet(result.elections, self.path / "elections.parquet")
            _write_parquet(result.rounds, self.path / "rounds.parquet")
            _write_parquet(result.overlaps, self.path / "overlaps.parquet")
            if result.measured is not None:
                lines = [f"{result.summary['measured']['metric']}_s", *map(repr, result.measured.values.tolist())]
                (self.path / "measured.csv").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        except OSError as error:
            raise StoreError(_reason(self._root, error)) from error
        self.write_json("summary.json", result.summary)
        self.close()
        for name in (JOURNAL, HEAD):  # The tables now hold all that the journal held.
            (self.path / name).unlink(missing_ok=True)

    def part(self, name: str) -> RunWriter:
        """A directory in this one, for one of several runs. It is published with this one. Raises StoreError."""
        path = self.path / name
        try:
            path.mkdir()
        except OSError as error:
            raise StoreError(_reason(self._root, error)) from error
        return RunWriter(path, self._root, self._name)

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Raises StoreError."""
        try:
            text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
            (self.path / name).write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise StoreError(_reason(self._root, error)) from error

    def write_trace(self, trace: Trace) -> None:
        """Every row and message of one trial. Raises StoreError."""
        import pandas as pd

        from simulator.trace.trace import MessageRow

        rows = trace.to_frame()
        rows["detail"] = [json.dumps(dict(detail)) for detail in rows["detail"]]
        try:
            _write_parquet(rows.astype({"role": "string"}), self.path / "trace.parquet")
            messages = pd.DataFrame(trace.messages, columns=list(MessageRow._fields))
            _write_parquet(messages.astype({"arrives_ns": "Int64"}), self.path / "messages.parquet")
        except OSError as error:
            raise StoreError(_reason(self._root, error)) from error

    def publish(self) -> Path:
        """Give the directory its name, and return it. Raises StoreError."""
        self.path.chmod(0o755)
        for number in count(1):
            final = self._root / f"{self._name}-{number:03}"
            if os.path.lexists(final):
                continue
            try:
                os.rename(self.path, final)  # At once, so that no kill leaves an empty directory of that name.
            except OSError as error:
                if error.errno in _TAKEN:  # By another run, meanwhile.
                    continue
                raise StoreError(_reason(self._root, error)) from error
            return final
        raise AssertionError("unreachable")


def hash_of_scenario(file: Path) -> str:
    """The SHA-256 of a scenario's text, in hexadecimal digits; whatever ends its lines. Raises OSError."""
    return sha256(file.read_text(encoding="utf-8").encode()).hexdigest()


def _write_parquet(frame: pd.DataFrame, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False)
    kept = {**(table.schema.metadata or {}), "electsim.schema": str(SCHEMA), **(metadata or {})}
    pq.write_table(
        table.replace_schema_metadata(kept),
        path,
        write_page_checksum=True,  # Verified when it is read: a flipped bit is reported.
    )


def _reason(root: Path, error: OSError) -> str:
    return f"{root}: cannot write results: {error.strerror or error}; choose another place with --results DIRECTORY"
