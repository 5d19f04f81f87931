"""Trials per second of a leader crash: ours, and the `raft_leader_crash` example of the samesim package."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

from simulator.algorithms.raft import RaftConfig
from simulator.algorithms.registry import REGISTRY
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant, Uniform
from simulator.cluster.faults.node_faults import Crash, Restart
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec
from simulator.cluster.stop import StopWhen
from simulator.protocol import MILLISECOND, SECOND

samesim: Any
try:
    samesim = import_module("samesim.app.api")
except ImportError:
    samesim = None  # `bench.__main__` says how to install it.

EXAMPLE = "raft_leader_crash"
ONLY_ELECTIONS = {
    "plugins.metrics": ["samesim.plugins.metrics.raft_metrics.RaftElectionMetric"],
    "plugins.persistence": [],
}

# What samesim's example simulates, to the letter: the crash at 1 s, the return of the crashed node at 2.5 s.
LEADER_CRASH = ClusterSpec(
    registration=REGISTRY["raft"],
    config=RaftConfig(election_timeout=(150 * MILLISECOND, 300 * MILLISECOND), heartbeat_interval=50 * MILLISECOND),
    nodes=5,
    duration=4 * SECOND,
    network=NetworkSpec(latency=Uniform(5 * MILLISECOND, 15 * MILLISECOND)),
    faults=(
        Scheduled(at=Constant(1 * SECOND), fault=Crash("leader")),
        Scheduled(at=Constant(2500 * MILLISECOND), fault=Restart("all")),
    ),
)


# All that a failover time needs; samesim has no such option. For orientation only: it simulates less.
ANNOUNCED = replace(LEADER_CRASH, faults=LEADER_CRASH.faults[:1], stop_when=StopWhen.LEADER_ANNOUNCED)


def leader_crash_trials(trials: int, spec: ClusterSpec = LEADER_CRASH) -> int:
    """Our trials, each with its trace."""
    for trial in range(trials):
        run_trial(spec, seed=7, trial=trial)
    return trials


class Samesim:
    """The example with only its election metric, in this process, with nothing written to files."""

    def __init__(self) -> None:
        self.configuration = samesim.prepare(EXAMPLE, overrides=ONLY_ELECTIONS)

    def trials(self, trials: int) -> int:
        """From the configuration as it was read once."""
        for trial in range(trials):
            samesim.run(self.configuration, seed=trial)
        return trials

    def trials_by_name(self, trials: int) -> int:
        """As samesim's own README runs an example: by its name, so that its YAML is read for every trial."""
        for trial in range(trials):
            samesim.run(EXAMPLE, seed=trial, overrides=ONLY_ELECTIONS)
        return trials
