"""Whom a fault strikes: a node by its name, or a description that is resolved when the fault strikes."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from simulator.cluster.links import Cut
from simulator.protocol import NodeId

Target: TypeAlias = NodeId | str  # n3 is 3; or one of DESCRIPTIONS.


class NoTargetError(LookupError):
    """What a target describes does not exist at present."""


class Patient(Protocol):
    """The cluster as faults see it: the verbs that they use, and what they need to find their targets."""

    def leader(self) -> NodeId | None: ...
    def size(self) -> int: ...
    def where(self, state: str) -> Sequence[NodeId]: ...
    def crash(self, node: NodeId) -> None: ...
    def start(self, node: NodeId) -> None: ...
    def wipe(self, node: NodeId) -> None: ...
    def pause(self, node: NodeId) -> None: ...
    def resume(self, node: NodeId) -> None: ...
    def cut(self, cut: Cut, name: str | None = None) -> None: ...
    def heal(self, name: str | None = None) -> None: ...
    def changed(self) -> Any: ...
    def struck(self, fault: str, nodes: object) -> None: ...


def resolve(target: Target, patient: Patient, state: str, source: random.Random) -> tuple[NodeId, ...]:
    """The nodes meant, among those in a state that the fault can strike (a state of `Patient.where`).

    Raises NoTargetError where a description fits nobody; a named node in another state is simply not struck.
    """
    eligible = list(patient.where(state))
    if isinstance(target, int):
        return (target,) if target in eligible else ()
    return DESCRIPTIONS[target](patient, eligible, source)


def draw(nodes: Sequence[NodeId], count: int, source: random.Random) -> tuple[NodeId, ...]:
    """That many of the nodes, in random order. Raises NoTargetError where there are too few."""
    left = list(nodes)
    if len(left) < count:
        raise NoTargetError(f"{count} of {len(left)} nodes")
    return tuple(left.pop(source.getrandbits(64) * len(left) >> 64) for _ in range(count))


def _leader(patient: Patient, eligible: Sequence[NodeId]) -> NodeId:
    leader = patient.leader()
    if leader is None or leader not in eligible:
        raise NoTargetError("leader")
    return leader


def _others(patient: Patient, eligible: Sequence[NodeId]) -> list[NodeId]:
    leader = _leader(patient, patient.where("running"))
    return [node for node in eligible if node != leader]


def _successor(patient: Patient, eligible: Sequence[NodeId], _: random.Random) -> tuple[NodeId, ...]:
    """The next id after the leader's, cyclically."""
    leader = _leader(patient, patient.where("running"))
    in_turn = sorted(_others(patient, eligible), key=lambda node: (node < leader, node))
    if not in_turn:
        raise NoTargetError("successor-of-leader")
    return (in_turn[0],)


def _highest(_: Patient, eligible: Sequence[NodeId], __: random.Random) -> tuple[NodeId, ...]:
    if not eligible:
        raise NoTargetError("highest-id")
    return (max(eligible),)


def _minority(size: int) -> int:
    return (size - 1) // 2


Describe: TypeAlias = Callable[[Patient, Sequence[NodeId], random.Random], tuple[NodeId, ...]]

# Sizes of majorities and minorities are those of the configuration, whoever is down.
DESCRIPTIONS: Mapping[str, Describe] = {
    "leader": lambda patient, eligible, _: (_leader(patient, eligible),),
    "follower": lambda patient, eligible, source: draw(_others(patient, eligible), 1, source),
    "random": lambda _, eligible, source: draw(eligible, 1, source),
    "all": lambda _, eligible, __: tuple(eligible),
    "highest-id": _highest,
    "successor-of-leader": _successor,
    "minority": lambda patient, eligible, source: draw(eligible, _minority(patient.size()), source),
    "majority-without-leader": lambda patient, eligible, source: draw(
        _others(patient, eligible), patient.size() // 2 + 1, source
    ),
    "leader-and-minority": lambda patient, eligible, source: (
        _leader(patient, eligible),
        *draw(_others(patient, eligible), max(0, _minority(patient.size()) - 1), source),
    ),
}
