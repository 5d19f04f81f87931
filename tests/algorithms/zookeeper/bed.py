"""An ensemble on a simulated network, whose replicas write down what they are told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from simulator.algorithms.zookeeper.config import EnsembleConfig
from simulator.algorithms.zookeeper.messages import Write, Zxid
from simulator.algorithms.zookeeper.registration import ENSEMBLE
from simulator.algorithms.zookeeper.replica import Replica, ReplicaServer
from simulator.algorithms.zookeeper.server import Server
from simulator.cluster.cluster import Cluster
from simulator.cluster.distributions import Constant, Uniform
from simulator.cluster.faults.record import Fault
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.network.network import NetworkSpec, StreamSpec, Transport
from simulator.cluster.spec import ClusterSpec, DiskSpec
from simulator.cluster.workload import Workload
from simulator.protocol import MILLISECOND, SECOND, Message, Nanoseconds, NodeId

MS = MILLISECOND
QUICK = EnsembleConfig(tick_time=100 * MS, init_limit=10, sync_limit=4, notification_interval=(200 * MS, SECOND))


class Scribe(Replica):
    """Writes down what it is told; `told` is by server and life, `state` is all that has been applied."""

    told: ClassVar[dict[tuple[NodeId, int], list[str]]] = defaultdict(list)
    lives: ClassVar[dict[NodeId, int]] = defaultdict(int)

    def __init__(self, server: ReplicaServer, durable: Mapping[str, Any]) -> None:
        super().__init__(server, durable)
        me = server.host.me
        Scribe.lives[me] += 1
        self.mine = Scribe.told[me, Scribe.lives[me]]
        self.state: tuple[Zxid, ...] = ()

    def apply(self, zxid: Zxid, transaction: Message) -> None:
        self.state += (zxid,)

    def snapshot(self) -> object:
        return self.state

    def restore(self, snapshot: object) -> None:
        assert isinstance(snapshot, tuple)
        self.state = snapshot
        self.mine.append("restored")

    def led(self) -> None:
        self.mine.append("led")

    def followed(self) -> None:
        self.mine.append("followed")

    def unserving(self) -> None:
        self.mine.append("unserving")

    def touched(self) -> tuple[Message, ...]:
        return (self.server.host.me,)

    def on_touched(self, learner: NodeId, sessions: tuple[Message, ...]) -> None:
        assert sessions == (learner,)
        self.mine.append("touched")

    def on_request(self, learner: NodeId, request: Message) -> None:
        self.server.propose(Write(request.size))


class ScribedServer(Server):
    replica_type = Scribe


SCRIBED = replace(ENSEMBLE, algorithm=ScribedServer, serving=None)  # It keeps its own state, and no registers.


def ensemble(
    *faults: tuple[Nanoseconds, Fault],
    nodes: int = 3,
    duration: Nanoseconds = 20 * SECOND,
    config: EnsembleConfig = QUICK,
    disk: DiskSpec | None = None,
    workload: Workload | None = None,
    seed: int = 1,
) -> Cluster:
    """A cluster that has not run yet."""
    Scribe.told.clear()
    Scribe.lives.clear()
    spec = ClusterSpec(
        registration=SCRIBED,
        config=config,
        nodes=nodes,
        duration=duration,
        disk=disk or DiskSpec(),
        network=NetworkSpec(
            latency=Uniform(MS, 2 * MS),
            transport=Transport.STREAM,
            stream=StreamSpec(notice=Constant(10 * MS)),
        ),
        faults=tuple(Scheduled(at=Constant(instant), fault=fault) for instant, fault in faults),
        workload=workload,
    )
    return Cluster(spec, seed, 0)


def servers(cluster: Cluster) -> Sequence[Server]:
    """Those that run."""
    return [node.algorithm for node in cluster.nodes.values() if isinstance(node.algorithm, Server)]


def states(cluster: Cluster) -> Mapping[NodeId, tuple[Zxid, ...]]:
    """What has been applied on each server that runs."""
    return {server.host.me: server.replica.state for server in servers(cluster)}  # type: ignore[attr-defined]
