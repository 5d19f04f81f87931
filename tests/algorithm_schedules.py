"""Clusters under random faults, for whatever algorithm is registered: inside what it assumes, or anywhere.

A schedule is a `ClusterSpec`. Faults strike while elections are under way; when they have ended, the cluster is left in
peace for as long as the algorithm says that it needs (`settles`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from hypothesis import strategies as st

from simulator.algorithms.detectors import DETECTORS
from simulator.algorithms.registration import Registration
from simulator.cluster.cuts import Bridge, CutLink, Isolate, MajoritiesRing, Partition, PartitionOneway
from simulator.cluster.distributions import Constant, Distribution, Mixture, Uniform
from simulator.cluster.faults import Bounce, Crash, Fault, Kill, Pause
from simulator.cluster.network import NetworkSpec, Transport
from simulator.cluster.schedule import Scheduled, WithoutTarget
from simulator.cluster.spec import ClusterSpec, DiskSpec
from simulator.cluster.strains import SkewClock, SlowDisk, SlowNode, StallDisk
from simulator.cluster.weather import Degrade, Flap, HoldBack, Reach
from simulator.experiment.assumptions import FAULTS_BREAK
from simulator.protocol import MILLISECOND, SECOND, Assumption, Nanoseconds

MS = MILLISECOND
JUMP = SECOND  # How far a clock is set wrong: who reads ages off it may be late by so much.
ELECTS_WITHIN = 10 * SECOND  # Where an algorithm states no bound: many timeouts of the defaults.
USUAL_DELAY = 5 * MS
LONGEST_DELAY = 30 * MS  # Where an algorithm states no bound.

# What each fault breaks, with what `broken_assumptions` reads off rows of their own.
BREAKS: Mapping[str, tuple[Assumption, ...]] = {
    **FAULTS_BREAK,
    **dict.fromkeys(("crash", "kill", "bounce"), (Assumption.NO_CRASH,)),
    "pause": (Assumption.NO_PAUSE,),
}
# Left out: what ends another fault, what asks for a change, and amnesia, without whose disk no algorithm here can do.
NOT_DRAWN = frozenset(
    ("restart", "resume", "heal", "release", "transfer_leadership", "add_server", "remove_server", "amnesia")
)


def faults_by_name(nodes: int, others: Sequence[str] = ()) -> Mapping[str, st.SearchStrategy[Fault]]:
    """Every fault that can strike so many nodes, or the groups besides them."""
    node = st.sampled_from([*range(1, nodes + 1), "leader", "random"])
    target = st.sampled_from([*range(1, nodes + 1), "leader", "random", *(f"group:{name}" for name in others)])
    few = st.lists(st.integers(1, nodes), min_size=1, max_size=nodes, unique=True).map(tuple)
    reach = st.builds(Reach, nodes=few, both_ways=st.just(True))
    short = st.builds(Constant, st.integers(1, 60).map(lambda duration: duration * MS))
    found: dict[str, st.SearchStrategy[Fault]] = {
        "crash": st.builds(Crash, target),
        "kill": st.builds(Kill, target),
        "bounce": st.builds(Bounce, target),
        "pause": st.builds(Pause, target),
        "partition": st.builds(Partition, few.map(lambda group: (group,))),
        "partition_oneway": st.builds(PartitionOneway, few),
        "isolate": st.builds(Isolate, node),
        "flap": st.builds(Flap, reach=reach, down=st.just(150 * MS), up=st.just(250 * MS)),
        "degrade": st.builds(
            Degrade, reach=reach, latency=short, loss=st.floats(0, 0.9), duplication=st.floats(0, 0.5)
        ),
        "hold": st.builds(HoldBack, reach=reach),
        "slow_node": st.builds(SlowNode, node, short),
        "slow_disk": st.builds(SlowDisk, node, short),
        "stall_disk": st.builds(StallDisk, node),
        "skew_clock": st.builds(SkewClock, node, jump_ns=st.sampled_from([-JUMP, JUMP])),
    }
    if nodes >= 2:
        found["cut_link"] = st.builds(CutLink, st.just(1), st.integers(2, nodes))
    if nodes >= 3:
        found |= {"bridge": st.builds(Bridge, node), "majorities_ring": st.builds(MajoritiesRing)}
    return found


def time_to_agree(registration: Registration, config: Any, nodes: int) -> Nanoseconds:
    """How long the algorithm needs in peace."""
    return ELECTS_WITHIN if registration.settles is None else registration.settles(config, nodes)


def can_agree(spec: ClusterSpec) -> bool:
    """Whether all has ended but deaths, and enough nodes are left: a quorum of all, where one is needed."""
    for_good = [scheduled.fault for scheduled in spec.faults if scheduled.lasts is None]
    left = spec.nodes - len(for_good)
    return all(type(fault) is Crash for fault in for_good) and (not spec.registration.quorum or 2 * left > spec.nodes)


@st.composite
def schedules(draw: st.DrawFn, registration: Registration, *, inside: bool, ends: bool = True) -> ClusterSpec:
    """A cluster of one to six nodes and what befalls it.

    Inside, nothing that befalls it breaks what the algorithm assumes, and messages take up to the longest that it
    allows; outside, anything befalls it. Up to two nodes that die stay dead, and never all of them; where not all
    `ends`, some other faults stay, too.
    """
    assumes = registration.algorithm.assumes if inside else frozenset()
    nodes = draw(st.sampled_from([3, 5, 4, 3, 5, 2, 6, 1]))
    config = draw(_configs(registration))
    needs = time_to_agree(registration, config, nodes)
    dies = Assumption.NO_CRASH not in assumes
    faults = [
        *draw(st.lists(_passing(registration, config, nodes, needs, assumes), max_size=5)),
        *(draw(st.lists(_deaths(nodes, needs), max_size=min(2, nodes - 1))) if dies else ()),
    ]
    if not ends:
        faults = [replace(fault, lasts=draw(st.sampled_from([None, fault.lasts]))) for fault in faults]
    latency, longest = draw(_latencies(registration, config, assumes))
    return ClusterSpec(
        registration=registration,
        config=config,
        nodes=nodes,
        duration=max(map(_end_of, faults), default=0) + needs + JUMP,
        start=draw(_STARTS) if dies else Constant(0),
        disk=DiskSpec(write=None if Assumption.BOUNDED_DELAY in assumes else draw(_WRITES)),
        network=NetworkSpec(latency=latency, transport=_transport(registration)),
        faults=tuple(faults),
        longest_delay_ns=longest,
        event_limit=5_000_000,
    )


_STARTS: st.SearchStrategy[Distribution] = st.sampled_from([Constant(0), Uniform(0, 100 * MS)])
_WRITES: st.SearchStrategy[Distribution | None] = st.sampled_from([None, Uniform(0, MS), Constant(5 * MS)])


def _transport(registration: Registration) -> Transport:
    return Transport.STREAM if registration.streams else Transport.DATAGRAM


def _configs(registration: Registration) -> st.SearchStrategy[Any]:
    """The defaults, with any detector where there is the option."""
    config = registration.config()
    if "detector" not in {option.name for option in fields(config)}:
        return st.just(config)
    return st.sampled_from([replace(config, detector=options()) for options, _ in DETECTORS.values()])


def _instants(needs: Nanoseconds) -> st.SearchStrategy[Nanoseconds]:
    """Within an election, or a few, or as long as it takes to agree."""
    return st.builds(
        lambda share, whole: share * whole // 1000,
        st.integers(0, 1000),
        st.sampled_from([needs // 20, needs // 5, needs]),
    )


@st.composite
def _passing(
    draw: st.DrawFn,
    registration: Registration,
    config: Any,
    nodes: int,
    needs: Nanoseconds,
    assumes: frozenset[Assumption],
) -> Scheduled:
    """A fault that breaks none of these, and ends."""
    others = [group.name for group in registration.groups if group.size(config)]
    if assumes & {Assumption.MONITOR_RUNS}:
        others = [group.name for group in registration.groups if group.size(config) and not group.essential]
    strategies = faults_by_name(nodes, others)
    names = [name for name in strategies if not assumes.intersection(BREAKS[name])]
    if not names:
        return Scheduled(fault=Bounce(1), at=Constant(0), lasts=Constant(0))
    return Scheduled(
        fault=draw(st.sampled_from(names).flatmap(strategies.__getitem__)),
        at=Constant(draw(_instants(needs))),
        lasts=Constant(draw(_instants(needs))),
        without_target=WithoutTarget.SKIP,
    )


def _deaths(nodes: int, needs: Nanoseconds) -> st.SearchStrategy[Scheduled]:
    target = st.sampled_from([*range(1, nodes + 1), "leader"])
    at = _instants(needs).map(Constant)
    return st.builds(Scheduled, fault=target.map(Crash), at=at, without_target=st.just(WithoutTarget.SKIP))


def _end_of(scheduled: Scheduled) -> Nanoseconds:
    assert isinstance(scheduled.at, Constant)
    lasts = scheduled.lasts.value if isinstance(scheduled.lasts, Constant) else 0
    return scheduled.at.value + lasts


@st.composite
def _latencies(
    draw: st.DrawFn, registration: Registration, config: Any, assumes: frozenset[Assumption]
) -> tuple[Distribution, Nanoseconds]:
    """The latency, and the longest that there is: a usual one, or the longest allowed."""
    bound = LONGEST_DELAY if registration.delay_bound is None else registration.delay_bound(config)
    longest = draw(st.sampled_from([min(USUAL_DELAY, bound), bound]))
    if Assumption.FIFO in assumes and not registration.streams:
        return Constant(longest), longest
    extremes = Mixture(((0.5, Constant(0)), (0.5, Constant(longest))))
    kinds: tuple[Distribution, ...] = (Constant(longest), Uniform(0, longest), extremes)
    return draw(st.sampled_from(kinds)), longest
