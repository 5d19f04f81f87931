"""Faults as values, and the process that plays a schedule of them.

A fault's targets are names or descriptions. A description is resolved when the fault strikes; while what it
describes does not exist (no leader yet), the fault waits. Faults of links are in `cuts`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from simulator.cluster.distributions import Constant, Distribution
from simulator.cluster.targets import NoTargetError, Patient, Target, resolve
from simulator.protocol import Nanoseconds, NodeId


class Fault(Protocol):
    """Something that goes wrong, or right again."""

    name: ClassVar[str]

    def strike(self, patient: Patient, source: random.Random) -> object:
        """Do it, and return whom it struck, for the trace. Raises NoTargetError before anything is done."""
        ...


@dataclass(frozen=True, slots=True)
class NodeFault:
    """A fault that strikes nodes one by one."""

    target: Target
    name: ClassVar[str]
    state: ClassVar[str]  # Whom it can strike.

    def strike(self, patient: Patient, source: random.Random) -> object:
        nodes = resolve(self.target, patient, self.state, source)
        for node in nodes:
            self.strike_one(patient, node)
        return nodes

    def strike_one(self, patient: Patient, node: NodeId) -> None:
        """What happens to each node."""


class Crash(NodeFault):
    """The host goes silent; only its disk survives."""

    name, state = "crash", "running"

    def strike_one(self, patient: Patient, node: NodeId) -> None:
        patient.crash(node)


class Restart(NodeFault):
    """A crashed node starts again from what it had saved."""

    name, state = "restart", "down"

    def strike_one(self, patient: Patient, node: NodeId) -> None:
        patient.start(node)


class Amnesia(NodeFault):
    """A node starts again with an empty disk, at once; it crashes first if it runs."""

    name, state = "amnesia", "present"

    def strike_one(self, patient: Patient, node: NodeId) -> None:
        if node in patient.where("running"):
            patient.crash(node)
        patient.wipe(node)
        patient.start(node)


class Pause(NodeFault):
    """The process stalls (garbage collection, a stopped virtual machine): it still believes what it believed."""

    name, state = "pause", "awake"

    def strike_one(self, patient: Patient, node: NodeId) -> None:
        patient.pause(node)


class Resume(NodeFault):
    """A paused node goes on, and handles what arrived in between."""

    name, state = "resume", "paused"

    def strike_one(self, patient: Patient, node: NodeId) -> None:
        patient.resume(node)


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
