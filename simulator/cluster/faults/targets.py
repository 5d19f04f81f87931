"""The targets of faults: nodes by name, zones, groups, or descriptions that are resolved when a fault is injected."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from simulator.cluster.control import ClusterControl
from simulator.cluster.faults.rng import RandomStreams
from simulator.protocol import NodeId

# n3 is 3; `zone:NAME`; `group:NAME`; `leader-of:NAME`; one of DESCRIPTIONS; or several of these.
Target: TypeAlias = "NodeId | str | tuple[Target, ...]"

ZONE = "zone:"
GROUP = "group:"  # All nodes of a group, such as an ensemble.
LEADER_OF = "leader-of:"  # The leader of a group.


class NoTargetError(LookupError):
    """What a target describes does not exist at present. The text is a clause, such as `there is no leader`."""


def resolve(target: Target, control: ClusterControl, state: str, fault_rng: RandomStreams) -> tuple[NodeId, ...]:
    """The nodes that a target means at present, each once, among those in a state (`ClusterControl.nodes_in_state`).

    A named node in another state is left out. Raises NoTargetError if a description fits no node.
    """
    return _resolve_all([target], _Eligible.in_state(state, control), control, fault_rng)[0]


def present(targets: Sequence[Target], control: ClusterControl, fault_rng: RandomStreams) -> tuple[NodeId, ...]:
    """The nodes that the targets mean, in any state, each once, in the order of the targets."""
    return resolve(tuple(targets), control, "present", fault_rng)


def sides(targets: Sequence[Target], control: ClusterControl, fault_rng: RandomStreams) -> list[tuple[NodeId, ...]]:
    """The nodes that each target means, in any state. A node that is drawn for one target belongs to no other."""
    return _resolve_all(targets, _Eligible.in_state("present", control), control, fault_rng)


class _Eligible(NamedTuple):
    """The nodes that a fault may be injected into. Those outside the cluster are meant by their group only."""

    inside: Sequence[NodeId]
    outside: Sequence[NodeId]

    @classmethod
    def in_state(cls, state: str, control: ClusterControl) -> _Eligible:
        return cls(list(control.nodes_in_state(state)), control.outside_in_state(state))


def _resolve_all(
    targets: Sequence[Target], eligible: _Eligible, control: ClusterControl, fault_rng: RandomStreams
) -> list[tuple[NodeId, ...]]:
    """The eligible nodes that each target means. Random nodes are drawn last, from the nodes that no other part of a
    target means.
    """
    # The key is the position of the target and the position of the part within the target.
    nodes_of: dict[tuple[int, int], tuple[NodeId, ...]] = {}
    parts = [((side, place), part) for side, target in enumerate(targets) for place, part in enumerate(_parts(target))]
    for position, part in sorted(parts, key=lambda part: part[1] in DRAWN):
        taken = {node for nodes in nodes_of.values() for node in nodes} if part in DRAWN else ()
        left = eligible._replace(inside=[node for node in eligible.inside if node not in taken])
        nodes_of[position] = _resolve_one(part, left, control, fault_rng)
    return [
        tuple(
            dict.fromkeys(node for position in sorted(nodes_of) if position[0] == side for node in nodes_of[position])
        )
        for side in range(len(targets))
    ]


def _parts(target: Target) -> Iterator[NodeId | str]:
    if isinstance(target, tuple):
        for part in target:
            yield from _parts(part)
    else:
        yield target


def _resolve_one(
    target: NodeId | str, nodes: _Eligible, control: ClusterControl, fault_rng: RandomStreams
) -> tuple[NodeId, ...]:
    eligible = nodes.inside
    if isinstance(target, int):
        return (target,) if target in eligible or target in nodes.outside else ()
    if target.startswith(ZONE):
        return _within(eligible, control.zone(target.removeprefix(ZONE)))
    if target.startswith(GROUP):
        return _within([*eligible, *nodes.outside], control.members(target.removeprefix(GROUP)))
    if target.startswith(LEADER_OF):
        return (_leader_of(control, eligible, target.removeprefix(LEADER_OF)),)
    if target != "all":
        eligible = _within(eligible, control.members())
    return DESCRIPTIONS[target](control, eligible, fault_rng)


def draw(nodes: Sequence[NodeId], count: int, source: random.Random) -> tuple[NodeId, ...]:
    """Draws this many of the nodes, in random order. Raises NoTargetError if there are too few."""
    left = list(nodes)
    if len(left) < count:
        raise NoTargetError(f"there are {len(left)} nodes to draw {count} from")
    return tuple(left.pop(source.getrandbits(64) * len(left) >> 64) for _ in range(count))


def _leader(control: ClusterControl, eligible: Sequence[NodeId]) -> NodeId:
    return _leader_of(control, eligible, None)


def _leader_of(control: ClusterControl, eligible: Sequence[NodeId], group: str | None) -> NodeId:
    leader = control.leader(group)
    if leader is None or leader not in eligible:
        whose = "" if group is None else f" of {group}"
        raise NoTargetError(
            f"there is no leader{whose}"
            if leader is None
            else f"the leader{whose}, n{leader}, is in a state that the fault does not apply to"
        )
    return leader


def _others(control: ClusterControl, eligible: Sequence[NodeId]) -> list[NodeId]:
    leader = _leader(control, control.nodes_in_state("running"))
    return [node for node in eligible if node != leader]


def _other_voters(control: ClusterControl, eligible: Sequence[NodeId]) -> Sequence[NodeId]:
    return _within(_others(control, eligible), control.voters())


def _within(eligible: Sequence[NodeId], nodes: Sequence[NodeId]) -> tuple[NodeId, ...]:
    return tuple(node for node in eligible if node in nodes)


def _successor(control: ClusterControl, eligible: Sequence[NodeId], _: RandomStreams) -> tuple[NodeId, ...]:
    """The eligible node with the next id after the leader's; after the highest id comes the lowest."""
    leader = _leader(control, control.nodes_in_state("running"))
    in_turn = sorted(_others(control, eligible), key=lambda node: (node < leader, node))
    if not in_turn:
        raise NoTargetError("there is no node but the leader")
    return (in_turn[0],)


