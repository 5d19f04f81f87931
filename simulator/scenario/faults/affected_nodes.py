"""How many nodes a fault affects in a healthy cluster. A nemesis with a limit must know it of each of its faults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulator.cluster.control import ClusterControl
from simulator.cluster.faults.record import Fault
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.targets import NoTargetError
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import NodeId
from simulator.randomness import Streams


def max_affected_nodes(fault: Fault, spec: ClusterSpec) -> int:
    """The number of nodes that the fault affects while all present nodes run, and the first of them leads."""
    try:
        return len(
            fault.resolve_targets(_HealthyCluster(spec), RandomStreams(Streams(0, 0), "affected")).affected_nodes
        )
    except NoTargetError:  # For example: a node other than the leader, in a cluster of one node.
        return 0


class _HealthyCluster(ClusterControl):
    """A cluster in which nothing is wrong: as much of a `ClusterControl` as the resolution of targets needs."""

    def __init__(self, spec: ClusterSpec) -> None:
        self._spec = spec
        self._topology = spec.network.topology
        self._present = [node for members in spec.groups.values() for node in members if node not in spec.absent]

    def leader(self, group: str | None = None) -> NodeId:
        return next(node for node in self._present if node in self.members(group))

    def members(self, group: str | None = None) -> Sequence[NodeId]:
        own = group or self._spec.registration.group
        return self._spec.groups[own] if own in self._spec.groups else self._spec.outside[own]

    def voters(self) -> Sequence[NodeId]:
        return self.members()

    def nodes_in_state(self, state: str) -> Sequence[NodeId]:
        return () if state in ("down", "paused") else self._present

    def outside_in_state(self, state: str) -> Sequence[NodeId]:
        nodes = [node for members in self._spec.outside.values() for node in members]
        return () if state in ("down", "paused") else nodes

    def zone(self, name: str) -> Sequence[NodeId]:
        return () if self._topology is None else self._topology.nodes_in(name)

    def zone_of(self, node: NodeId) -> str | None:
        return None if self._topology is None else self._topology.zone_of(node)

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the resolution of targets must not call {name}")
