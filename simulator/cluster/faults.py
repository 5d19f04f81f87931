"""Faults as values, and the process that plays a schedule of them.

A fault's targets are names or descriptions. A description is resolved when the fault strikes; while what it
describes does not exist (no leader yet), the fault waits.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias

from simulator.cluster.distributions import Constant, Distribution
from simulator.cluster.links import Cut, Groups
from simulator.protocol import Nanoseconds, NodeId

Target: TypeAlias = NodeId | str  # n3 is 3; or one of DESCRIPTIONS.
DESCRIPTIONS = ("leader", "follower", "random", "all")


class NoTargetError(LookupError):
    """What a target describes does not exist at present."""


class Patient(Protocol):
    """The cluster as faults see it: the verbs that they use, and what they need to find their targets."""

    def leader(self) -> NodeId | None: ...
    def where(self, state: str) -> Sequence[NodeId]: ...
    def crash(self, node: NodeId) -> None: ...
    def start(self, node: NodeId) -> None: ...
    def pause(self, node: NodeId) -> None: ...
    def resume(self, node: NodeId) -> None: ...
    def cut(self, cut: Cut) -> None: ...
    def heal(self) -> None: ...
    def changed(self) -> Any: ...
    def struck(self, fault: str, nodes: object) -> None: ...


def resolve(target: Target, patient: Patient, state: str, source: random.Random) -> tuple[NodeId, ...]:
    """The nodes meant, among those in a state that the fault can strike (`running`, `down`, `awake`, `paused`).

    Raises NoTargetError where a description fits nobody; a named node in another state is simply not struck.
    """
    eligible = patient.where(state)
    if isinstance(target, int):
        return (target,) if target in eligible else ()
    if target == "all":
        return tuple(eligible)
    leader = patient.leader()
    if target == "leader":
        if leader is None or leader not in eligible:
            raise NoTargetError(target)
        return (leader,)
    choices = [node for node in eligible if target == "random" or node != leader]
    if not choices or (target == "follower" and leader is None):
        raise NoTargetError(target)
    return (choices[source.getrandbits(64) * len(choices) >> 64],)


class Fault(Protocol):
    """Something that goes wrong, or right again."""

    name: ClassVar[str]

    def strike(self, patient: Patient, source: random.Random) -> object:
        """Do it, and return whom it struck, for the trace. Raises NoTargetError before anything is done."""
        ...


@dataclass(frozen=True, slots=True)
class _NodeFault:
    """A fault that strikes nodes one by one."""

    target: Target
    name: ClassVar[str]
    state: ClassVar[str]  # Whom it can strike.

    def strike(self, patient: Patient, source: random.Random) -> object:
        nodes = resolve(self.target, patient, self.state, source)
        verb: Callable[[NodeId], None] = getattr(patient, self.name if self.name != "restart" else "start")
        for node in nodes:
            verb(node)
        return nodes


class Crash(_NodeFault):
    """The host goes silent; only its disk survives."""

    name, state = "crash", "running"


class Restart(_NodeFault):
    """A crashed node starts again from what it had saved."""

    name, state = "restart", "down"


class Pause(_NodeFault):
    """The process stalls (garbage collection, a stopped virtual machine): it still believes what it believed."""

    name, state = "pause", "awake"


class Resume(_NodeFault):
    """A paused node goes on, and handles what arrived in between."""

    name, state = "resume", "paused"


@dataclass(frozen=True, slots=True)
class Partition:
    """The groups cannot reach each other; nodes that are in no group form one more."""

    groups: tuple[tuple[Target, ...], ...]
    name: ClassVar[str] = "partition"

    def strike(self, patient: Patient, source: random.Random) -> object:
        groups = tuple(
            tuple(node for target in group for node in resolve(target, patient, "present", source))
            for group in self.groups
        )
        patient.cut(Groups(groups))
        return groups


@dataclass(frozen=True, slots=True)
class Heal:
    """Every cut is lifted."""

    name: ClassVar[str] = "heal"

    def strike(self, patient: Patient, source: random.Random) -> object:
        patient.heal()
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A fault and the distribution of the instant at which it strikes."""

    at: Distribution = Constant(0)
    fault: Fault


def play(
    fault: Fault, at_ns: Nanoseconds, patient: Patient, source: random.Random, timeout: Callable[[int], Any]
) -> Generator[Any, Any, None]:
    """The SimPy process of one scheduled fault: wait for its instant, then for its target, and strike."""
    yield timeout(at_ns)
    while True:
        try:
            nodes = fault.strike(patient, source)
        except NoTargetError:
            yield patient.changed()
        else:
            patient.struck(fault.name, nodes)
            return
