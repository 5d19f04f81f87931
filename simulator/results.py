"""Results of earlier runs.

    import simulator.results

    stored = simulator.results.load("results/raft-leader-crash-001")
    stored.elections["failover_s"].describe()
    stored.trace(17).to_frame()

A path is a directory that `electsim run` made.
"""

from __future__ import annotations

from simulator.experiment.stored import DigestError, Stored
from simulator.experiment.stored import load_stored as load

__all__ = ["DigestError", "Stored", "load"]
