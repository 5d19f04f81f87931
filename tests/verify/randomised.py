"""Randomised trials: a fault mix drawn from (seed, trial), made to strike in the middle of elections.

Each trial draws which kinds of faults it has and how many, as TigerBeetle's simulator does: a trial with a bit of
everything looks like every other. The same (seed, trial) gives the same schedule to every algorithm, so a mutant
can be compared with what it was made from.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from simulator.algorithms.raft import DIALECTS, RaftConfig
from simulator.algorithms.registration import Registration
from simulator.cluster.distributions import Constant, Distribution, Exponential, Uniform
from simulator.cluster.faults.link_degradation import Heal
from simulator.cluster.faults.node_faults import Crash, Pause, Restart, Resume
from simulator.cluster.faults.partitions import Partition
from simulator.cluster.faults.record import Fault
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.faults.targets import Target
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec, DiskSpec, LogSpec
from simulator.protocol import MILLISECOND, Nanoseconds
from simulator.protocol import uniform as draw
from simulator.randomness import Streams
from tests.support.raft_options import any_options, dialect_options

MS = MILLISECOND
DURATION = 1000 * MS
LEAST_TIMEOUT = 100 * MS

T = TypeVar("T")


def random_spec(registration: Registration, seed: int, trial: int) -> ClusterSpec:
    """The cluster, network and faults of one randomised trial of Raft, or of a copy of it with a fault."""
    source = Streams(seed, trial).python("randomised trial")
    nodes = pick(source, 2, 3, 3, 4, 5, 5, 5, 6, 7)
    starts: tuple[Distribution, ...] = (Constant(0), Uniform(0, 50 * MS))
    lengths = tuple(pick(source, 0, 1, 2, 3) for _ in range(nodes))
    return ClusterSpec(
        registration=registration,
        config=_config(source),
        nodes=nodes,
        duration=DURATION,
        absent=frozenset(pick(source, (), (), (), (nodes,))),
        start=pick(source, *starts),
        logs=pick(source, None, LogSpec(lengths=lengths, permuted=True)),
        disk=_disk(source),
        network=_network(source),
        faults=tuple(some_faults(source, nodes)),
        event_limit=200_000,
    )


def pick(source: random.Random, *choices: T) -> T:
    return choices[draw(source, (0, len(choices) - 1))]


def _config(source: random.Random) -> RaftConfig:
    """The paper's Raft, that of a dialect, or one with every option drawn; often timeouts so close that votes split."""
    times = {
        "election_timeout": (LEAST_TIMEOUT, LEAST_TIMEOUT + pick(source, 0, 25, 50, 100) * MS),
        "heartbeat_interval": pick(source, 25, 50) * MS,
    }
    paper = {
        "vote_retry_interval": pick(source, None, None, 15 * MS),
        "new_term_heartbeat_only_steps_down": pick(source, False, False, True),
    }
    dialect = dialect_options(pick(source, *DIALECTS), LEAST_TIMEOUT)
    every = any_options(partial(pick, source))
    return RaftConfig(**pick(source, {**times, **paper}, dialect, {**times, **every}, {**times, **every}))


def _disk(source: random.Random) -> DiskSpec:
    write = pick(source, None, Uniform(0, MS), Uniform(0, MS), Uniform(MS, 30 * MS))
    return DiskSpec(write=write, blocking=pick(source, False, True))


def _network(source: random.Random) -> NetworkSpec:
    latencies: tuple[Distribution, ...] = (
        Constant(5 * MS),
        Uniform(MS, 10 * MS),
        Uniform(MS, 60 * MS),
        Exponential(mean=10 * MS, floor=MS),
    )
    return NetworkSpec(
        latency=pick(source, *latencies),
        loss=pick(source, 0, draw(source, (0, 200))) / 1000,
        duplication=pick(source, 0, draw(source, (0, 500))) / 1000,
    )


def some_faults(source: random.Random, nodes: int) -> list[Scheduled]:
    """Any mix of kinds, over the length of a trial."""
    kinds: Sequence[Callable[[random.Random, int, Nanoseconds], list[Scheduled]]] = (
        _crash_in_election,
        _flapping,
        _power_cut,
        _partition,
        _isolation,
        _pause,
    )
    enabled = [kind for kind in kinds if pick(source, False, True)]
    return [
        scheduled
        for kind in enabled
        for _ in range(pick(source, 1, 2, 4))
        for scheduled in kind(source, nodes, draw(source, (0, DURATION)))
    ]


def _at(instant: Nanoseconds, fault: Fault) -> Scheduled:
    return Scheduled(at=Constant(instant), fault=fault)


def _crash_in_election(source: random.Random, nodes: int, start: Nanoseconds) -> list[Scheduled]:
    """The leader crashes; when its followers' timers are about to run out, so do others; soon all are back."""
    election = start + LEAST_TIMEOUT
    return [
        _at(start, Crash("leader")),
        *(_at(election + draw(source, (0, 60 * MS)), Crash("random")) for _ in range(pick(source, 1, 2))),
        _at(election + draw(source, (0, 100 * MS)), Restart("all")),
    ]


def _flapping(source: random.Random, nodes: int, start: Nanoseconds) -> list[Scheduled]:
    """One node crashes and restarts again and again, each time within milliseconds."""
    node = draw(source, (1, nodes))
    faults = []
    for _ in range(draw(source, (2, 8))):
        faults.append(_at(start, Crash(node)))
        start += draw(source, (0, 15 * MS))
        faults.append(_at(start, Restart(node)))
        start += draw(source, (0, 60 * MS))
    return faults


def _power_cut(source: random.Random, nodes: int, start: Nanoseconds) -> list[Scheduled]:
    """Every node crashes within a short time, and comes back."""
    faults = []
    for node in range(1, nodes + 1):
        crash = start + draw(source, (0, 20 * MS))
        faults += [_at(crash, Crash(node)), _at(crash + draw(source, (0, 40 * MS)), Restart(node))]
    return faults


def _partition(source: random.Random, nodes: int, start: Nanoseconds) -> list[Scheduled]:
    """The nodes fall into two or three groups, which may leave no majority anywhere."""
    sides = [draw(source, (0, pick(source, 1, 2))) for _ in range(nodes)]
    groups = tuple(tuple(node for node, side in enumerate(sides, start=1) if side == which) for which in (0, 1))
    return [_at(start, Partition(groups)), _at(start + draw(source, (20 * MS, 400 * MS)), Heal())]


def _isolation(source: random.Random, nodes: int, start: Nanoseconds) -> list[Scheduled]:
    """The leader, or somebody else, is alone for longer than an election takes."""
    whom = pick(source, "leader", "leader", "random")
    return [_at(start, Partition(((whom,),))), _at(start + draw(source, (100 * MS, 400 * MS)), Heal())]


def _pause(source: random.Random, nodes: int, start: Nanoseconds) -> list[Scheduled]:
    """The leader stalls, or somebody else does."""
    targets: tuple[Target, ...] = ("leader", "random", draw(source, (1, nodes)))
    whom = pick(source, *targets)
    return [_at(start, Pause(whom)), _at(start + draw(source, (10 * MS, 300 * MS)), Resume("all"))]
