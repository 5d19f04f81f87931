"""Faults that end, stop or start the process of a node, or its host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from simulator.cluster.control import ClusterControl
from simulator.cluster.faults.record import (
    Family,
    Fault,
    Injected,
    Kind,
    RepairOne,
    ResolvedFault,
    keyword,
    repair_each,
)
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.targets import Target, resolve
from simulator.protocol import NodeId


@dataclass(frozen=True, slots=True)
class NodeFault(Fault):
    """A fault that is injected into nodes one by one."""

    target: Target = keyword(
        Kind.TARGETS,
        "A node, a zone, or a description that is resolved when the fault is injected; or a list of these.",
    )
    family: ClassVar[Family] = Family.NODES
    state: ClassVar[str] = "present"  # The state of the nodes that it applies to (`ClusterControl.nodes_in_state`).

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        nodes = resolve(self.target, control, self.state, fault_rng)
        repairs = {node: self.inject_one(control, node, fault_rng) for node in nodes}
        repair = repair_each({node: repair for node, repair in repairs.items() if repair is not None})
        return Injected(nodes, repair, self.effect(control, nodes) if nodes else self._found_nobody)

    def effect(self, control: ClusterControl, nodes: tuple[NodeId, ...]) -> Callable[[], str | None]:
        """What says, when the fault is over, why it has had no effect on these nodes (`Injected.why_no_effect`)."""
        return lambda: None

    def _found_nobody(self) -> str:
        return f"no node that it names was {self.state}"

    def inject_one(self, control: ClusterControl, node: NodeId, fault_rng: RandomStreams) -> RepairOne | None:
        """Inject it into one node, and return what repairs it; None if nothing does."""
        raise NotImplementedError

    def resolve_targets(self, control: ClusterControl, fault_rng: RandomStreams) -> ResolvedFault:
        nodes = resolve(self.target, control, self.state, fault_rng)
        return ResolvedFault(replace(self, target=nodes), nodes)


class Crash(NodeFault):
    """The host goes silent. Only what is on its disk survives. A restart repairs it."""

    name, state = "crash", "running"
    example = "{at: {uniform: [1s, 1050ms]}, crash: leader, lasts: 1500ms}"

    def inject_one(self, control: ClusterControl, node: NodeId, _: RandomStreams) -> RepairOne:
        control.crash(node)
        return _restart_later(control, node)


class Kill(NodeFault):
    """The process dies, and its host closes its connections. Only what is on disk survives. A restart repairs it."""

    name, state = "kill", "running"
    example = "{at: 1s, kill: n2}"

    def inject_one(self, control: ClusterControl, node: NodeId, _: RandomStreams) -> RepairOne:
        control.kill(node)
        return _restart_later(control, node)


class Bounce(Kill):
    """The process is killed, and starts again after a time, as in an upgrade."""

    name = "bounce"
    example = "{at: 1s, bounce: follower, lasts: {uniform: [100ms, 2s]}}"
    duration_required = "say how long a bounced node is down"


class Restart(NodeFault):
    """A node that is down starts again from what it had saved."""

    name, state = "restart", "down"
    example = "{at: 2s, restart: all}"
    repairable = in_nemesis = False
    impossible_targets: ClassVar = dict.fromkeys(
        ("leader", "leader-and-minority"), "a leader is never down; name the node, or write all"
    )

    def inject_one(self, control: ClusterControl, node: NodeId, _: RandomStreams) -> None:
        control.start(node)


class Amnesia(NodeFault):
    """A node starts again at once with an empty disk. If it is running, it crashes first."""

    name = "amnesia"
    example = "{at: 1s, amnesia: n2}"
    repairable = False

    def inject_one(self, control: ClusterControl, node: NodeId, _: RandomStreams) -> None:
        if node in control.nodes_in_state("running"):
            control.crash(node)
        control.wipe(node)
        control.start(node)


class Pause(NodeFault):
    """The process stalls (garbage collection, a stopped virtual machine), and keeps its state. A resume repairs it."""

    name, state = "pause", "awake"
    example = "{at: 1s, pause: leader, lasts: 400ms}"

    def inject_one(self, control: ClusterControl, node: NodeId, _: RandomStreams) -> RepairOne:
        control.pause(node)
        return _unless_over(control, node, "paused", control.resume)


class Resume(NodeFault):
    """A paused node goes on, and handles what arrived while it was paused."""

    name, state = "resume", "paused"
    example = "{at: 2s, resume: all}"
    repairable = in_nemesis = False

    def inject_one(self, control: ClusterControl, node: NodeId, _: RandomStreams) -> None:
        control.resume(node)


def _restart_later(control: ClusterControl, node: NodeId) -> RepairOne:
    return _unless_over(control, node, "down", control.start)


def _unless_over(control: ClusterControl, node: NodeId, state: str, end: Callable[[NodeId], None]) -> RepairOne:
    """Ends the state that the node is in now. Does nothing if the node has left that state since, even if another fault
    has put it into the same state again.
    """
    disruptions = control.disruptions(node)

    def repair() -> bool:
        lasts = control.disruptions(node) == disruptions and node in control.nodes_in_state(state)
        if lasts:
            end(node)
        return lasts

    return repair
