"""Gives the trials of one scenario or of many to an executor, in chunks, and keeps what comes back.

How trials are divided into chunks changes no result: a trial depends on its scenario, the seed and its number only.
"""

from __future__ import annotations

import math
import pickle
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait

import pandas as pd

from simulator.analysis.precision import PrecisionMonitor
from simulator.cluster.spec import ClusterSpec
from simulator.experiment.chunks import Chunk, simulate_chunk
from simulator.experiment.columns import concatenated, frame
from simulator.experiment.executors import InThisProcess
from simulator.experiment.finished import FinishedTrials, failed, missing, parts, without_gap
from simulator.experiment.signals import interruptible, uninterrupted
from simulator.experiment.trial import TrialError

_SHORTEST_S, _LONGEST_S = 0.25, 10.0  # How long a chunk should take.
# The longest time of a chunk, as a share of the time so far. A kill therefore loses at most this share, and long
# studies have few files.
_SHARE = 1 / 50
_LONGEST_OF_MANY_S = 60.0  # The same if there are so many workers that the coordinator could not keep up.
_MOST_TRIALS = 100_000  # In a chunk.
_CAREFUL = 4  # The most trials of a chunk, as a multiple of the trials whose time was measured.


class Cell:
    """One scenario's trials: which of them are finished, and which are still to be run.

    Trials `first` to `first + requested - 1` are wanted, or fewer: with `monitor`, up to the interim analysis at which
    the precision is reached; with `ends_at_failure`, up to the first trial that fails.
    """

    def __init__(
        self,
        spec: ClusterSpec,
        *,
        seed: int,
        first: int,
        requested: int,
        trials: FinishedTrials,
        monitor: PrecisionMonitor | None = None,
        ends_at_failure: bool = False,
    ) -> None:
        self.spec, self.seed, self.first, self.requested = spec, seed, first, requested
        self.trials = trials
        self.monitor = monitor
        self.failed = {number: TrialError(number, text) for number, text in failed(trials, first, first + requested)}
        self.seconds_each: float | None = None  # The mean time of a trial, when it is known.
        self.measured = 0
        last = first + requested
        spans = ((start, start + count) for start, count in trials.counts().items())
        self.finished = sum(max(0, min(end, last) - max(start, first)) for start, end in spans)  # Failed ones included.
        self._seconds = 0.0
        self._ends_at_failure = ends_at_failure
        self._pickled: bytes | None = None
        self._under_way: list[range] = []
        self.end = first + (requested if monitor is None else monitor.next_analysis)
        self._gaps = missing(trials.counts(), first, self.end)
        self._look()

    @property
    def is_complete(self) -> bool:
        """Whether all requested trials are finished."""
        return not self._gaps and not self._under_way

    @property
    def end_without_gap(self) -> int:
        """The first trial that is missing: all trials before this number are finished."""
        return min(self.end, without_gap(self.trials.counts(), self.first))

    @property
    def end_of_finished(self) -> int:
        """The number after the last trial that is there. Chunks before it may be missing: they had not come yet."""
        ends = [start + count for start, count in self.trials.counts().items() if start < self.end]
        return min(self.end, max([self.first, *ends]))

    @property
    def left(self) -> int:
        """How many trials are still to be given out, as far as it is known."""
        return sum(map(len, self._gaps))

    def take(self, size: int) -> range | None:
        """The next trials to run, `size` at most; None if there are none at present."""
        if not self._gaps:
            return None
        gap = self._gaps[0]
        taken, rest = gap[:size], gap[size:]
        self._gaps[:1] = [rest] if rest else []
        self._under_way.append(taken)
        return taken

    def receive(self, taken: range, chunk: Chunk) -> None:
        """Keep a chunk. Raises OSError if it cannot be written."""
        if chunk.count:
            self.trials.add(chunk)
        self._under_way.remove(taken)
        if chunk.count < len(taken):  # A signal ended the chunk early.
            self._gaps.insert(0, taken[chunk.count :])
        self._seconds += chunk.seconds
        self.measured += chunk.count
        self.finished += chunk.count
        self.seconds_each = self._seconds / max(1, self.measured)
        self.failed |= {error.trial: error for error in chunk.failed}
        if self._ends_at_failure and chunk.failed and min(self.failed) < self.end:
            self.end = min(self.failed)
            self._gaps = [range(gap.start, min(gap.stop, self.end)) for gap in self._gaps if gap.start < self.end]
            self._under_way = [other for other in self._under_way if other.start < self.end]
        if chunk.interrupted is None:
            self._look()

    def is_wanted(self, taken: range) -> bool:
        """Whether a chunk is still waited for: not, if an earlier trial has failed."""
        return taken in self._under_way

    def payload(self, executor: Executor) -> ClusterSpec | bytes:
        """The specification as the executor needs it: pickled once for all chunks, unless it stays in this process."""
        if isinstance(executor, InThisProcess):
            return self.spec
        if self._pickled is None:
            self._pickled = pickle.dumps(self.spec)
        return self._pickled

    def elections(self, end: int) -> pd.DataFrame:
        """The elections of the trials before `end`."""
        return frame("elections", concatenated(parts(self.trials, self.first, end))["elections"])

    def _look(self) -> None:
        """Analyse if all trials up to the next interim analysis are there, and want more if they are not enough."""
        while self.monitor is not None and self.is_complete:
            end = self.end
            if end - self.first < self.monitor.next_analysis:
                return  # It has been decided.
            enough = False
            if all(number in self.failed for number in range(self.first, end)):
                self.monitor.pass_over()
            else:
                enough = self.monitor.is_precise_enough(end - self.first, lambda: self.elections(end))  # noqa: B023
            if enough or end - self.first >= self.requested:
                return
            self.end = self.first + self.monitor.next_analysis
            self._gaps = missing(self.trials.counts(), end, self.end)


