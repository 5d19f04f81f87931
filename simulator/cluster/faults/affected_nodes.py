"""Whom a fault will trouble, found before it strikes: its descriptions replaced by the nodes that they mean now.

A fault of links troubles the nodes at its smaller end: without them, nothing of it would be left. So what a minority
is troubled by leaves a majority whose members are well, and reach each other.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any, NamedTuple

from simulator.cluster.control import ClusterControl
from simulator.cluster.faults.link_degradation import Degrade, Flap, HoldBack, Reach
from simulator.cluster.faults.node_faults import Fault
from simulator.cluster.faults.partitions import Bridge, CutLink, MajoritiesRing, Partition, PartitionOneway
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.targets import Target, present, resolve, sides
from simulator.protocol import NodeId

_Nodes = tuple[NodeId, ...]


class ResolvedFault(NamedTuple):
    """A fault that names its nodes, and those of them that it will trouble."""

    fault: Fault
    affected_nodes: _Nodes


def resolve_targets(fault: Fault, control: ClusterControl, fault_rng: RandomStreams) -> ResolvedFault:
    """Aim a fault at whom it means. Nobody is troubled where all that it names are past it. Raises NoTargetError."""
    match fault:
        case Partition():
            groups = tuple(sides(fault.groups, control, fault_rng))
            return ResolvedFault(replace(fault, groups=groups), _outside_the_largest(groups, control))
        case PartitionOneway():
            senders, receivers, affected_nodes = _ends(fault.senders, fault.receivers, control, fault_rng)
            return ResolvedFault(replace(fault, senders=senders, receivers=receivers), affected_nodes)
        case CutLink():
            one, other = sides((fault.one, fault.other), control, fault_rng)
            return ResolvedFault(replace(fault, one=one, other=other), _smaller(one, other))
        case Bridge():
            resolved = fault.resolved(control, fault_rng)
            assert resolved.halves is not None
            return ResolvedFault(resolved, _smaller(*resolved.halves))
        case MajoritiesRing():  # Each node has lost some other.
            return ResolvedFault(fault, tuple(control.nodes_in_state("present")))
        case Degrade() | Flap() | HoldBack():
            reach, affected_nodes = _reach(fault.reach, control, fault_rng)
            return ResolvedFault(replace(fault, reach=reach), affected_nodes)
    return _at_nodes(fault, control, fault_rng)


def _at_nodes(fault: Any, control: ClusterControl, fault_rng: RandomStreams) -> ResolvedFault:
    """A fault that strikes nodes one by one."""
    if not hasattr(fault, "target"):
        raise TypeError(f"{fault.name} is a fault that ends others, and has no place in a nemesis")
    nodes = resolve(fault.target, control, getattr(fault, "state", "present"), fault_rng)
    return ResolvedFault(replace(fault, target=nodes), nodes)


def _reach(reach: Reach, control: ClusterControl, fault_rng: RandomStreams) -> tuple[Reach, _Nodes]:
    if reach.nodes:
        nodes = present(reach.nodes, control, fault_rng)
        return replace(reach, nodes=nodes), nodes
    senders, receivers, affected_nodes = _ends(reach.senders, reach.receivers, control, fault_rng)
    return replace(reach, senders=senders, receivers=receivers), affected_nodes


def _ends(
    senders: tuple[Target, ...], receivers: tuple[Target, ...], control: ClusterControl, fault_rng: RandomStreams
) -> tuple[_Nodes, _Nodes, _Nodes]:
    """Senders, receivers as far as they are given, and the smaller end; those that are not given are all others."""
    one, other = sides((senders, receivers), control, fault_rng)
    if receivers:
        return one, other, _smaller(one, other)
    sending = frozenset(one)
    return one, (), _smaller(one, tuple(node for node in control.nodes_in_state("present") if node not in sending))


def _smaller(one: _Nodes, other: _Nodes) -> _Nodes:
    return min(one, other, key=len)


def _outside_the_largest(groups: tuple[_Nodes, ...], control: ClusterControl) -> _Nodes:
    """Who can no longer reach the largest group; of equals, the one with the lowest node. Nodes in no group form one
    more; one that two groups name is in the last of them.
    """
    group_of = {node: number for number, group in enumerate(groups) for node in group}
    sizes = Counter(group_of.get(node) for node in control.nodes_in_state("present"))
    largest = max(sizes, key=lambda group: sizes[group])
    return tuple(node for node in control.nodes_in_state("present") if group_of.get(node) != largest)
