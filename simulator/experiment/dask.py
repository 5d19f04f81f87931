"""The workers of a Dask cluster behind the same seam as processes: a `concurrent.futures.Executor`.

Dask decides where a chunk runs, and runs it again if its worker is lost. A chunk that comes twice counts once: a trial
depends on its scenario, the seed and its number only. TLS, timeouts and the like are those of Dask's own
configuration. It needs the extra `cluster`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from simulator.experiment.chunks import UnknownAlgorithmError
from simulator.experiment.executors import WorkerDied
from simulator.experiment.result import made_with
from simulator.experiment.signals import interruptible
from simulator.experiment.workers import LOCAL, ClusterError

if TYPE_CHECKING:
    from distributed import Client

_FIRST_WORKER_S = 60.0  # How long to wait until the cluster has a worker.
_COUNT_EVERY_S = 5.0  # How often to ask how many threads the workers have: they may come and go.

P = ParamSpec("P")
T = TypeVar("T")


class OtherVersions(WorkerDied):
    """A worker has other versions than the coordinator, so that digests might differ."""


@contextmanager
def dask_workers(address: str, workers: int = 0) -> Iterator[tuple[Executor, Callable[[], int]]]:
    """An executor over the workers of a scheduler, and what tells how many chunks should be under way.

    `address` is that of the scheduler (`tcp://scheduler:8786`, `tls://…`), or `local` for a cluster of `workers`
    processes on this machine, which ends with the block (0: one per core). If the block fails, chunks under way are
    cancelled. Raises ClusterError.
    """
    try:
        import distributed
    except ImportError as error:
        raise ClusterError('--dask needs distributed: pip install "electsim[cluster]"') from error
    if address == LOCAL:
        with _local(workers) as cluster, distributed.Client(cluster) as client:
            yield from _executing(client)
        return
    with _client(address) as client:
        yield from _executing(client)


def _client(address: str) -> Client:
    """A client of the scheduler, which has a worker at least. Raises ClusterError."""
    import distributed

    try:
        with interruptible():
            client = distributed.Client(address)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        remedy = "is it running, and is it tcp:// or tls:// with the certificates of Dask's configuration?"
        raise ClusterError(f"--dask {address}: no scheduler answers ({said}); {remedy}") from error
    try:
        with interruptible():
            client.wait_for_workers(1, timeout=_FIRST_WORKER_S)
    except BaseException as error:
        client.close()
        if isinstance(error, TimeoutError):
            said = f"no worker has come within {_FIRST_WORKER_S:.0f} s; start one: dask worker {address}"
            raise ClusterError(f"--dask {address}: {said}") from error
        raise
    return client


@contextmanager
def _local(workers: int) -> Iterator[Any]:
    import logging

    import distributed

    options = {"n_workers": workers} if workers else {}
    with distributed.LocalCluster(
        threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=logging.ERROR, **options
    ) as cluster:
        yield cluster


def _executing(client: Client) -> Iterator[tuple[Executor, Callable[[], int]]]:
    pool = DaskWorkers(client)
    try:
        yield pool, pool.slots
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()


class DaskWorkers(Executor):
    """Gives tasks to a Dask client. Each task first checks that its worker has the versions of the coordinator."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._executor: Any = client.get_executor(pure=False)
        self._threads, self._counted = 0, -_COUNT_EVERY_S

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The future of `fn(*args, **kwargs)`. It raises WorkerDied if Dask gives the task up."""
        outer: Future[T] = Future()
        inner: Future[T] = self._executor.submit(call_with_same_versions, made_with(), fn, args, kwargs)
        inner.add_done_callback(partial(_pass_on, outer))
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for the tasks, or cancel them."""
        self._executor.shutdown(wait=wait and not cancel_futures)

    def slots(self) -> int:
        """How many tasks should be under way: a worker that has finished one finds another to go on with."""
        if time.monotonic() - self._counted >= _COUNT_EVERY_S:
            with suppress(OSError, TimeoutError):  # The scheduler may be busy: what it said last will do.
                self._threads = sum(self._client.nthreads().values())
            self._counted = time.monotonic()
        return 2 * max(1, self._threads)


def call_with_same_versions(
    versions: dict[str, str], fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> T:
    """Call a function on a worker. Raises OtherVersions if the worker has other versions of what decides digests."""
    own = _own_versions()
    for name, version in versions.items():
        if own.get(name) != version:
            raise OtherVersions(
                f"a worker has {name} {own.get(name)}, and this is {name} {version}: digests may differ; install the "
                "same versions on both"
            )
    return fn(*args, **kwargs)


@lru_cache(maxsize=1)
def _own_versions() -> dict[str, str]:
    return made_with()


def _pass_on(outer: Future[T], inner: Future[T]) -> None:
    """Give a future the outcome of another one, with what Dask says of lost workers as WorkerDied."""
    if inner.cancelled():
        outer.set_exception(WorkerDied("the connection to the Dask scheduler is lost"))
    elif (error := inner.exception()) is None:
        outer.set_result(inner.result())
    elif type(error).__name__ == "KilledWorker":
        remedy = "most likely for lack of memory; try fewer nodes, or more memory for each worker"
        outer.set_exception(WorkerDied(f"Dask has lost a worker with the same trials several times, {remedy}"))
    elif isinstance(error, ImportError | UnknownAlgorithmError):
        remedy = "install the same electsim, and your own algorithms, on all workers"
        outer.set_exception(WorkerDied(f"a worker of Dask cannot run a trial: {error}; {remedy}"))
    elif type(error).__module__.startswith("distributed"):
        outer.set_exception(WorkerDied(f"Dask: {type(error).__name__}: {' '.join(str(error).split())}"))
    else:
        outer.set_exception(error)
