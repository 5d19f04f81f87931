"""How a scenario names the targets of faults: a node (`n3`), a zone (`zone:frankfurt`), a group (`group:ensemble`), a
description (`leader`, `leader-of:ensemble`), or a list of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, Strict, WithJsonSchema

from simulator.cluster.faults.targets import DESCRIPTIONS, GROUP, LEADER_OF, ZONE
from simulator.cluster.faults.targets import Target as ClusterTarget
from simulator.protocol import NodeId
from simulator.scenario.text.errors import Path, alternatives, shown

NODE_PATTERN = r"^n[1-9][0-9]{0,8}$"
ZONE_NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"
_NAMED_PATTERN = rf"^({ZONE}|{GROUP}|{LEADER_OF}){ZONE_NAME_PATTERN[1:]}"


def _node(name: Any) -> str:
    if not isinstance(name, str) or not re.fullmatch(NODE_PATTERN, name):
        raise ValueError(f"{shown(name)} is not a node; nodes are called n1, n2, and so on")
    return name


def _target(name: object) -> object:
    if isinstance(name, str) and (
        name in DESCRIPTIONS or re.fullmatch(NODE_PATTERN, name) or re.fullmatch(_NAMED_PATTERN, name)
    ):
        return name
    if type(name) is int and 0 < name < 10**9:
        raise ValueError(f"{name} is not a target; write n{name}")
    known = (*DESCRIPTIONS, *(f"{kind}NAME" for kind in (ZONE, GROUP, LEADER_OF)), "n1")
    raise ValueError(f"{shown(name)} is not a target; {alternatives(name, known)}")


def _as_tuple(value: object) -> object:
    if value in ([], ()):
        raise ValueError("names nobody; give at least one target")
    return value if isinstance(value, list | tuple) else (value,)


def _group(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{shown(value)} is not a group of nodes; write [[n1, n2], [n3]], for example")
    return _as_tuple(value)


def _one_or_list(targets: tuple[str, ...]) -> str | list[str]:
    return targets[0] if len(targets) == 1 else list(targets)


_NODE_SCHEMA = {"type": "string", "pattern": NODE_PATTERN}
_TARGET_SCHEMA = {"anyOf": [{"enum": list(DESCRIPTIONS)}, _NODE_SCHEMA, {"type": "string", "pattern": _NAMED_PATTERN}]}
TARGETS_SCHEMA = {"anyOf": [*_TARGET_SCHEMA["anyOf"], {"type": "array", "items": _TARGET_SCHEMA, "minItems": 1}]}

NodeName = Annotated[str, AfterValidator(_node), WithJsonSchema(_NODE_SCHEMA)]
Target = Annotated[str, BeforeValidator(_target), WithJsonSchema(_TARGET_SCHEMA)]
Targets = Annotated[  # A single target may be written without a list.
    tuple[Target, ...],
    BeforeValidator(_as_tuple),
    PlainSerializer(_one_or_list),
    WithJsonSchema(TARGETS_SCHEMA),
]

# A single target must be written as a list: in a list of groups, it could be a group or a member of a group.
Group = Annotated[
    tuple[Target, ...],
    BeforeValidator(_group),
    WithJsonSchema({"type": "array", "items": _TARGET_SCHEMA, "minItems": 1}),
]


def _ids(value: object) -> object:
    names = value if isinstance(value, list | tuple) else (value,)
    return tuple(node_id(_node(name)) for name in names)


NodeIds = Annotated[
    tuple[Annotated[NodeId, Strict()], ...],
    BeforeValidator(_ids),
    PlainSerializer(lambda ids: [f"n{node}" for node in ids]),
    WithJsonSchema({"type": "array", "items": _NODE_SCHEMA, "examples": [["n1", "n2", "n3"]]}),
]

TargetPaths = Iterator[tuple[Path, str]]  # Pairs of the field's path and the target that it names.


def node_id(name: str) -> NodeId:
    """The id in a node's name: 3 for n3."""
    return int(name[1:])


def node_error(name: str, nodes: int) -> str | None:
    """What is wrong with a node's name in a cluster with this many nodes. None if nothing is."""
    if node_id(name) <= nodes:
        return None
    return f"{name} is not a node; {'the only node is n1' if nodes == 1 else f'the nodes are n1 to n{nodes}'}"


def cluster_targets(targets: Iterable[str]) -> tuple[ClusterTarget, ...]:
    """The targets in the form that the cluster uses: the id of a node, or a description."""
    return tuple(node_id(name) if re.fullmatch(NODE_PATTERN, name) else name for name in targets)


def cluster_target(targets: Iterable[str]) -> ClusterTarget:
    """The targets in the form that the cluster uses: a single target is not wrapped in a tuple."""
    known = cluster_targets(targets)
    return known[0] if len(known) == 1 else known


def with_paths(targets: Iterable[str], *path: str | int) -> TargetPaths:
    """Each target of a list at this path, after its own path."""
    for position, target in enumerate(targets):
        yield (*path, position), target


def zone_named(target: str) -> str | None:
    """The zone in the target `zone:NAME`. None for other targets."""
    return target.removeprefix(ZONE) if target.startswith(ZONE) else None


def group_named(target: str) -> str | None:
    """The group in the targets `group:NAME` and `leader-of:NAME`. None for other targets."""
    return next((target.removeprefix(kind) for kind in (GROUP, LEADER_OF) if target.startswith(kind)), None)


def is_node(target: Any) -> bool:
    """Whether a target is a node's name."""
    return re.fullmatch(NODE_PATTERN, target) is not None
