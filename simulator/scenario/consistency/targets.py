"""Targets of faults against the cluster: nodes, groups and zones must exist, and zones must hold nodes."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.cluster.faults.targets import LEADER_OF
from simulator.scenario.schema import Scenario
from simulator.scenario.text.errors import FieldErrors, alternatives, below
from simulator.scenario.text.targets import group_named, is_node, node_error, zone_named


def placement_errors(scenario: Scenario) -> FieldErrors:
    """A placement that does not fit the number of nodes."""
    yield from below(("network", "topology"), scenario.network.topology.errors(scenario.size))


def target_error(scenario: Scenario, target: str) -> str | None:
    """Why a fault of this scenario cannot have that target. None if it can."""
    zones = scenario.network.zones()
    zone = zone_named(target)
    if zone is not None or target == "zone-of-leader":
        if not zones:
            return f"there are no zones to name; give network.topology, or name nodes instead of {target}"
        return None if zone is None else _zone_error(scenario, zone, zones)
    group = group_named(target)
    if group in scenario.outside_groups and not target.startswith(LEADER_OF):
        return None
    if group is not None and not scenario.groups.get(group):
        known = [*(name for name, members in scenario.groups.items() if members), *scenario.outside_groups]
        return f"{group} is not a group of nodes; {alternatives(group, known)}"
    if not is_node(target):
        return None  # A description: it is resolved when the fault is injected.
    if target in scenario.cluster.absent:
        return f"{target} is absent and never starts; name another node"
    return node_error(target, scenario.size)


def _zone_error(scenario: Scenario, zone: str, zones: Sequence[str]) -> str | None:
    if zone not in zones:
        return f"{zone} is not a zone; {alternatives(zone, zones)}"
    topology, nodes = scenario.network.topology, scenario.size
    if any(topology.errors(nodes)) or zone in topology.occupied(nodes):
        return None
    return f"no node is in {zone}; place one there (network.topology.placement), or name another zone"
