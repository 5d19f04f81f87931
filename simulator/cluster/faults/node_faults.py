"""Faults as values. What a fault does it can undo, where that makes sense: nodes are faults' first victims.

A fault's targets are names or descriptions, resolved when it strikes (`targets`). Faults of links are in `cuts` and
`weather`, those that only strain a node in `strains`; `schedule` says when they strike, and for how long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

from simulator.cluster.faults.rng import Luck
from simulator.cluster.faults.targets import Patient, Target, resolve
from simulator.protocol import NodeId

# What undoes a fault, and returns on whom, for the trace: on nobody where it was over already.
Undo = Callable[[], object]


class Struck(NamedTuple):
    """Whom a fault has struck, for the trace, and what undoes it; None where nothing does."""

    nodes: object
    undo: Undo | None = None


class Fault(Protocol):
    """Something that goes wrong, or right again."""

    name: ClassVar[str]

    def strike(self, patient: Patient, luck: Luck) -> Struck:
        """Do it. Raises NoTargetError before anything is done."""
        ...


@dataclass(frozen=True, slots=True)
class NodeFault:
    """A fault that strikes nodes one by one."""

    target: Target
    name: ClassVar[str]
    state: ClassVar[str]  # Whom it can strike.

    def strike(self, patient: Patient, luck: Luck) -> Struck:
        nodes = resolve(self.target, patient, self.state, luck)
        undos = {node: self.strike_one(patient, node) for node in nodes}
        return Struck(nodes, undo_each({node: undo for node, undo in undos.items() if undo is not None}))

    def strike_one(self, patient: Patient, node: NodeId) -> UndoOne | None:
        """What happens to each node, and what undoes it."""
        raise NotImplementedError


UndoOne = Callable[[], object]  # Returns False where it was over already.


def undo_each(undos: Mapping[NodeId, UndoOne]) -> Undo | None:
    """One node after the other; None where there are none."""
    return (lambda: tuple(node for node, undo in undos.items() if undo() is not False)) if undos else None


class Crash(NodeFault):
    """The host goes silent; only its disk survives. Undone by a restart."""

    name, state = "crash", "running"

    def strike_one(self, patient: Patient, node: NodeId) -> UndoOne:
        patient.crash(node)
        return _restart_later(patient, node)


class Kill(NodeFault):
    """The process dies, and its host closes its connections; only its disk survives. Undone by a restart."""

    name, state = "kill", "running"

    def strike_one(self, patient: Patient, node: NodeId) -> UndoOne:
        patient.kill(node)
        return _restart_later(patient, node)


class Bounce(Kill):
    """A kill that is followed by a restart, as in an upgrade."""

    name = "bounce"


def _restart_later(patient: Patient, node: NodeId) -> UndoOne:
    return _unless_over(patient, node, "down", patient.start)


def _unless_over(patient: Patient, node: NodeId, state: str, end: Callable[[NodeId], None]) -> UndoOne:
    """End the state in which a node is by now; not where it has left it since, though it be in such a state again."""
    upsets = patient.upsets(node)

    def undo() -> bool:
        lasts = patient.upsets(node) == upsets and node in patient.where(state)
        if lasts:
            end(node)
        return lasts

    return undo


class Restart(NodeFault):
    """A node that is down starts again from what it had saved."""

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

    def strike_one(self, patient: Patient, node: NodeId) -> UndoOne:
        patient.pause(node)
        return _unless_over(patient, node, "paused", patient.resume)


class Resume(NodeFault):
    """A paused node goes on, and handles what arrived in between."""

    name, state = "resume", "paused"

    def strike_one(self, patient: Patient, node: NodeId) -> None:
        patient.resume(node)
