"""Which zone each node is in: zones assigned in rotation, or the nodes of each zone by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from simulator.scenario.text.errors import FieldErrors, Path, reject, shown
from simulator.scenario.text.targets import NODE_PATTERN, ZONE_NAME_PATTERN, node_id


@dataclass(frozen=True, slots=True)
class RoundRobinPlacement:
    """The zones of n1, n2, and so on. If there are more nodes than zones, the zones repeat."""

    zones: tuple[str, ...]

    def named(self) -> Iterator[tuple[Path, str]]:
        """The path of each zone's name, and that name."""
        for position, zone in enumerate(self.zones):
            yield (position,), zone

    def errors(self, nodes: int) -> FieldErrors:
        """Why the placement does not fit a cluster of this size."""
        if len(self.zones) > nodes:
            yield (), f"places {len(self.zones)} nodes, but the cluster has {nodes}; leave out the last zones"

    def zone_of_each(self, nodes: int) -> list[str]:
        """The zones of n1, n2, and so on."""
        return list(islice(cycle(self.zones), nodes))

    def written(self) -> list[str]:
        """The placement as a scenario writes it."""
        return list(self.zones)


@dataclass(frozen=True, slots=True)
class PlacementByZone:
    """The nodes of each zone."""

    nodes_in: tuple[tuple[str, tuple[str, ...]], ...]

    def named(self) -> Iterator[tuple[Path, str]]:
        """The path of each zone's name, and that name."""
        for zone, _ in self.nodes_in:
            yield (zone,), zone

    def errors(self, nodes: int) -> FieldErrors:
        """Why the placement does not fit a cluster of this size."""
        seen: set[int] = set()
        for zone, names in self.nodes_in:
            for position, name in enumerate(names):
                if node_id(name) > nodes:
                    yield (zone, position), f"{name} is not a node; the last node is n{nodes}"
                elif node_id(name) in seen:
                    yield (zone, position), f"{name} is placed twice"
                seen.add(node_id(name))
        missing = [f"n{node}" for node in range(1, nodes + 1) if node not in seen]
        if missing:
            more = f" and {len(missing) - 1} more are" if len(missing) > 1 else " is"
            yield (), f"{missing[0]}{more} in no zone; place every node"

    def zone_of_each(self, nodes: int) -> list[str]:
        """The zones of n1, n2, and so on."""
        zone_of = {node_id(name): zone for zone, names in self.nodes_in for name in names}
        return [zone_of[node] for node in range(1, nodes + 1)]

    def written(self) -> dict[str, list[str]]:
        """The placement as a scenario writes it."""
        return {zone: list(names) for zone, names in self.nodes_in}


def _read(value: Any) -> RoundRobinPlacement | PlacementByZone:
    if isinstance(value, RoundRobinPlacement | PlacementByZone):
        return value
    if isinstance(value, Mapping) and value:
        return _by_zone(value)
    if not isinstance(value, list | tuple) or not value:
        example = "[frankfurt, tokyo], or {frankfurt: [n1, n2], tokyo: [n3]}"
        raise ValueError(f"{shown(value)} is no placement; write {example}")
    reject([((place,), f"{shown(zone)} is not a zone's name") for place, zone in enumerate(value) if not _text(zone)])
    return RoundRobinPlacement(tuple(value))


def _by_zone(value: Mapping[str, Any]) -> PlacementByZone:
    errors: list[tuple[Path, str]] = []
    for zone, names in value.items():
        if not isinstance(names, list | tuple):
            errors.append(((zone,), f"{shown(names)} is not a list of nodes; write [n1, n2]"))
            continue
        for position, name in enumerate(names):
            if not _text(name) or not re.fullmatch(NODE_PATTERN, name):
                errors.append(((zone, position), f"{shown(name)} is not a node; nodes are called n1, n2, and so on"))
    reject(errors)
    return PlacementByZone(tuple((zone, tuple(names)) for zone, names in value.items()))


def _text(value: object) -> bool:
    return isinstance(value, str)


_ZONE_SCHEMA = {"type": "string", "pattern": ZONE_NAME_PATTERN}
_NODES_SCHEMA = {"type": "array", "items": {"type": "string", "pattern": NODE_PATTERN}}
Placement = Annotated[
    RoundRobinPlacement | PlacementByZone,
    PlainValidator(_read),
    PlainSerializer(lambda placement: placement.written()),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": _ZONE_SCHEMA, "minItems": 1},
                {"type": "object", "minProperties": 1, "additionalProperties": _NODES_SCHEMA},
            ],
            "examples": [["frankfurt", "tokyo"], {"frankfurt": ["n1", "n2"], "tokyo": ["n3"]}],
        }
    ),
]
