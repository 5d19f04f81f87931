"""Many trials, one after the other or over worker processes; always in order, so that nothing depends on how many.

Each worker has a pipe of its own. Over a queue that all share, as `concurrent.futures` has it, a worker that is killed
while it writes a result leaves half of it behind, and the coordinator waits for the rest for ever.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext

from simulator.cluster.spec import ClusterSpec
from simulator.experiment.trial import TrialError, TrialResult, simulate

_Chunk = tuple[list[TrialResult], TrialError | None]
_CHUNK = 20  # Trials a worker does at a time: enough to make handing them over cheap, few enough to show progress.
MOST_WORKERS = 1024  # Processes: each takes 100 MB at least, and file descriptors of its coordinator.
_AHEAD = 4  # Chunks for each worker that may be under way, or wait for earlier ones.
_EXIT_S = 5.0  # How long a worker that has nothing to do may take to end.
_SIGNAL_S = 0.2  # How much later than its workers a coordinator may get a signal that is meant for all of them.


def results(spec: ClusterSpec, seed: int, first: int, count: int, workers: int) -> Generator[TrialResult, None, None]:
    """The results of trials `first` to `first + count - 1`, in that order. Raises TrialError."""
    if workers <= 1 or count <= _CHUNK:
        return _serial(spec, seed, range(first, first + count))
    return _parallel(spec, seed, first, count, workers)


def _serial(spec: ClusterSpec, seed: int, trials: range) -> Generator[TrialResult, None, None]:
    for trial in trials:
        yield simulate(spec, seed, trial)


def _parallel(spec: ClusterSpec, seed: int, first: int, count: int, workers: int) -> Generator[TrialResult, None, None]:
    """Chunks go to worker processes. Where the caller stops early, those under way are given up."""
    starts = range(first, first + count, _CHUNK)
    chunks = (range(at, min(at + _CHUNK, first + count)) for at in starts)
    done: dict[int, _Chunk] = {}  # By the first trial of the chunk: those that wait for an earlier one.
    with _crew(spec, seed, min(workers, len(starts))) as crew:
        for start in starts:  # In this order, however they come.
            while start not in done:
                _hand_out(chunks, crew, _AHEAD * len(crew) - len(done))
                for worker in _ready(crew):
                    done |= worker.finished(any_before=start > first)
            finished, failure = done.pop(start)
            yield from finished
            if failure is not None:
                raise failure


@contextmanager
def _crew(spec: ClusterSpec, seed: int, size: int) -> Iterator[Sequence[_Worker]]:
    """Worker processes, which are ended at the end of the block."""
    context = multiprocessing.get_context("forkserver" if hasattr(signal, "SIGKILL") else "spawn")
    crew: list[_Worker] = []
    try:
        for _ in range(size):
            crew.append(_Worker(context, spec, seed))  # noqa: PERF401  # One that cannot start leaves none behind.
        yield crew
        for worker in crew:
            worker.connection.close()  # The worker has nothing more to do.
        deadline = time.monotonic() + _EXIT_S
        for worker in crew:
            worker.process.join(max(0.0, deadline - time.monotonic()))
    finally:
        for worker in crew:
            worker.process.kill()
        for worker in crew:
            worker.process.join()
            worker.connection.close()


class _Worker:
    """A process that simulates chunks of trials, seen from the coordinator."""

    def __init__(self, context: BaseContext, spec: ClusterSpec, seed: int) -> None:
        self.chunks: deque[range] = deque()  # The chunks that the worker was given and has not finished.
        self.is_alive = True
        self.connection, its_end = context.Pipe()
        self.process = context.Process(target=_work, args=(its_end, spec, seed), daemon=True)  # type: ignore[attr-defined]
        try:
            self.process.start()
        finally:
            its_end.close()  # The worker alone has it now, so that its death closes the pipe.

    def give(self, chunk: range) -> None:
        """Add a chunk to the work of this process. If the process is dead, `finished` says so."""
        self.chunks.append(chunk)
        with suppress(OSError):
            self.connection.send(chunk)

    def finished(self, any_before: bool) -> dict[int, _Chunk]:
        """The finished chunk, by its first trial. If the process has died, all its chunks have failed."""
        try:
            result: _Chunk = self.connection.recv()
        except (EOFError, OSError):
            time.sleep(_SIGNAL_S)  # Raises, where all processes got a signal: then that is why the worker died.
            self.is_alive = False
            self.process.join(_EXIT_S)
            reason = _why_it_died(self.process.exitcode, any_before)
            failed: dict[int, _Chunk] = {chunk.start: ([], TrialError(chunk.start, reason)) for chunk in self.chunks}
            self.chunks.clear()
            return failed
        return {self.chunks.popleft().start: result}


def _hand_out(chunks: Iterator[range], crew: Sequence[_Worker], most: int) -> None:
    """Give each worker a chunk to do, and another to go on with; no more than `most` are under way then."""
    alive = [worker for worker in crew if worker.is_alive]
    free = [worker for length in (0, 1) for worker in alive if len(worker.chunks) <= length]
    room = max(0, most - sum(len(worker.chunks) for worker in alive))
    for worker, chunk in zip(free[:room], islice(chunks, min(room, len(free))), strict=False):
        worker.give(chunk)


def _ready(crew: Sequence[_Worker]) -> list[_Worker]:
    """The workers that have finished a chunk, or died. Waits for one."""
    busy: dict[object, _Worker] = {worker.connection: worker for worker in crew if worker.chunks}
    return [busy[connection] for connection in wait([worker.connection for worker in crew if worker.chunks])]


def _why_it_died(exit_code: int | None, any_before: bool) -> str:
    memory = "most likely for lack of memory (the kernel log says `Out of memory`)"
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name if -exit_code in set(signal.Signals) else f"signal {-exit_code}"
        return f"a worker process was killed ({name}), {memory}; try fewer --workers, or fewer nodes"
    if any_before:
        return f"a worker process died (exit code {exit_code}), {memory}; try fewer --workers, or fewer nodes"
    return (
        f"a worker process died (exit code {exit_code}) before anything was finished; an algorithm of your own must be "
        "in a module, and not in a notebook; a script must run behind `if __name__ == '__main__':`"
    )


# --- In a worker process


def _work(connection: Connection, spec: ClusterSpec, seed: int) -> None:
    """Simulate the chunks that come, until the coordinator closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the coordinator, which keeps what was finished.
    threading.Thread(target=_end_with_the_coordinator, daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            connection.send(_simulate_all(spec, seed, connection.recv()))


def _end_with_the_coordinator() -> None:
    """End the worker when the coordinator dies: the pipe between them closes even after SIGKILL."""
    if (coordinator := multiprocessing.parent_process()) is not None:
        coordinator.join()
        os._exit(1)


def _simulate_all(spec: ClusterSpec, seed: int, trials: range) -> _Chunk:
    """The results before the first failure, and that failure."""
    finished: list[TrialResult] = []
    for trial in trials:
        try:
            finished.append(simulate(spec, seed, trial))
        except TrialError as error:
            return finished, error
    return finished, None
