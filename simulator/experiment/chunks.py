"""A chunk: some trials of a scenario, simulated in one go and packed. This is what executors are given.

`simulate_chunk` needs nothing but its arguments, and what it returns can be pickled. So any executor
(`concurrent.futures.Executor`) can run it: in this process, in others, on other machines.
"""

from __future__ import annotations

import pickle
import time
from dataclasses import dataclass, field
from functools import lru_cache

from simulator.cluster.spec import ClusterSpec
from simulator.experiment.columns import pack
from simulator.experiment.trial import TrialError, TrialResult, simulate


@dataclass(frozen=True, slots=True)
class Chunk:
    """The trials from number `first` on: `finished` of them were finished, and each of the others has its error.

    `packed` is what `columns.pack` made of them, `seconds` the time that they took. If `interrupted` is given, the
    signal that it stands for has ended the chunk early.
    """

    first: int
    finished: int
    failed: tuple[TrialError, ...]
    packed: bytes = field(repr=False)
    seconds: float
    interrupted: KeyboardInterrupt | None = None

    @property
    def count(self) -> int:
        """How many trials it has."""
        return self.finished + len(self.failed)


class UnknownAlgorithmError(RuntimeError):
    """A worker process cannot build the algorithm of the scenario."""


def simulate_chunk(spec: ClusterSpec | bytes, seed: int, first: int, count: int) -> Chunk:
    """Simulate trials `first` to `first + count - 1`. A trial that fails ends nothing: the others are simulated, too.

    `spec` may be pickled; it is then unpickled once for all chunks of a scenario. In the main thread, Ctrl-C and
    SIGTERM end the chunk, which then has the trials before them. Raises UnknownAlgorithmError.
    """
    if isinstance(spec, bytes):
        spec = _unpickled(spec)
    finished: list[TrialResult] = []
    failed: list[TrialError] = []
    interrupted = None
    start = time.perf_counter()
    try:
        for trial in range(first, first + count):
            try:
                finished.append(simulate(spec, seed, trial))
            except TrialError as error:
                failed.append(error)
    except KeyboardInterrupt as error:
        interrupted = error
    return Chunk(
        first=first,
        finished=len(finished),
        failed=tuple(failed),
        packed=pack(finished, failed),
        seconds=time.perf_counter() - start,
        interrupted=interrupted,
    )


@lru_cache(maxsize=8)
def _unpickled(spec: bytes) -> ClusterSpec:
    """The specification. It comes from the coordinator, and not from a file."""
    try:
        found: ClusterSpec = pickle.loads(spec)
    except (AttributeError, ImportError) as error:
        raise UnknownAlgorithmError(
            f"a worker process cannot build the algorithm ({error}): an algorithm of your own must be in a module, and "
            "not in a notebook; a script must run behind `if __name__ == '__main__':`; or use 1 worker"
        ) from None
    return found