def _highest(_: ClusterControl, eligible: Sequence[NodeId], __: RandomStreams) -> tuple[NodeId, ...]:
    if not eligible:
        raise NoTargetError("there is no node that the fault applies to")
    return (max(eligible),)


def _zone_of_leader(control: ClusterControl, eligible: Sequence[NodeId], _: RandomStreams) -> tuple[NodeId, ...]:
    zone = control.zone_of(_leader(control, control.nodes_in_state("running")))
    if zone is None:
        raise NoTargetError("the leader is in no zone")
    return _within(eligible, control.zone(zone))


def _minority(control: ClusterControl) -> int:
    return (len(control.voters()) - 1) // 2


Describe: TypeAlias = Callable[[ClusterControl, Sequence[NodeId], RandomStreams], tuple[NodeId, ...]]

# Majorities and minorities count all voters of the configuration, even those that are down. A follower is a voter.
DESCRIPTIONS: Mapping[str, Describe] = {
    "leader": lambda control, eligible, _: (_leader(control, eligible),),
    "follower": lambda control, eligible, fault_rng: draw(_other_voters(control, eligible), 1, fault_rng.random),
    "random": lambda _, eligible, fault_rng: draw(eligible, 1, fault_rng.random),
    "all": lambda _, eligible, __: tuple(eligible),
    "highest-id": _highest,
    "successor-of-leader": _successor,
    "zone-of-leader": _zone_of_leader,
    "minority": lambda control, eligible, fault_rng: draw(
        _within(eligible, control.voters()), _minority(control), fault_rng.random
    ),
    "minority-without-leader": lambda control, eligible, fault_rng: draw(
        _other_voters(control, eligible), _minority(control), fault_rng.random
    ),
    "majority-without-leader": lambda control, eligible, fault_rng: draw(
        _other_voters(control, eligible), len(control.voters()) // 2 + 1, fault_rng.random
    ),
    "leader-and-minority": lambda control, eligible, fault_rng: (
        _leader(control, eligible),
        *draw(_other_voters(control, eligible), max(0, _minority(control) - 1), fault_rng.random),
    ),
}
DRAWN = frozenset(  # Drawn from the nodes that no other part of the target names.
    {"follower", "random", "minority", "minority-without-leader", "majority-without-leader"}
)
