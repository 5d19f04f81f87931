"""The results store: one directory a run, never overwritten, and visible from the start.

While `run.json` is there, its `state` is `unfinished`: the run is under way, or was ended early and can be resumed. Its
finished trials are in `chunks/`. When all trials are finished and the tables are written, both are removed.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.experiment.drafts import HEAD, DraftLock
from simulator.experiment.files import StoreError, cannot_write, write_whole
from simulator.experiment.finished import InDirectory
from simulator.experiment.plan import Plan
from simulator.experiment.result import SCHEMA, UNFINISHED, Result, made_with
from simulator.experiment.schedule import Cell
from simulator.experiment.tables import TablesOnDisk, write_failures, write_tables
from simulator.scenario import resolved_text
from simulator.trace.requests import attempt_frame, request_frame, write_frame
from simulator.trace.trace import Trace

if TYPE_CHECKING:
    import pandas as pd

    from simulator.analysis.measured import Measured

__all__ = ["SCENARIO_HASH", "RunWriter", "StoreError", "hash_of_scenario", "new_directory", "save"]

SCENARIO_HASH = "electsim.scenario_sha256"  # The key of the hash of the scenario in the metadata of trials.parquet.
MEASURED = "measured.csv"


@contextmanager
def new_directory(root: Path, name: str) -> Iterator[RunWriter]:
    """A new directory `root/name-NNN`, NNN being the next free number.

    Raises StoreError if `root` cannot be written. If nothing was kept in it when the block ends, it is removed.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        path = _next_free(root, name)
        lock = DraftLock.of(path)
    except OSError as error:
        raise StoreError(cannot_write(root, error)) from error
    writer = RunWriter(path, root)
    try:
        yield writer
    finally:
        if not writer.is_worth_keeping():
            shutil.rmtree(path, ignore_errors=True)
        if lock is not None:
            lock.release()


@contextmanager
def earlier_directory(path: Path) -> Iterator[RunWriter]:
    """Open the directory of an unfinished result, so that its run can be resumed. Raises StoreError if another process
    is writing it.
    """
    try:
        lock = DraftLock.of(path)
    except BlockingIOError:
        raise StoreError(f"{path}: is still being written by another process; wait for it, or end it") from None
    except OSError as error:
        raise StoreError(cannot_write(path, error)) from error
    try:
        yield RunWriter(path, path.parent)
    finally:
        if lock is not None:
            lock.release()


def _next_free(root: Path, name: str) -> Path:
    for number in count(1):
        path = root / f"{name}-{number:03}"
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise AssertionError("unreachable")


def save(result: Result, root: str | Path = "results") -> Path:
    """Keep a result's data in a new directory under `root`, and return it. Raises StoreError."""
    with new_directory(Path(root), result.scenario.name) as writer:
        writer.save(result)
        return writer.path


