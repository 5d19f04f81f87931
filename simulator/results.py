"""Results of earlier runs.

    import simulator.results

    stored = simulator.results.load("results/raft-leader-crash-001")
    stored.elections["failover_s"].describe()
    stored.trace(17).to_frame()

A path is a directory that `electsim run` made.
"""

from __future__ import annotations

import warnings

from simulator.experiment.stored import DigestError, SavedRun
from simulator.experiment.stored import load_stored as load

__all__ = ["DigestError", "SavedRun", "load"]


def __getattr__(name: str) -> object:
    """`Stored`, as SavedRun was called before 0.3.0. The old names will be removed in the version after this one."""
    if name == "Stored":
        warnings.warn("simulator.results.Stored is called SavedRun now", DeprecationWarning, stacklevel=2)
        return SavedRun
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
