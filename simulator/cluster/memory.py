"""How much memory a trial takes, and the limit that ends a trial before it takes all of the machine's.

Two figures are compared with `limits.memory` while a trial runs. The first is an estimate from what the trial holds:
nodes, rows and queued entries, each times the bytes measured below; it is the same on every machine. The second is the
resident memory that the process has gained since the trial's first check, because an algorithm may keep what no
estimate knows of. Both only end a trial with an error: no result depends on them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sized

GIB = 1 << 30
DEFAULT_MEMORY_LIMIT_BYTES = 4 * GIB
EVENTS_BETWEEN_CHECKS = 100_000
_SENDS_BETWEEN_CHECKS = 1_000_000  # One event sends at most about one message to each node (a broadcast).

# Measured with tracemalloc (CPython 3.13, Linux x86-64) as tests/cluster/test_memory_limit.py measures them again:
# memory allocated after every node has started, divided by nodes; by queued messages; and by rows of the trace.
# A node takes 9,200 to 13,500 bytes in the registered algorithms, its `random.Random` (2,500) and its first rows
# included, without what it keeps for each other node (`Registration.bytes_per_pair`).
BYTES_PER_NODE = 10_000
BYTES_PER_QUEUED = 210  # A queued entry takes a tuple, its instant, its order and its message.
BYTES_PER_ROW = 450


class MemoryLimitError(RuntimeError):
    """A trial takes more memory than its scenario allows."""


def bytes_of_nodes(nodes: int, bytes_per_pair: int) -> int:
    """The bytes that this many nodes take before any message is sent."""
    return nodes * BYTES_PER_NODE + nodes * nodes * bytes_per_pair


def format_bytes(count: int) -> str:
    """A number of bytes for people, in binary units: `1.5 GiB`."""
    amount, unit = float(count), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.4g} {unit}"


class MemoryCheck:
    """Ends one trial that exceeds its memory limit: the kernel calls `check` every `events_between` events.

    Large clusters are checked more often, because one event may queue a message for every node.
    """

    def __init__(self, limit_bytes: int, nodes: int, bytes_per_pair: int, queue: Sized, rows: Sized) -> None:
        self.events_between = max(1, min(EVENTS_BETWEEN_CHECKS, _SENDS_BETWEEN_CHECKS // max(nodes, 1)))
        self._limit_bytes = limit_bytes
        self._nodes = nodes
        self._nodes_bytes = bytes_of_nodes(nodes, bytes_per_pair)
        self._queue = queue
        self._rows = rows
        # The memory is read at the first check, because most trials end before it.
        self._resident_before: int | None = None

    def check(self) -> None:
        """Raises MemoryLimitError if the estimate, or the growth of resident memory, exceeds the limit."""
        queued, rows = len(self._queue), len(self._rows)
        estimate = self._nodes_bytes + queued * BYTES_PER_QUEUED + rows * BYTES_PER_ROW
        resident = resident_bytes()
        if self._resident_before is None:
            self._resident_before = resident
        used = max(estimate, self._nodes_bytes + resident - self._resident_before)
        if used > self._limit_bytes:
            raise MemoryLimitError(
                f"the trial takes {format_bytes(used)} of memory, more than limits.memory "
                f"({format_bytes(self._limit_bytes)}): {self._nodes:,} nodes, {queued:,} messages and timers queued, "
                f"{rows:,} rows; simulate fewer nodes, or raise limits.memory if each worker may take more"
            )


def resident_bytes() -> int:
    """The resident memory of this process: on Linux the present amount, elsewhere the largest amount so far, and 0 if
    the system does not report it.
    """
    if sys.platform == "linux":
        with open("/proc/self/statm", "rb") as statm:  # A Path costs as much as the read.
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    try:
        import resource
    except ImportError:  # Windows.
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024  # macOS counts bytes, other systems count KiB.
