"""What it costs to give trials to processes or to a Dask cluster, beside running them in this process.

    python -m bench.executors            # about a minute on a free machine; needs the extra `cluster`

The same trials run in this process, in two worker processes and on a local Dask cluster of two. Their executors have
started before, and every worker has imported what it needs. The efficiency is the processor time of this process over
that of all processes together, so that other programs on the machine disturb it little: on a free machine, it bounds
the speed-up by two workers, divided by two. The last column is what the coordinator spends on a chunk: it says how many
workers it can keep busy.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil  # type: ignore[import-untyped]  # It comes with distributed.

import simulator
from simulator.experiment.chunks import Chunk, simulate_chunk
from simulator.experiment.dask import dask_workers
from simulator.experiment.executors import InThisProcess, WorkerProcesses
from simulator.experiment.finished import InDirectory
from simulator.experiment.plan import Plan
from simulator.experiment.schedule import Cell, run_cells

SCENARIO, SEED, TRIALS, WORKERS = "raft-leader-crash", 3, 600, 2
Place = tuple[Executor, Callable[[], int]]


def main() -> None:
    """Measure, and print a row for each executor."""
    print(f"{SCENARIO}, {TRIALS:,} trials, {WORKERS} workers, {os.cpu_count()} cores")
    print(f"{'':12} {'trials/s':>9} {'efficiency':>11} {'chunks':>7} {'coordinator, ms a chunk':>24}")
    alone = None
    for name, place in (("in process", _here), ("processes", _processes), ("Dask", _dask)):
        with place() as (pool, slots):
            wall_s, all_s, own_s, chunks = _run(pool, slots)
        alone = alone or all_s
        each = "" if name == "in process" else f"{1e3 * own_s / chunks:24.1f}"
        print(f"{name:12} {TRIALS / wall_s:9.0f} {alone / all_s:11.3f} {chunks:7} {each}")


def _run(pool: Executor, slots: Callable[[], int]) -> tuple[float, float, float, int]:
    """Seconds by the clock, of all processes and of this one, and the number of chunks."""
    spec = simulator.load(SCENARIO).cluster_spec()
    for future in [pool.submit(simulate_chunk, spec, SEED, 0, 20) for _ in range(4 * WORKERS)]:
        future.result()
    plan = Plan(scenario=simulator.load(SCENARIO), seed=SEED, first=0, requested=TRIALS, command="")
    chunks: list[int] = []

    def count(cell: Cell, chunk: Chunk) -> None:
        chunks.append(chunk.count)

    with TemporaryDirectory() as place:
        before, own, start = _all_cpu_s(), time.process_time(), time.perf_counter()
        run_cells([plan.cell(InDirectory(Path(place)))], pool, slots, count)
        return time.perf_counter() - start, _all_cpu_s() - before, time.process_time() - own, len(chunks)


def _all_cpu_s() -> float:
    """The processor time of this process and of all that it has started, in seconds."""
    me = psutil.Process()
    times = [process.cpu_times() for process in (me, *me.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


@contextmanager
def _here() -> Iterator[Place]:
    yield InThisProcess(), lambda: 1


@contextmanager
def _processes() -> Iterator[Place]:
    pool = WorkerProcesses(WORKERS)
    yield pool, lambda: 2 * WORKERS
    pool.shutdown()


@contextmanager
def _dask() -> Iterator[Place]:
    with dask_workers("local", WORKERS) as found:
        yield found


if __name__ == "__main__":
    main()
