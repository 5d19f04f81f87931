"""Scenes whose digests are kept. All their draws are integer arithmetic, so that they hold on any machine.

`python -m tests.golden.scenes` prints the digests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from simulator.algorithms.etcd.config import EtcdElectionConfig
from simulator.algorithms.raft import RaftConfig
from simulator.algorithms.registry import REGISTRY
from simulator.algorithms.zookeeper.config import EnsembleConfig
from simulator.cluster.clients.spec import ClientsSpec, PathSpec, ResourceSpec
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant, Uniform
from simulator.cluster.faults.link_degradation import Heal
from simulator.cluster.faults.node_faults import Crash, Kill, Pause, Restart, Resume
from simulator.cluster.faults.partitions import Partition
from simulator.cluster.faults.record import Fault
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.network.network import NetworkSpec, StreamSpec, Transport
from simulator.cluster.spec import ClusterSpec, DiskSpec, LogSpec
from simulator.cluster.stop import StopWhen
from simulator.protocol import MICROSECOND, MILLISECOND, SECOND

MS = MILLISECOND
RAFT = REGISTRY["raft"]
SEED = 7
TRIALS = range(5)


def _at(instant: int, fault: Fault) -> Scheduled:
    return Scheduled(at=Constant(instant), fault=fault)


SCENES: Mapping[str, ClusterSpec] = {
    "steady_state": ClusterSpec(
        registration=RAFT,
        config=RaftConfig(),
        nodes=5,
        duration=2 * SECOND,
        network=NetworkSpec(latency=Uniform(5 * MS, 15 * MS)),
    ),
    "leader_crash": ClusterSpec(
        registration=RAFT,
        config=RaftConfig(),
        nodes=5,
        duration=4 * SECOND,
        disk=DiskSpec(write=Uniform(100 * MICROSECOND, MS)),
        network=NetworkSpec(latency=Uniform(5 * MS, 15 * MS)),
        faults=(
            Scheduled(at=Uniform(SECOND, 1050 * MS), fault=Crash("leader")),
            _at(2500 * MS, Restart("all")),
        ),
    ),
    "partition_and_heal": ClusterSpec(
        registration=RAFT,
        config=RaftConfig(vote_retry_interval=20 * MS),
        nodes=5,
        duration=3 * SECOND,
        disk=DiskSpec(write=Uniform(MS, 5 * MS), blocking=False),
        network=NetworkSpec(latency=Uniform(MS, 40 * MS), loss=0.05, duplication=0.1),
        faults=(
            _at(SECOND, Partition((("leader", 2),))),
            _at(1500 * MS, Partition(((1, 3),))),
            _at(2 * SECOND, Heal()),
        ),
    ),
    "pause_and_resume": ClusterSpec(
        registration=RAFT,
        config=RaftConfig(),
        nodes=4,
        duration=3 * SECOND,
        start=Uniform(0, 100 * MS),
        disk=DiskSpec(write=Constant(3 * MS)),
        faults=(
            _at(SECOND, Pause("leader")),
            _at(1200 * MS, Pause("random")),
            _at(1600 * MS, Resume("all")),
        ),
    ),
    "different_logs": ClusterSpec(
        registration=RAFT,
        config=RaftConfig(election_timeout=(300 * MS, 600 * MS), new_term_heartbeat_only_steps_down=True),
        nodes=5,
        duration=60 * SECOND,
        absent=frozenset({5}),
        logs=LogSpec(lengths=(1, 2, 3, 4, 5), permuted=True),
        network=NetworkSpec(latency=Uniform(30 * MS, 40 * MS)),
        stop_when=StopWhen.LEADER_STABLE,
        stable_after=SECOND,
    ),
    "zookeeper_ensemble": ClusterSpec(
        registration=REGISTRY["zookeeper-ensemble"],
        config=EnsembleConfig(tick_time=100 * MS, synchronisation=(42 * MS, 42 * MS, 42 * MS), observers=1),
        nodes=4,
        duration=6 * SECOND,
        disk=DiskSpec(write=Uniform(100 * MICROSECOND, MS)),
        network=NetworkSpec(
            latency=Uniform(MS, 5 * MS),
            transport=Transport.STREAM,
            stream=StreamSpec(notice=Uniform(11 * MS, 29 * MS)),
        ),
        faults=(_at(2 * SECOND, Kill("leader")), _at(4 * SECOND, Restart("all"))),
    ),
    "etcd_election": ClusterSpec(
        registration=REGISTRY["etcd-election"],
        config=EtcdElectionConfig(session_ttl=2 * SECOND, keepalive_time=SECOND, keepalive_timeout=SECOND),
        nodes=3,
        duration=30 * SECOND,
        disk=DiskSpec(write=Uniform(100 * MICROSECOND, MS)),
        network=NetworkSpec(latency=Uniform(MS, 5 * MS), transport=Transport.STREAM),
        faults=(
            _at(5 * SECOND, Crash("leader-of:etcd")),
            _at(12 * SECOND, Kill("leader")),
            _at(15 * SECOND, Restart("all")),
            Scheduled(at=Constant(18 * SECOND), fault=Pause("leader"), lasts=Constant(4 * SECOND)),
        ),
    ),
    **{
        name: ClusterSpec(
            registration=REGISTRY[name],
            config=REGISTRY[name].config(),
            nodes=5,
            duration=length,
            disk=DiskSpec(write=Uniform(100 * MICROSECOND, MS)),
            network=NetworkSpec(latency=Uniform(5 * MS, 15 * MS)),
            faults=(
                _at(length // 4, Crash("leader")),
                _at(length // 2, Restart("all")),
                Scheduled(at=Constant(5 * length // 8), fault=Partition(((4, 5),)), lasts=Constant(length // 4)),
            ),
        )
        for name, length in {"bully": 6 * SECOND, "invitation": 16 * SECOND, "priority": 120 * SECOND}.items()
    },
    "omega": ClusterSpec(
        registration=REGISTRY["omega"],
        config=REGISTRY["omega"].config(),
        nodes=4,
        duration=3 * SECOND,
        network=NetworkSpec(latency=Uniform(5 * MS, 15 * MS), loss=0.02),
        faults=(
            _at(SECOND, Crash("leader")),
            _at(2 * SECOND, Restart("all")),
        ),
    ),
}

_CLIENTS = ClientsSpec(
    count=3,
    gaps=Uniform(5 * MS, 30 * MS),
    start=SECOND,
    reads=0.5,
    stale_reads_for=200 * MS,
    timeout=300 * MS,
    paths=PathSpec(latency=Uniform(MS, 2 * MS)),
)
SCENES = {
    **SCENES,
    "clients_of_raft": replace(
        SCENES["leader_crash"], config=RaftConfig(replication=True, no_op=True), clients=_CLIENTS, duration=3 * SECOND
    ),
    "clients_of_bully": replace(
        SCENES["bully"],
        clients=replace(_CLIENTS, closed_loop=False, finds="next", attempts=3),
        resource=ResourceSpec(paths=PathSpec(latency=Uniform(MS, 2 * MS))),
    ),
}


def digests(name: str, trials: Iterable[int] = TRIALS, *, journal: bool = False) -> dict[str, str]:
    """The digest of each trial of one scene, under its number."""
    return {str(trial): run_trial(SCENES[name], SEED, trial, journal=journal).digest for trial in trials}


if __name__ == "__main__":
    print(json.dumps({name: digests(name) for name in SCENES}))
