"""The stages of an ensemble's failover, as the measurements of real servers count them."""

from __future__ import annotations

from simulator.cluster.cluster import run_trial
from simulator.cluster.spec import ClusterSpec
from simulator.metrics.elections import Cause, elections
from simulator.protocol import LEADER, MILLISECOND, PRE_CANDIDATE


def failover(spec: ClusterSpec, seed: int, trial: int) -> tuple[float, float, float]:
    """From the fault, in ms: to the first suspicion, to the last survivor's choice, and until a quorum is served."""
    trace = run_trial(spec, seed, trial)
    (lost,) = (election for election in elections(trace) if election.cause is Cause.LOSS)
    assert lost.failover_ns is not None and lost.detection_ns is not None
    after = [row for row in trace.rows if row.role is not None and row.time_ns > lost.start_ns]
    chosen = next(row for row in after if row.role is not PRE_CANDIDATE and row.role is not LEADER)
    times_ns = (lost.detection_ns, chosen.time_ns - lost.start_ns, lost.failover_ns)
    detection, elected, served = (time_ns / MILLISECOND for time_ns in times_ns)
    return detection, elected, served
