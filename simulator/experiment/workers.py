"""Where trials run. Which place it is changes no result."""

from __future__ import annotations

from dataclasses import dataclass

LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Workers:
    """So many processes (0: one per core), or a Dask cluster: the address of its scheduler, or LOCAL.

    A cluster that is LOCAL has `count` processes on this machine.
    """

    count: int = 0
    dask: str | None = None


class ClusterError(OSError):
    """A Dask cluster that cannot be used: one line, which says why, and the remedy."""
