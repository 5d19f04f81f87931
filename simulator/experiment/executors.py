"""Many trials, one after the other or over worker processes; always in order, so that nothing depends on how many."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ProcessPoolExecutor

from simulator.cluster.spec import ClusterSpec
from simulator.experiment.trial import TrialResult, simulate

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
    chunks = iter([range(at, min(at + _CHUNK, first + count)) for at in range(first, first + count, _CHUNK)])
    pool = ProcessPoolExecutor(
        max_workers=workers,
        mp_context=multiprocessing.get_context("forkserver" if hasattr(signal, "SIGKILL") else "spawn"),
        initializer=_ignore_interrupts,
    )
    try:
        pending: deque[Future[list[TrialResult]]] = deque()
        for chunk in chunks:
            pending.append(pool.submit(_simulate_all, spec, seed, chunk))
            if len(pending) >= 4 * workers:  # Results wait in order; a bound keeps few of them waiting.
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _simulate_all(spec: ClusterSpec, seed: int, trials: range) -> list[TrialResult]:
    return [simulate(spec, seed, trial) for trial in trials]


def _ignore_interrupts() -> None:
    """Ctrl-C is for the parent, which keeps what was finished."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