class RunWriter:
    """The directory of a run that is being written."""

    def __init__(self, path: Path, place: Path) -> None:
        self.path = path
        self.trials = InDirectory(path)  # Every chunk is on the disk when it has been added.
        self._place = place  # What errors name.
        self._head: dict[str, Any] = {}
        self._kept = False

    def is_worth_keeping(self) -> bool:
        """Whether the directory holds any result of the run."""
        return self._kept or bool(self.trials.counts())

    def begin(self, plan: Plan, *, trace: bool = False) -> None:
        """Say what is about to be run, so that it can be resumed. Raises StoreError.

        `trace`: whether every row and message of the first trial is to be kept, too.
        """
        self._head = {"schema": SCHEMA, "state": UNFINISHED, **plan.head(), "trace": trace, "versions": made_with()}
        self.write_json(HEAD, self._head)
        with self._writing():
            write_whole(self.path / "scenario.yaml", resolved_text(plan.scenario))
            if plan.measured is not None:
                _write_measured(plan.measured, self.path / MEASURED, plan.measured.metric or "measured")

    def resume(self) -> None:
        """Go on with the finished trials in the directory. Damaged files are removed: their trials are run again.
        Raises StoreError.
        """
        self._kept = True
        with self._writing():
            self.trials.drop_damaged()
        self._head = json.loads((self.path / HEAD).read_text(encoding="utf-8"))
        self._head.pop("stopped_by", None)
        self.write_json(HEAD, self._head)

    def keep(self) -> None:
        """Keep the directory when it is closed, even if it holds no result."""
        self._kept = True

    def leave(self, stopped_by: str) -> None:
        """Keep the trials that are finished; their tables are made when they are read. Raises StoreError."""
        self._kept = True
        self._head |= {"stopped_by": stopped_by}
        self.write_json(HEAD, self._head)

    def discard(self) -> None:
        """Leave no trace of a part in which nothing was finished."""
        shutil.rmtree(self.path, ignore_errors=True)

    def gather(self, plan: Plan, cell: Cell, stopped_by: str | None) -> Result:
        """Write the tables of all finished trials, and return the result. Raises StoreError."""
        self._kept = True
        end = cell.end_of_finished
        with self._writing():
            own = {"": _OF_ALL, "trials": {SCENARIO_HASH: hash_of_scenario(self.path / "scenario.yaml")}}
            write_tables(self.trials, plan.first, end, self.path, own)
            tables = TablesOnDisk(self.path)
        broken = tables.violations(waived=False), tables.violations(waived=True)
        result = plan.result(cell, tables, broken, stopped_by, end)
        with self._writing():
            write_failures(
                [(trial, error, replay_command(plan.command, trial)) for trial, error in result.failed],
                self.path,
                _OF_ALL,
            )
        return result

    def conclude(self, result: Result, *, brief: bool = False) -> None:
        """Write the summary, or its provenance alone; if no trial is left, the result is then finished.

        Raises StoreError.
        """
        if result.measured is not None:
            with self._writing():
                _write_measured(result.measured, self.path / MEASURED, result.summary["measured"]["metric"])
        self.write_json("summary.json", result.brief if brief else result.summary)
        if result.state == UNFINISHED:
            self.leave(result.stopped_by or "")
            return
        with self._writing():
            (self.path / HEAD).unlink(missing_ok=True)
            self.trials.remove()

    def save(self, result: Result) -> None:
        """Keep a result whose tables are in memory. Raises StoreError."""
        with self._writing():
            (self.path / "scenario.yaml").write_text(resolved_text(result.scenario), encoding="utf-8")
            scenario_hash = hash_of_scenario(self.path / "scenario.yaml")
            _write_parquet(result.trials, self.path / "trials.parquet", {SCENARIO_HASH: scenario_hash})
            _write_parquet(result.elections, self.path / "elections.parquet")
            _write_parquet(result.rounds, self.path / "rounds.parquet")
            _write_parquet(result.overlaps, self.path / "overlaps.parquet")
            if result.measured is not None:
                _write_measured(result.measured, self.path / MEASURED, result.summary["measured"]["metric"])
        self.write_json("summary.json", result.summary)
        self._kept = True

    def begin_parts(self, command: str) -> None:
        """Write down that several runs follow, each in a part of the directory. Raises StoreError."""
        self.write_json(HEAD, {"schema": SCHEMA, "state": UNFINISHED, "command": command})

    def leave_parts(self, stopped_by: str) -> None:
        """Write down why some parts have trials that were not run. Raises StoreError."""
        self._kept = True
        self.write_json(HEAD, {"schema": SCHEMA, "state": UNFINISHED, "stopped_by": stopped_by})

    def write_table(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """A Parquet table of these rows. Raises StoreError."""
        import pandas as pd

        with self._writing():
            _write_parquet(pd.DataFrame(list(rows)), self.path / name)

    def end_parts(self) -> None:
        """Say that no run follows. Raises StoreError."""
        with self._writing():
            (self.path / HEAD).unlink(missing_ok=True)

    def part(self, name: str) -> RunWriter:
        """A directory in this one, for one of several runs. Raises StoreError."""
        path = self.path / name
        with self._writing():
            path.mkdir(exist_ok=True)
        self._kept = True
        return RunWriter(path, self._place)

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Raises StoreError."""
        with self._writing():
            text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
            write_whole(self.path / name, text + "\n")

    def write_trace(self, trace: Trace) -> None:
        """Every row and message of one trial. Raises StoreError."""
        import pandas as pd

        from simulator.trace.trace import MessageRow

        rows = trace.to_frame()
        rows["detail"] = [json.dumps(dict(detail)) for detail in rows["detail"]]
        with self._writing():
            _write_parquet(rows.astype({"role": "string"}), self.path / "trace.parquet")
            messages = pd.DataFrame(trace.messages, columns=list(MessageRow._fields))
            _write_parquet(messages.astype({"arrives_ns": "Int64"}), self.path / "messages.parquet")
            if trace.requests:
                _write_parquet(request_frame(trace.requests), self.path / "requests.parquet")
                _write_parquet(attempt_frame(trace.requests), self.path / "attempts.parquet")
                _write_parquet(write_frame(trace.writes), self.path / "writes.parquet")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except StoreError:
            raise
        except OSError as error:
            raise StoreError(cannot_write(self._place, error)) from error


_OF_ALL = {"electsim.schema": str(SCHEMA)}  # The key of the schema's version in the metadata of every table.


def replay_command(command: str, trial: int) -> str:
    """The command that repeats one trial of a run, with every message, from the command that repeats the run."""
    whole_run = re.sub(r" --(?:trials|first-trial) \d+", "", command)
    return f"{whole_run} --first-trial {trial} --trials 1 --trace"


def hash_of_scenario(file: Path) -> str:
    """The SHA-256 of a scenario's text, in hexadecimal digits. Different line endings give the same hash. Raises
    OSError.
    """
    return sha256(file.read_text(encoding="utf-8").encode()).hexdigest()


def _write_measured(measured: Measured, path: Path, metric: str) -> None:
    lines = [f"{metric}_s", *map(repr, measured.values.tolist())]
    write_whole(path, "".join(f"{line}\n" for line in lines))


def _write_parquet(frame: pd.DataFrame, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False)
    kept = {**(table.schema.metadata or {}), **_OF_ALL, **(metadata or {})}
    pq.write_table(
        table.replace_schema_metadata(kept),
        path,
        write_page_checksum=True,  # Verified when it is read: a flipped bit is reported.
    )
