"""Runs a scenario's trials and gathers them into a result."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass

from simulator.experiment.chunks import Chunk
from simulator.experiment.columns import violations_in
from simulator.experiment.executors import MOST_WORKERS, WorkerDied, executor
from simulator.experiment.finished import InMemory
from simulator.experiment.plan import Plan, default_command
from simulator.experiment.result import SCHEMA, Result, made_with
from simulator.experiment.schedule import Cell, run_cells, slots_of
from simulator.experiment.signals import Terminated, name_of_signal, signal_named, uninterrupted
from simulator.experiment.tables import gathered
from simulator.experiment.trial import TrialError
from simulator.experiment.workers import Workers
from simulator.scenario import Scenario, check, load
from simulator.scenario.text.files import PathLike

__all__ = ["SCHEMA", "Result", "Terminated", "default_command", "made_with", "run"]

GATHERED_AT_ONCE = 2_000  # Trials of which tables and statistics are made within a second or two.


def run(
    scenario: Scenario | PathLike,
    overrides: Iterable[str] = (),
    *,
    algorithm: str | None = None,
    allow_files: Iterable[PathLike] = (),
    trials: int | None = None,
    seed: int | None = None,
    first_trial: int = 0,
    workers: int = 1,
    dask: str | None = None,
    precision: float | None = None,
    precision_of: str = "median",
    progress: Callable[[int, int], None] | None = None,
    command: str | None = None,
) -> Result:
    """Run a scenario's trials, `first_trial` being the first, and gather them in memory.

    `scenario` is a loaded scenario, or a path or the name of a shipped scenario. Only a path or name may come with
    `overrides`, `algorithm` and `allow_files`, which are those of `load`:
    `run("raft-leader-crash", ["network.loss=0.01"])`.

    `trials` and `seed` override the scenario's. The result is the same for any number of `workers` (processes; 0 for
    one per core). With `dask`, they are those of the Dask scheduler of this address, or of a cluster of `workers`
    processes on this machine for `local` (docs/cluster.md). `progress` is called with the numbers of trials finished
    and asked for. Ctrl-C ends the run early and returns what was finished, from the first trial on; SIGTERM does the
    same if it is handled.

    With `precision` (0.05 for 5 %), the run ends as soon as the 95 % interval of the primary median (`precision_of`:
    or its `p95`, `p99`) lies within that fraction of it, and with `trials` at the latest; `Result.stopped_by` says
    which.

    Raises ScenarioError for a bad scenario; TrialError where a trial runs away or the algorithm fails, with the trials
    before it, if any, as its `finished`; ValueError for fewer trials than one, for a bad precision, for more than
    1024 workers, and for overrides of a scenario that is loaded already; OSError where a Dask cluster cannot be used.
    """
    scenario = _loaded(scenario, overrides, algorithm, allow_files)
    count = scenario.trials if trials is None else trials
    used_seed = scenario.seed if seed is None else seed
    _check_numbers(count, used_seed, first_trial, workers)
    plan = Plan(
        scenario=scenario,
        seed=used_seed,
        first=first_trial,
        requested=count,
        command=command or default_command(used_seed, count, first_trial),
        precision=precision,
        precision_of=precision_of,
    )
    return _run(plan, Workers(workers, dask), progress)


def _run(plan: Plan, workers: Workers, progress: Callable[[int, int], None] | None) -> Result:
    """The result of a plan. Raises as `run` does."""
    cell = plan.cell(InMemory(), ends_at_failure=True)
    ending = run_until_ended([cell], workers, plan.requested, _reporting(progress))
    stopped_by, failure = ending.signal, None
    if ending.signal is not None and cell.end_without_gap == plan.first:
        raise signal_named(ending.signal)
    if ending.died is not None:
        failure = TrialError(cell.end_without_gap, ending.died)
    if cell.failed and min(cell.failed) == cell.end_without_gap:
        failure = cell.failed[cell.end_without_gap]
    with uninterrupted():
        if failure is None:
            return _gather(plan, cell, stopped_by)
        failure.finished = _gather(plan, cell, str(failure)) if cell.end_without_gap > plan.first else None
        raise failure


def _reporting(progress: Callable[[int, int], None] | None) -> Callable[[Cell, Chunk], None]:
    def report(cell: Cell, chunk: Chunk) -> None:
        if progress is not None:
            progress(cell.finished, cell.requested)

    return report


@dataclass(frozen=True, slots=True)
class Ending:
    """How trials have ended: by a signal, since a worker process died, or, if both are None, since all are finished."""

    signal: str | None = None  # INTERRUPTED or TERMINATED.
    died: str | None = None  # Why the worker died.

    @property
    def reason(self) -> str | None:
        """What ended them early, if anything did."""
        return self.signal or self.died


def run_until_ended(
    cells: Sequence[Cell], workers: Workers, trials: int, on_chunk: Callable[[Cell, Chunk], None]
) -> Ending:
    """Run the trials of some cells, of which `trials` are left, until they are finished or something ends them early.

    Raises StoreError if a chunk cannot be kept.
    """
    try:
        with workers_for(workers, trials) as (pool, slots):
            run_cells(cells, pool, slots, on_chunk)
    except KeyboardInterrupt as error:
        return Ending(signal=name_of_signal(error))
    except WorkerDied as error:
        return Ending(died=str(error))
    return Ending()


@contextmanager
def workers_for(workers: Workers, trials: int) -> Iterator[tuple[Executor, Callable[[], int]]]:
    """An executor with these workers, but none for a handful of trials; and what tells its number of slots.

    If the block fails, chunks under way are given up. Raises ClusterError if a Dask cluster cannot be used.
    """
    if workers.dask is not None:
        from simulator.experiment.dask import dask_workers

        with dask_workers(workers.dask, workers.count) as (pool, slots):
            yield pool, slots
        return
    count = min(workers.count or os.cpu_count() or 1, trials)
    count = 1 if trials <= _TOO_FEW else count
    pool = executor(count)
    try:
        yield pool, lambda: slots_of(count)
    except BaseException:
        with uninterrupted():
            pool.shutdown(cancel_futures=True)
        raise
    with uninterrupted():
        pool.shutdown()


_TOO_FEW = 20  # Trials for which no worker process is started.


def _check_numbers(count: int, seed: int, first_trial: int, workers: int) -> None:
    """Raises ValueError if one of them is out of bounds."""
    if count < 1 or seed < 0 or first_trial < 0:
        raise ValueError(f"{count} trials from trial {first_trial} of seed {seed}: at least 1, and none negative")
    if not 0 <= workers <= MOST_WORKERS:
        raise ValueError(f"{workers} workers: write 0 for one per core, or a number up to {MOST_WORKERS}")


def _loaded(
    scenario: Scenario | PathLike, overrides: Iterable[str], algorithm: str | None, allow_files: Iterable[PathLike]
) -> Scenario:
    """The scenario itself, or the scenario in that file. Raises as `run` does."""
    if not isinstance(scenario, Scenario):
        return load(scenario, overrides, algorithm=algorithm, allow_files=allow_files)
    inputs = {"overrides": list(overrides), "algorithm": algorithm, "allow_files": list(allow_files)}
    if names := [name for name, value in inputs.items() if value]:
        raise ValueError(
            f"scenario {scenario.name} is loaded already; give {' and '.join(names)} to simulator.load, "
            "or give run the path or the name of the scenario"
        )
    check(scenario)  # A program may have built the scenario, or changed it since it was loaded.
    return scenario


def _gather(plan: Plan, cell: Cell, stopped_by: str | None) -> Result:
    """The result of the finished trials, from the first on, with its tables in memory."""
    end = cell.end_without_gap
    tables, broken = gathered(cell.trials, plan.first, end)
    violations = violations_in(broken, waived=False), violations_in(broken, waived=True)
    return plan.result(cell, tables, violations, stopped_by, end)
