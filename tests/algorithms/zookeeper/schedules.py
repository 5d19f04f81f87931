"""An ensemble under random schedules of faults, and the witness of what its servers deliver.

Junqueira, Reed and Serafini 2011: all that is delivered is delivered everywhere in one order, whatever befalls leaders.
A schedule is a list of moves; each breaks or mends something. At its end all is mended, and the ensemble must agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from hypothesis import strategies as st

from simulator.algorithms.zookeeper.config import EnsembleConfig
from simulator.algorithms.zookeeper.messages import Zxid
from simulator.algorithms.zookeeper.registration import ENSEMBLE
from simulator.algorithms.zookeeper.replica import Replica, ReplicaServer
from simulator.algorithms.zookeeper.server import Server
from simulator.checks.safety import violations
from simulator.cluster.cluster import Cluster
from simulator.cluster.distributions import Constant, Uniform
from simulator.cluster.faults.link_degradation import Degrade, Heal
from simulator.cluster.faults.link_faults import LinkTargets
from simulator.cluster.faults.node_faults import Crash, Kill, Pause, Restart, Resume
from simulator.cluster.faults.partitions import Isolate
from simulator.cluster.faults.record import Fault
from simulator.cluster.faults.schedule import Scheduled, WithoutTarget
from simulator.cluster.network.network import NetworkSpec, StreamSpec, Transport
from simulator.cluster.spec import ClusterSpec, DiskSpec
from simulator.cluster.workload import Workload
from simulator.protocol import MILLISECOND, SECOND, Message, Nanoseconds, NodeId

MS = MILLISECOND
SCHEDULES = 100
MOST_MOVES = 12
CONFIG = EnsembleConfig(
    tick_time=100 * MS,
    init_limit=10,
    sync_limit=4,
    notification_interval=(200 * MS, SECOND),
    synchronisation=(0, 5 * MS, 100 * MS),
    diff_limit=8,
)
PEACE = 5 * SECOND  # Votes that are repeated after 1 s, and elections.


class ViolationError(AssertionError):
    """A promise of the paper that was not kept."""


class Witness(Replica):
    """Delivers: the n-th transaction is the same in every life of every server, and is never another."""

    delivered: ClassVar[list[Zxid]] = []
    latest_epoch: ClassVar[dict[NodeId, int]] = {}

    def __init__(self, server: ReplicaServer, durable: Mapping[str, Any]) -> None:
        super().__init__(server, durable)
        self.state: tuple[Zxid, ...] = ()

    def apply(self, zxid: Zxid, transaction: Message) -> None:
        self.state += (zxid,)
        if len(self.state) > len(Witness.delivered):
            Witness.delivered.append(zxid)
        agreed = Witness.delivered[len(self.state) - 1]
        if agreed != zxid:
            raise ViolationError(f"n{self.server.host.me} delivers {zxid} where {agreed} was delivered")

    def snapshot(self) -> object:
        return self.state

    def restore(self, snapshot: object) -> None:
        assert isinstance(snapshot, tuple)
        if self.state != snapshot[: len(self.state)] or list(snapshot) != Witness.delivered[: len(snapshot)]:
            raise ViolationError(f"n{self.server.host.me} takes a state that was never agreed on")
        self.state = snapshot


class WitnessedServer(Server):
    replica_type = Witness


WITNESSED = replace(ENSEMBLE, algorithm=WitnessedServer, serving=None)  # It keeps its own state, and no registers.

Move = tuple[int, str, int]  # After how many tenths of a second, what, and whom: 0 is the leader.
VERBS = ("crash", "kill", "restart", "pause", "resume", "isolate", "heal")
moves = st.lists(
    st.tuples(st.integers(0, 15), st.sampled_from(VERBS), st.integers(0, 5)), min_size=1, max_size=MOST_MOVES
)


def fault(verb: str, whom: int, nodes: int) -> Fault:
    target: Any = "leader" if whom == 0 else (whom - 1) % nodes + 1
    made: Mapping[str, Fault] = {
        "crash": Crash(target),
        "kill": Kill(target),
        "restart": Restart("all"),
        "pause": Pause(target),
        "resume": Resume("all"),
        "isolate": Isolate(target),
        "heal": Heal(),
    }
    return made[verb]


def spec_of(chosen: Sequence[Move], nodes: int, observers: int) -> ClusterSpec:
    lossy = Degrade(links=LinkTargets(nodes=("all",)), loss=0.02)  # Until all is healed.
    faults, at_ns = [_at(0, lossy)], SECOND
    for tenths, verb, whom in chosen:
        at_ns += tenths * 100 * MS
        faults.append(_at(at_ns, fault(verb, whom, nodes)))
    mended = at_ns + 200 * MS
    faults += [_at(mended, Heal()), _at(mended, Resume("all")), _at(mended, Restart("all"))]
    return ClusterSpec(
        registration=WITNESSED,
        config=replace(CONFIG, observers=observers),
        nodes=nodes,
        duration=2 * mended + PEACE,  # A connection is tried again after as long as it was cut, at the latest.
        disk=DiskSpec(write=Uniform(100_000, 20 * MS), blocking=False),
        network=NetworkSpec(
            latency=Uniform(MS, 10 * MS),
            transport=Transport.STREAM,
            stream=StreamSpec(notice=Uniform(0, 30 * MS)),
        ),
        faults=tuple(faults),
        workload=Workload(rate_per_s=20),
    )


def _at(instant: Nanoseconds, made: Fault) -> Scheduled:
    return Scheduled(at=Constant(instant), fault=made, without_target=WithoutTarget.SKIP)


def play(chosen: Sequence[Move], nodes: int, observers: int, seed: int) -> Cluster:
    """Run a schedule. Raises ViolationError where the ensemble breaks a promise, or does not agree in the end."""
    Witness.delivered.clear()
    cluster = Cluster(spec_of(chosen, nodes, observers), seed, 0)
    trace = cluster.run()
    for violation in violations(trace, WITNESSED.algorithm.guarantees):
        raise ViolationError(violation.text)
    servers = [node.algorithm for node in cluster.nodes.values() if isinstance(node.algorithm, Server)]
    leading = [server.host.me for server in servers if server.leading and server.serving]
    if len(servers) != nodes or len(leading) != 1 or not all(server.serving for server in servers):
        raise ViolationError(f"no agreement: n{leading} of {nodes} lead")
    if any(server.learner is not None and server.learner.leader != leading[0] for server in servers):
        raise ViolationError("no agreement: another leader is followed")
    return cluster