Received = Callable[[Cell, Chunk], None]


def run_cells(cells: Sequence[Cell], executor: Executor, slots: Callable[[], int], on_chunk: Received) -> None:
    """Run the trials of some cells, the first ones first; `on_chunk` is called with every chunk that was kept.

    `slots()` chunks are under way at most: a cluster may grow and shrink. Whatever ends it early, all chunks that had
    come by then are kept. Raises WorkerDied and other errors of the executor, OSError where a chunk cannot be kept, and
    KeyboardInterrupt.
    """
    _Run(executor, slots, on_chunk).run([cell for cell in cells if not cell.is_complete])


class _Run:
    def __init__(self, executor: Executor, slots: Callable[[], int], on_chunk: Received) -> None:
        self._executor, self._slots, self._on_chunk = executor, slots, on_chunk
        self._pending: dict[Future[Chunk], tuple[Cell, range]] = {}
        self._start = time.monotonic()
        self._start_cpu, self._received = time.process_time(), 0
        self._usual_s: float | None = None  # The mean time of a trial, from the cell that was measured last.

    def run(self, open_cells: list[Cell]) -> None:
        try:
            while open_cells:
                self._give_out(open_cells)
                if not self._pending:
                    break
                with interruptible():
                    done, _ = wait(self._pending, return_when=FIRST_COMPLETED)
                for future in done:
                    self._receive(future)
                open_cells[:] = [cell for cell in open_cells if not cell.is_complete]
        except BaseException:
            with uninterrupted():
                for future in [future for future in self._pending if future.done() and future.exception() is None]:
                    self._receive(future)
            raise

    def _give_out(self, open_cells: Sequence[Cell]) -> None:
        slots = self._slots()
        for cell in open_cells:
            while len(self._pending) < slots:
                taken = cell.take(self._size(cell, len(open_cells), slots))
                if taken is None:
                    break
                arguments = (cell.payload(self._executor), cell.seed, taken.start, len(taken))
                with interruptible():
                    future = self._executor.submit(simulate_chunk, *arguments)
                self._pending[future] = cell, taken

    def _receive(self, future: Future[Chunk]) -> None:
        cell, taken = self._pending.pop(future)
        if not cell.is_wanted(taken):
            return
        chunk = future.result()
        cell.receive(taken, chunk)
        self._usual_s = cell.seconds_each
        self._on_chunk(cell, chunk)
        self._received += 1
        if chunk.interrupted is not None:
            raise chunk.interrupted

    def _size(self, cell: Cell, open_cells: int, slots: int) -> int:
        """How many trials the next chunk should have, by the time that trials have taken so far.

        With many workers, chunks are so long that the coordinator is busy a quarter of the time at most.
        """
        target_s = min(max((time.monotonic() - self._start) * _SHARE, _SHORTEST_S), _LONGEST_S)
        if not isinstance(self._executor, InThisProcess):
            own_s = (time.process_time() - self._start_cpu) / max(1, self._received)  # Of the coordinator, for a chunk.
            target_s = max(target_s, min(_CAREFUL * slots / 2 * own_s, _LONGEST_OF_MANY_S))
        if cell.seconds_each is not None:
            size = min(target_s / max(cell.seconds_each, 1e-9), _CAREFUL * max(1, cell.measured))
        else:
            size = 1 if self._usual_s is None else target_s / max(self._usual_s, 1e-9) / 8
        if open_cells <= slots:  # At the end, no worker should wait for the last chunk of another.
            size = min(size, math.ceil(cell.left / slots))
        return int(min(max(size, 1), _MOST_TRIALS))


def slots_of(workers: int) -> int:
    """How many chunks should be under way: a worker that has finished one finds another to go on with."""
    return 1 if workers <= 1 else 2 * workers
