"""Where chunks of trials run: in this process, or in worker processes; each is a `concurrent.futures.Executor`.

Each worker process has a pipe of its own, and a thread that waits for it. Over a queue that all share, as
`ProcessPoolExecutor` has it, a worker that is killed while it writes a result leaves half of it behind, and the
coordinator waits for the rest for ever.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

MOST_WORKERS = 1024  # Processes: each takes 100 MB at least, and file descriptors of its coordinator.
_EXIT_S = 5.0  # How long a worker that has nothing to do may take to end.
_SIGNAL_S = 0.2  # How much later than its workers a coordinator may get a signal that is meant for all of them.

P = ParamSpec("P")
T = TypeVar("T")


class WorkerDied(BrokenExecutor):
    """A worker process ended before its chunk was finished."""


def executor(workers: int) -> Executor:
    """An executor with this many worker processes; 0 or 1: this process does the work."""
    return InThisProcess() if workers <= 1 else WorkerProcesses(workers)


class InThisProcess(Executor):
    """Runs each task inside `submit`, in this process. `submit` raises KeyboardInterrupt if the task is interrupted."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run the task now, and return a finished future with its result or its error."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class WorkerProcesses(Executor):
    """A fixed number of worker processes, which end with their coordinator even if it is killed."""

    def __init__(self, workers: int) -> None:
        context = multiprocessing.get_context("forkserver" if hasattr(signal, "SIGKILL") else "spawn")
        self._workers: list[_Worker] = []
        self._free: SimpleQueue[_Worker] = SimpleQueue()
        self._finished_any = False
        try:
            for _ in range(workers):
                self._workers.append(_Worker(context))  # If a worker cannot start, the other workers are ended.
        except BaseException:
            self._kill()
            raise
        for worker in self._workers:
            self._free.put(worker)
        self._own = threading.local()  # The worker of each thread.
        self._threads = ThreadPoolExecutor(workers, "electsim-worker", initializer=self._take_a_worker)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The future of `fn(*args, **kwargs)`, which must be picklable. If its worker dies, it raises WorkerDied."""
        return self._threads.submit(self._ask_own_worker, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes; with `cancel_futures`, even those that have something to do."""
        if not cancel_futures and wait:
            self._threads.shutdown(wait=True)
            deadline = time.monotonic() + _EXIT_S
            for worker in self._workers:
                worker.connection.close()  # It has nothing more to do.
            for worker in self._workers:
                worker.process.join(max(0.0, deadline - time.monotonic()))
        self._threads.shutdown(wait=False, cancel_futures=cancel_futures)
        self._kill()
        self._threads.shutdown(wait=wait)

    def _kill(self) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()

    def _take_a_worker(self) -> None:
        self._own.worker = self._free.get()

    def _ask_own_worker(self, fn: Callable[..., T], args: Any, kwargs: Any) -> T:
        worker: _Worker = self._own.worker
        try:
            worker.connection.send((fn, args, kwargs))
            result, error = worker.connection.recv()
        except (EOFError, OSError) as broken:
            # If a signal went to all processes, the main thread is told first, so that the signal counts as the reason.
            time.sleep(_SIGNAL_S)
            worker.process.join(_EXIT_S)
            raise WorkerDied(_why_it_died(worker.process.exitcode, self._finished_any)) from broken
        self._finished_any = True
        if error is not None:
            raise error
        found: T = result
        return found


class _Worker:
    """A process that calls functions, seen from the coordinator."""

    def __init__(self, context: BaseContext) -> None:
        self.connection, its_end = context.Pipe()
        self.process = context.Process(target=_work, args=(its_end,), daemon=True)  # type: ignore[attr-defined]
        try:
            self.process.start()
        finally:
            its_end.close()  # Now only the worker has this end of the pipe, so the pipe closes when the worker dies.


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


def _work(connection: Connection) -> None:
    """Call the functions that come, until the coordinator closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the coordinator, which keeps what was finished.
    threading.Thread(target=_end_with_the_coordinator, daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            fn, args, kwargs = connection.recv()
            answer: tuple[Any, Exception | None]
            try:
                answer = fn(*args, **kwargs), None
            except Exception as error:
                answer = None, error
            connection.send(answer)


def _end_with_the_coordinator() -> None:
    """End the worker when the coordinator dies: the pipe between them closes even after SIGKILL."""
    if (coordinator := multiprocessing.parent_process()) is not None:
        coordinator.join()
        os._exit(1)
