"""Whom a fault will trouble, found before it strikes: its descriptions replaced by the nodes that they mean now.

A fault of links troubles the nodes at its smaller end: without them, nothing of it would be left. So what a minority
is troubled by leaves a majority whose members are well, and reach each other.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any, NamedTuple

from simulator.cluster.faults.link_degradation import Degrade, Flap, HoldBack, Reach
from simulator.cluster.faults.node_faults import Fault
from simulator.cluster.faults.partitions import Bridge, CutLink, MajoritiesRing, Partition, PartitionOneway
from simulator.cluster.faults.rng import Luck
from simulator.cluster.faults.targets import Patient, Target, present, resolve, sides
from simulator.protocol import NodeId

_Nodes = tuple[NodeId, ...]


class Aimed(NamedTuple):
    """A fault that names its nodes, and those of them that it will trouble."""

    fault: Fault
    victims: _Nodes


def aim(fault: Fault, patient: Patient, luck: Luck) -> Aimed:
    """Aim a fault at whom it means. Nobody is troubled where all that it names are past it. Raises NoTargetError."""
    match fault:
        case Partition():
            groups = tuple(sides(fault.groups, patient, luck))
            return Aimed(replace(fault, groups=groups), _outside_the_largest(groups, patient))
        case PartitionOneway():
            senders, receivers, victims = _ends(fault.senders, fault.receivers, patient, luck)
            return Aimed(replace(fault, senders=senders, receivers=receivers), victims)
        case CutLink():
            one, other = sides((fault.one, fault.other), patient, luck)
            return Aimed(replace(fault, one=one, other=other), _smaller(one, other))
        case Bridge():
            aimed = fault.aimed(patient, luck)
            assert aimed.halves is not None
            return Aimed(aimed, _smaller(*aimed.halves))
        case MajoritiesRing():  # Each node has lost some other.
            return Aimed(fault, tuple(patient.where("present")))
        case Degrade() | Flap() | HoldBack():
            reach, victims = _reach(fault.reach, patient, luck)
            return Aimed(replace(fault, reach=reach), victims)
    return _at_nodes(fault, patient, luck)


def _at_nodes(fault: Any, patient: Patient, luck: Luck) -> Aimed:
    """A fault that strikes nodes one by one."""
    if not hasattr(fault, "target"):
        raise TypeError(f"{fault.name} is a fault that ends others, and has no place in a nemesis")
    nodes = resolve(fault.target, patient, getattr(fault, "state", "present"), luck)
    return Aimed(replace(fault, target=nodes), nodes)


def _reach(reach: Reach, patient: Patient, luck: Luck) -> tuple[Reach, _Nodes]:
    if reach.nodes:
        nodes = present(reach.nodes, patient, luck)
        return replace(reach, nodes=nodes), nodes
    senders, receivers, victims = _ends(reach.senders, reach.receivers, patient, luck)
    return replace(reach, senders=senders, receivers=receivers), victims


def _ends(
    senders: tuple[Target, ...], receivers: tuple[Target, ...], patient: Patient, luck: Luck
) -> tuple[_Nodes, _Nodes, _Nodes]:
    """Senders, receivers as far as they are given, and the smaller end; those that are not given are all others."""
    one, other = sides((senders, receivers), patient, luck)
    if receivers:
        return one, other, _smaller(one, other)
    sending = frozenset(one)
    return one, (), _smaller(one, tuple(node for node in patient.where("present") if node not in sending))


def _smaller(one: _Nodes, other: _Nodes) -> _Nodes:
    return min(one, other, key=len)


def _outside_the_largest(groups: tuple[_Nodes, ...], patient: Patient) -> _Nodes:
    """Who can no longer reach the largest group; of equals, the one with the lowest node. Nodes in no group form one
    more; one that two groups name is in the last of them.
    """
    group_of = {node: number for number, group in enumerate(groups) for node in group}
    sizes = Counter(group_of.get(node) for node in patient.where("present"))
    largest = max(sizes, key=lambda group: sizes[group])
    return tuple(node for node in patient.where("present") if group_of.get(node) != largest)
