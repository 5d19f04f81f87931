"""The setting of Raft's closed forms: timers that start together, constant latency, no disk; timeouts in [1 s, 2 s].

Times are fractions of the range of timeouts, which is one second.
"""

from __future__ import annotations

from simulator.algorithms.raft import RaftConfig
from simulator.algorithms.registry import REGISTRY
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec
from simulator.cluster.stop import StopWhen
from simulator.metrics.elections import elections
from simulator.protocol import SECOND
from simulator.trace import event_types


def first_round(nodes: int, failed: int, latency: float) -> ClusterSpec:
    return ClusterSpec(
        registration=REGISTRY["raft"],
        config=RaftConfig(election_timeout=(SECOND, 2 * SECOND), heartbeat_interval=SECOND // 2),
        nodes=nodes,
        duration=1000 * SECOND,
        absent=frozenset(range(nodes - failed + 1, nodes + 1)),
        network=NetworkSpec(latency=Constant(round(latency * SECOND))),
        stop_when=StopWhen.LEADER_CLAIMED,
    )


def is_split(spec: ClusterSpec, seed: int, trial: int) -> bool:
    """Whether the first round, the election's first term, was a split vote; the trial goes on until somebody leads."""
    (election,) = elections(run_trial(spec, seed, trial))
    first = election.rounds[0]
    assert first.split is (first.winner is None)  # In this setting, a lone candidate always wins.
    return first.split


def first_timeout(spec: ClusterSpec, seed: int, trial: int) -> float:
    """When the first server timed out, as a fraction of the range of timeouts."""
    first = next(row for row in run_trial(spec, seed, trial).rows if row.kind == event_types.SUSPECTED)
    return first.time_ns / SECOND - 1
