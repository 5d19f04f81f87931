"""Faults as values. What a fault does it can undo, where that makes sense: nodes are faults' first victims.

A fault's targets are names or descriptions, resolved when it strikes (`targets`). Faults of links are in `cuts` and
`weather`, those that only strain a node in `strains`; `schedule` says when they strike, and for how long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

from simulator.cluster.control import ClusterControl
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.targets import Target, resolve
from simulator.protocol import NodeId

# What undoes a fault, and returns on whom, for the trace: on nobody where it was over already.
Repair = Callable[[], object]


class Injected(NamedTuple):
    """Whom a fault has struck, for the trace, and what undoes it; None where nothing does."""

    nodes: object
    repair: Repair | None = None


class Fault(Protocol):
    """Something that goes wrong, or right again."""

    name: ClassVar[str]

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        """Do it. Raises NoTargetError before anything is done."""
        ...


@dataclass(frozen=True, slots=True)
class NodeFault:
    """A fault that strikes nodes one by one."""

    target: Target
    name: ClassVar[str]
    state: ClassVar[str]  # Whom it can strike.

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        nodes = resolve(self.target, control, self.state, fault_rng)
        repairs = {node: self.inject_one(control, node) for node in nodes}
        return Injected(nodes, repair_each({node: repair for node, repair in repairs.items() if repair is not None}))

    def inject_one(self, control: ClusterControl, node: NodeId) -> RepairOne | None:
        """What happens to each node, and what undoes it."""
        raise NotImplementedError


RepairOne = Callable[[], object]  # Returns False where it was over already.


def repair_each(repairs: Mapping[NodeId, RepairOne]) -> Repair | None:
    """One node after the other; None where there are none."""
    return (lambda: tuple(node for node, repair in repairs.items() if repair() is not False)) if repairs else None


class Crash(NodeFault):
    """The host goes silent; only its disk survives. Undone by a restart."""

    name, state = "crash", "running"

    def inject_one(self, control: ClusterControl, node: NodeId) -> RepairOne:
        control.crash(node)
        return _restart_later(control, node)


class Kill(NodeFault):
    """The process dies, and its host closes its connections; only its disk survives. Undone by a restart."""

    name, state = "kill", "running"

    def inject_one(self, control: ClusterControl, node: NodeId) -> RepairOne:
        control.kill(node)
        return _restart_later(control, node)


class Bounce(Kill):
    """A kill that is followed by a restart, as in an upgrade."""

    name = "bounce"


def _restart_later(control: ClusterControl, node: NodeId) -> RepairOne:
    return _unless_over(control, node, "down", control.start)


def _unless_over(control: ClusterControl, node: NodeId, state: str, end: Callable[[NodeId], None]) -> RepairOne:
    """End the state in which a node is by now; not where it has left it since, though it be in such a state again."""
    disruptions = control.disruptions(node)

    def repair() -> bool:
        lasts = control.disruptions(node) == disruptions and node in control.nodes_in_state(state)
        if lasts:
            end(node)
        return lasts

    return repair


class Restart(NodeFault):
    """A node that is down starts again from what it had saved."""

    name, state = "restart", "down"

    def inject_one(self, control: ClusterControl, node: NodeId) -> None:
        control.start(node)


class Amnesia(NodeFault):
    """A node starts again with an empty disk, at once; it crashes first if it runs."""

    name, state = "amnesia", "present"

    def inject_one(self, control: ClusterControl, node: NodeId) -> None:
        if node in control.nodes_in_state("running"):
            control.crash(node)
        control.wipe(node)
        control.start(node)


class Pause(NodeFault):
    """The process stalls (garbage collection, a stopped virtual machine): it still believes what it believed."""

    name, state = "pause", "awake"

    def inject_one(self, control: ClusterControl, node: NodeId) -> RepairOne:
        control.pause(node)
        return _unless_over(control, node, "paused", control.resume)


class Resume(NodeFault):
    """A paused node goes on, and handles what arrived in between."""

    name, state = "resume", "paused"

    def inject_one(self, control: ClusterControl, node: NodeId) -> None:
        control.resume(node)
