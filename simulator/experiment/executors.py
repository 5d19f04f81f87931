"""Many trials, one after the other or over worker processes; always in order, so that nothing depends on how many."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from simulator.cluster.spec import ClusterSpec
from simulator.experiment.trial import TrialError, TrialResult, simulate

_Chunk = tuple[list[TrialResult], TrialError | None]
_CHUNK = 20  # Trials a worker does at a time: enough to make handing them over cheap, few enough to show progress.


def results(spec: ClusterSpec, seed: int, first: int, count: int, workers: int) -> Generator[TrialResult, None, None]:
    """The results of trials `first` to `first + count - 1`, in that order. Raises TrialError."""
    if workers <= 1 or count <= _CHUNK:
        return _serial(spec, seed, range(first, first + count))
    return _parallel(spec, seed, first, count, workers)


def _serial(spec: ClusterSpec, seed: int, trials: range) -> Generator[TrialResult, None, None]:
    for trial in trials:
        yield simulate(spec, seed, trial)


def _parallel(spec: ClusterSpec, seed: int, first: int, count: int, workers: int) -> Generator[TrialResult, None, None]:
    chunks = (range(at, min(at + _CHUNK, first + count)) for at in range(first, first + count, _CHUNK))
    pool = ProcessPoolExecutor(
        max_workers=workers,
        mp_context=multiprocessing.get_context("forkserver" if hasattr(signal, "SIGKILL") else "spawn"),
        initializer=_ignore_interrupts,
    )
    try:
        pending: deque[tuple[range, Future[_Chunk]]] = deque()
        for chunk in chunks:
            pending.append((chunk, _submitted(pool, spec, seed, chunk)))
            if len(pending) >= 4 * workers:  # Results wait in order; a bound keeps few of them waiting.
                yield from _unpacked(*pending.popleft())
        while pending:
            yield from _unpacked(*pending.popleft())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _submitted(pool: ProcessPoolExecutor, spec: ClusterSpec, seed: int, trials: range) -> Future[_Chunk]:
    """Where a worker has been killed, a future that fails: the results before it are still to be had, in order."""
    try:
        return pool.submit(_simulate_all, spec, seed, trials)
    except BrokenProcessPool as error:
        failed: Future[_Chunk] = Future()
        failed.set_exception(error)
        return failed


def _simulate_all(spec: ClusterSpec, seed: int, trials: range) -> _Chunk:
    """The results up to the first failure, and that failure."""
    finished: list[TrialResult] = []
    for trial in trials:
        try:
            finished.append(simulate(spec, seed, trial))
        except TrialError as error:
            return finished, error
    return finished, None


def _unpacked(trials: range, future: Future[_Chunk]) -> Generator[TrialResult, None, None]:
    try:
        finished, failure = future.result()
    except BrokenProcessPool as error:
        remedy = (
            "try fewer --workers (in a script, run behind `if __name__ == '__main__':`; "
            "an algorithm of your own must be in a module, and not in a notebook)"
        )
        raise TrialError(trials.start, f"a worker process died; {remedy}") from error
    yield from finished
    if failure is not None:
        raise failure


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let nothing be lost to a Ctrl-C, where there is one: in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _ignore_interrupts() -> None:
    """Ctrl-C is for the parent, which keeps what was finished."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
