"""Faults that leave a node running, but slower, or wrong about the time. They add up, and each can be undone alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simulator.cluster.control import ClusterControl
from simulator.cluster.distributions import Distribution
from simulator.cluster.faults.node_faults import Injected, RepairOne, repair_each
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.targets import Target, resolve
from simulator.cluster.node.clock import Skew
from simulator.protocol import Nanoseconds, NodeId


@dataclass(frozen=True, slots=True)
class Strain:
    """Something that a node suffers, awake or not, until it is taken back."""

    target: Target
    name: ClassVar[str]

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        nodes = resolve(self.target, control, "present", fault_rng)
        return Injected(nodes, repair_each({node: self.strain(control, node, fault_rng) for node in nodes}))

    def strain(self, control: ClusterControl, node: NodeId, fault_rng: RandomStreams) -> RepairOne:
        """What happens to each node, and what takes it back."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class SlowNode(Strain):
    """Handling a message takes this much longer; whatever else reaches the node meanwhile waits its turn."""

    service: Distribution
    name: ClassVar[str] = "slow_node"

    def strain(self, control: ClusterControl, node: NodeId, fault_rng: RandomStreams) -> RepairOne:
        return control.slow_node(node, fault_rng.durations(self.service, f"n{node} service"))


@dataclass(frozen=True, slots=True)
class SlowDisk(Strain):
    """A write takes this much longer."""

    write: Distribution
    name: ClassVar[str] = "slow_disk"

    def strain(self, control: ClusterControl, node: NodeId, fault_rng: RandomStreams) -> RepairOne:
        return control.slow_disk(node, fault_rng.durations(self.write, f"n{node} write"))


@dataclass(frozen=True, slots=True)
class StallDisk(Strain):
    """No write is done until this is undone; then all that are due are done at once."""

    name: ClassVar[str] = "stall_disk"

    def strain(self, control: ClusterControl, node: NodeId, _: RandomStreams) -> RepairOne:
        return control.stall_disk(node)


@dataclass(frozen=True, slots=True, kw_only=True)
class SkewClock(Strain):
    """Clocks go wrong: they run too fast or too slow from now on, are set ahead or back, or jump. Of several drifts or
    offsets the latest counts, jumps add up. Undone, the clocks go on as if only the others had struck.
    """

    # By how many parts in a billion it is too fast; how far the wall clock is ahead of the monotonic one, or jumps.
    drift_ppb: int | None = None
    offset_ns: Nanoseconds | None = None
    jump_ns: Nanoseconds = 0
    name: ClassVar[str] = "skew_clock"

    def strain(self, control: ClusterControl, node: NodeId, _: RandomStreams) -> RepairOne:
        return control.skew_clock(node, Skew(self.drift_ppb, self.offset_ns, self.jump_ns))
