"""The stages of a tuner: each is a sweep in a directory of its own, run, resumed or read, whatever is there.

The tuner is a function of what was asked for and of what its stages found. So it goes on after a kill by doing all
again: stages that are finished are read, and the one that was under way is resumed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.analysis.tables import Tables
from simulator.experiment.drafts import HEAD
from simulator.experiment.files import StoreError, cannot_write
from simulator.experiment.store import RunWriter
from simulator.experiment.stored import load_stored
from simulator.experiment.sweep.cells import StudyCell
from simulator.experiment.sweep.running import STUDY, Ending, Sweep, begin, read_study_json
from simulator.experiment.sweep.study import Study
from simulator.experiment.workers import Workers

Row = Mapping[str, Any]
Progress = Callable[[str, int, int], None]  # The stage, and the numbers of trials finished and asked for.
_DRAFT = "beginning"  # A stage whose cells are not all written down has this name.


class Stopped(Exception):  # noqa: N818 - It is no error: a signal, or a worker that died, ends the tuner.
    """A stage has ended before all its trials were finished. `rows` are those of all its cells."""

    def __init__(self, ending: Ending, rows: Sequence[Row]) -> None:
        super().__init__(ending.signal or ending.died)
        self.ending, self.rows = ending, rows


@dataclass(slots=True)
class Stages:
    """Runs stages in the directory of a tuner."""

    writer: RunWriter
    workers: Workers
    progress: Progress

    def run(self, name: str, study: Study, cells: Sequence[StudyCell], first: int = 0) -> list[Row]:
        """The rows of the cells, as `study.json` of a sweep has them; trial `first` is the first of each.

        Raises StoreError where files are damaged or of other versions, and Stopped.
        """
        place = self.writer.path / name
        if not place.is_dir():
            self._begin(name, study, cells, first)
        if (place / HEAD).is_file():
            sweep = Sweep(self.writer.part(name))
            self._compare(name, sweep.study, cells)
            self.progress(name, sweep.finished, sweep.requested)
            ending = sweep.run(self.workers, lambda now: self.progress(name, now.finished, now.requested))
            found = sweep.conclude(ending)
            if ending != Ending():
                raise Stopped(ending, found["cells"])
        else:
            found = read_study_json(place)
            self._compare(name, found, cells)
        return list(found["cells"])

    def tables(self, name: str, row: Row) -> Tables:
        """The tables of a finished cell. Raises StoreError."""
        return load_stored(self.writer.path / name / str(row["directory"])).tables

    def digests(self) -> Iterator[str]:
        """The digest of each stage that has one, by name."""
        for file in sorted(self.writer.path.glob(f"*/{STUDY}")):
            yield f"{file.parent.name} {read_study_json(file.parent).get('digest', '')}"

    def _begin(self, name: str, study: Study, cells: Sequence[StudyCell], first: int) -> None:
        draft = self.writer.path / _DRAFT
        try:
            shutil.rmtree(draft, ignore_errors=True)
            begin(self.writer.part(_DRAFT), study, cells, f"a stage of {self.writer.path}", first=first)
            os.replace(draft, self.writer.path / name)
        except OSError as error:
            raise StoreError(cannot_write(self.writer.path, error)) from error

    def _compare(self, name: str, found: Row, cells: Sequence[StudyCell]) -> None:
        """The points that a search proposes depend on the version of its library."""
        if [row["settings"] for row in found["cells"]] != [dict(cell.settings) for cell in cells]:
            where: Path = self.writer.path / name
            remedy = "resume it with the versions that began it, or tune again"
            raise StoreError(f"{where}: has other settings than are searched now; {remedy}")
