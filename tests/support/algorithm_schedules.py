"""Clusters under random faults, for whatever algorithm is registered: inside what it assumes, or anywhere.

A schedule is a `ClusterSpec`. Faults strike while elections are under way; when they have ended, the cluster is left in
peace for as long as the algorithm says that it needs (`stabilization_bound`). Hypothesis draws a seed, and how many
faults there may be, so that a failure shrinks to few; all else follows from the seed, since Hypothesis' own draws come
in families of schedules that are much alike, and mostly empty.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from hypothesis import strategies as st

from simulator.algorithms.detectors import DETECTORS
from simulator.algorithms.registration import Registration
from simulator.checks.stable_period import agreement
from simulator.cluster.distributions import Constant, Distribution, Mixture, Uniform
from simulator.cluster.faults.link_degradation import Degrade, Flap, HoldBack
from simulator.cluster.faults.link_faults import LinkTargets
from simulator.cluster.faults.node_faults import Bounce, Crash, Kill, Pause
from simulator.cluster.faults.partitions import Bridge, CutLink, Isolate, MajoritiesRing, Partition, PartitionOneway
from simulator.cluster.faults.record import Fault
from simulator.cluster.faults.registry import FAULTS
from simulator.cluster.faults.schedule import Scheduled, WithoutTarget
from simulator.cluster.faults.slowdowns import SkewClock, SlowDisk, SlowNode, StallDisk
from simulator.cluster.faults.targets import Target
from simulator.cluster.network.network import NetworkSpec, Transport
from simulator.cluster.spec import ClusterSpec, DiskSpec
from simulator.protocol import MILLISECOND, SECOND, Assumption, Nanoseconds, NodeId
from simulator.protocol import uniform as draw
from simulator.trace.trace import Trace

MS = MILLISECOND
JUMP = SECOND  # How far a clock is set wrong: who reads ages off it may be late by so much.
# Where an algorithm states no bound, since its elections may fail for ever: many timeouts of its defaults.
ELECTS_WITHIN: Mapping[str, Nanoseconds] = {"raft": 10 * SECOND, "zookeeper": 20 * SECOND, "etcd-election": 20 * SECOND}
LONG_ENOUGH = 200 * SECOND  # ZooKeeper's servers ask each other once a minute, in the end.
USUAL_DELAY = 5 * MS
LONGEST_DELAY = 30 * MS  # Where an algorithm states no bound.

# What each fault breaks, with what `broken_assumptions` reads off rows of their own.
BREAKS: Mapping[str, tuple[Assumption, ...]] = {
    **{name: record.breaks for name, record in FAULTS.items()},
    **dict.fromkeys(("crash", "kill", "bounce"), (Assumption.NO_CRASH,)),
    "pause": (Assumption.NO_PAUSE,),
}
# Left out: what ends another fault, what asks for a change, and amnesia, without whose disk no algorithm here can do.
NOT_DRAWN = frozenset(
    ("restart", "resume", "heal", "release", "transfer_leadership", "add_server", "remove_server", "amnesia")
)

Draw = Callable[[random.Random], Fault]


def pick(source: random.Random, *choices: Any) -> Any:
    return choices[draw(source, (0, len(choices) - 1))]


def faults_by_name(nodes: int, others: Sequence[str] = ()) -> Mapping[str, Draw]:
    """Every fault that can strike so many nodes, or the groups besides them."""

    def node(source: random.Random) -> Target:
        return pick(source, *range(1, nodes + 1), "leader", "highest-id", "random")  # type: ignore[no-any-return]

    def target(source: random.Random) -> Target:
        return pick(source, node(source), node(source), *(f"group:{name}" for name in others))  # type: ignore[no-any-return]

    def few(source: random.Random) -> tuple[NodeId, ...]:
        return tuple(each for each in range(1, nodes + 1) if pick(source, True, False)) or (nodes,)

    def reach(source: random.Random) -> LinkTargets:
        return LinkTargets(nodes=few(source), both_ways=True)

    def short(source: random.Random) -> Distribution:
        return Constant(draw(source, (MS, 60 * MS)))

    def degrade(source: random.Random) -> Fault:
        loss, duplication = pick(source, 0.0, 0.2, 0.9), pick(source, 0.0, 0.5)
        return Degrade(links=reach(source), latency=short(source), loss=loss, duplication=duplication)

    found: dict[str, Draw] = {
        "crash": lambda source: Crash(target(source)),
        "kill": lambda source: Kill(target(source)),
        "bounce": lambda source: Bounce(target(source)),
        "pause": lambda source: Pause(target(source)),
        "partition": lambda source: Partition((few(source),)),
        "partition_oneway": lambda source: PartitionOneway(few(source)),
        "isolate": lambda source: Isolate(node(source)),
        "flap": lambda source: Flap(links=reach(source), down=150 * MS, up=250 * MS),
        "degrade": degrade,
        "hold": lambda source: HoldBack(links=reach(source)),
        "slow_node": lambda source: SlowNode(node(source), short(source)),
        "slow_disk": lambda source: SlowDisk(node(source), short(source)),
        "stall_disk": lambda source: StallDisk(node(source)),
        "skew_clock": lambda source: SkewClock(node(source), jump_ns=pick(source, -JUMP, JUMP)),
    }
    if nodes >= 2:
        found["cut_link"] = lambda source: CutLink((1, draw(source, (2, nodes))))
    if nodes >= 3:
        found |= {"bridge": lambda source: Bridge(node(source)), "majorities_ring": lambda _: MajoritiesRing()}
    return found


def time_to_agree(registration: Registration, config: Any, nodes: int) -> Nanoseconds:
    """How long the algorithm needs in peace."""
    if registration.stabilization_bound is None:
        return ELECTS_WITHIN.get(registration.name, LONG_ENOUGH)
    return registration.stabilization_bound(config, nodes)


def can_agree(spec: ClusterSpec) -> bool:
    """Whether all has ended but deaths, and enough nodes are left: a quorum of all, where one is needed."""
    for_good = [scheduled.fault for scheduled in spec.faults if scheduled.lasts is None]
    left = spec.nodes - len(for_good)
    return all(type(fault) is Crash for fault in for_good) and (not spec.registration.quorum or 2 * left > spec.nodes)


def disagreement(trace: Trace) -> list[str]:
    """Why not all agree on a leader in the end; empty where they do."""
    return [broken.text for broken in agreement(trace, stabilization_ns=0) if broken.time_ns == trace.end_ns]


def schedules(registration: Registration, *, inside: bool, ends: bool = True) -> st.SearchStrategy[ClusterSpec]:
    """A cluster of one to six nodes and what befalls it.

    Inside, nothing that befalls it breaks what the algorithm assumes, and messages take up to the longest that it
    allows; outside, anything befalls it. Up to two nodes that die stay dead, and never all of them; where not all
    `ends`, some other faults stay, too.
    """
    assumes = registration.algorithm.assumes if inside else frozenset()
    return st.builds(
        lambda most_faults, seed: schedule(registration, assumes, ends, most_faults, seed),
        st.integers(0, 6).map(lambda fewer: 6 - fewer),  # Most, mostly: what is drawn first is 0.
        st.integers(0, 2**32 - 1),
    )


def schedule(
    registration: Registration, assumes: frozenset[Assumption], ends: bool, most_faults: int, seed: int
) -> ClusterSpec:
    """The cluster and the faults of one seed, which break none of what is assumed here."""
    source = random.Random(f"{registration.name} {seed}")
    nodes = pick(source, 3, 5, 4, 3, 5, 2, 6, 1)
    config = _config(source, registration)
    needs = time_to_agree(registration, config, nodes)
    dies = Assumption.NO_CRASH not in assumes
    faults = _passing(source, registration, config, nodes, needs, assumes)
    if not ends:
        faults = [replace(fault, lasts=pick(source, None, fault.lasts)) for fault in faults]
    faults = [*(_deaths(source, nodes, needs) if dies else []), *faults][:most_faults]
    latency, longest = _latency(source, registration, config, assumes)
    return ClusterSpec(
        registration=registration,
        config=config,
        nodes=nodes,
        duration=max(map(_end_of, faults), default=0) + needs + JUMP,
        start=pick(source, Constant(0), Uniform(0, 100 * MS)) if dies else Constant(0),
        disk=DiskSpec(write=None if Assumption.BOUNDED_DELAY in assumes else pick(source, None, Uniform(0, 5 * MS))),
        network=NetworkSpec(
            latency=latency, transport=Transport.STREAM if registration.requires_connections else Transport.DATAGRAM
        ),
        faults=tuple(faults),
        longest_delay_ns=longest,
        event_limit=5_000_000,
    )


# Options for where the defaults need minutes: sessions of 0.6 s on ticks of 0.2 s, and at most a second between
# the servers' questions.
_QUICK: Mapping[str, Mapping[str, object]] = {
    "zookeeper": {
        "tick_time": 200 * MS,
        "session_timeout": 600 * MS,
        "reconnect_delay": (0, 100 * MS),
        "notification_interval": (200 * MS, SECOND),
    },
    # Leases of a second; connections are given up after a second of silence, and opened again within half a second.
    "etcd-election": {
        "session_ttl": SECOND,
        "heartbeat_interval": 50 * MS,
        "election_timeout": 500 * MS,
        "keepalive_time": 500 * MS,
        "keepalive_timeout": 500 * MS,
        "connect_timeout": SECOND,
        "reconnect_delay": (100 * MS, 500 * MS),
        "restart_delay": (0, 100 * MS),
    },
}


def _config(source: random.Random, registration: Registration) -> Any:
    """The defaults, or quicker ones, with any detector where there is the option."""
    config = registration.config(**_QUICK.get(registration.name, {}))
    if "detector" not in {option.name for option in fields(config)}:
        return config
    return replace(config, detector=pick(source, *(options() for options, _ in DETECTORS.values())))


def _instant(source: random.Random, needs: Nanoseconds) -> Nanoseconds:
    """Within an election, or a few, or as long as it takes to agree."""
    return draw(source, (0, pick(source, needs // 20, needs // 5, needs)))


def _passing(
    source: random.Random,
    registration: Registration,
    config: Any,
    nodes: int,
    needs: Nanoseconds,
    assumes: frozenset[Assumption],
) -> list[Scheduled]:
    """One to four faults that break none of these, and end."""
    suppressed = Assumption.MONITOR_RUNS in assumes
    others = [
        group.name
        for group in registration.groups
        if group.size(config) and not (suppressed and group.single_point_of_failure)
    ]
    by_name = faults_by_name(nodes, others)
    names = [name for name in by_name if not assumes.intersection(BREAKS[name])]
    return [
        Scheduled(
            fault=by_name[pick(source, *names)](source),
            at=Constant(_instant(source, needs)),
            lasts=Constant(_instant(source, needs)),
            without_target=WithoutTarget.SKIP,
        )
        for _ in range(draw(source, (1, 4)) if names else 0)
    ]


def _deaths(source: random.Random, nodes: int, needs: Nanoseconds) -> list[Scheduled]:
    """Of none, one, or two nodes, but not of all, for good: of two, the second dies in the election after the first."""
    first = _instant(source, needs)
    instants = [first, first + draw(source, (0, needs // 4))]
    return [
        Scheduled(
            fault=Crash(pick(source, "leader", "highest-id", "random")),
            at=Constant(instant),
            without_target=WithoutTarget.SKIP,
        )
        for instant in instants[: min(nodes - 1, pick(source, 0, 1, 2, 2))]
    ]


def _end_of(scheduled: Scheduled) -> Nanoseconds:
    assert isinstance(scheduled.at, Constant)
    lasts = scheduled.lasts.value if isinstance(scheduled.lasts, Constant) else 0
    return scheduled.at.value + lasts


def _latency(
    source: random.Random, registration: Registration, config: Any, assumes: frozenset[Assumption]
) -> tuple[Distribution, Nanoseconds]:
    """The latency, and the longest that there is: a usual one, or the longest allowed."""
    bound = LONGEST_DELAY if registration.delay_bound is None else registration.delay_bound(config)
    longest = pick(source, min(USUAL_DELAY, bound), bound)
    if Assumption.FIFO in assumes and not registration.requires_connections:
        return Constant(longest), longest
    extremes = Mixture(((0.5, Constant(0)), (0.5, Constant(longest))))
    return pick(source, Constant(longest), Uniform(0, longest), extremes), longest
