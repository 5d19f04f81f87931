"""Faults that leave a node running, but slow, or wrong about the time (gray failures). They add up.

Each is repaired alone, and leaves the others in force. They outlive the process: a node has them whatever its state is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from simulator.cluster.control import ClusterControl
from simulator.cluster.distributions import Distribution
from simulator.cluster.faults.node_faults import NodeFault
from simulator.cluster.faults.record import Kind, RepairOne, at_least_one_of, parameter
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.node.clock import Skew
from simulator.protocol import Assumption, Nanoseconds, NodeId

_MOST_PPM = 500_000


@dataclass(frozen=True, slots=True)
class SlowNode(NodeFault):
    """The node takes longer to handle each message. Other messages and timers wait until it has handled the message."""

    service: Distribution = parameter(Kind.DISTRIBUTION, "How much longer.")
    name: ClassVar[str] = "slow_node"
    example: ClassVar[str] = "{at: 1s, slow_node: highest-id, service: {exponential: 2ms}}"
    breaks: ClassVar[tuple[Assumption, ...]] = (Assumption.BOUNDED_DELAY,)

    def inject_one(self, control: ClusterControl, node: NodeId, fault_rng: RandomStreams) -> RepairOne:
        return control.slow_node(node, fault_rng.durations(self.service, f"n{node} service"))


@dataclass(frozen=True, slots=True)
class SlowDisk(NodeFault):
    """Each write to the disk takes longer."""

    write: Distribution = parameter(Kind.DISTRIBUTION, "How much longer.")
    name: ClassVar[str] = "slow_disk"
    example: ClassVar[str] = "{at: 1s, slow_disk: all, write: {lognormal: {median: 5ms, p99: 200ms}}, lasts: 1s}"
    breaks: ClassVar[tuple[Assumption, ...]] = (Assumption.BOUNDED_DELAY,)

    def inject_one(self, control: ClusterControl, node: NodeId, fault_rng: RandomStreams) -> RepairOne:
        return control.slow_disk(node, fault_rng.durations(self.write, f"n{node} write"))

    def effect(self, control: ClusterControl, nodes: tuple[NodeId, ...]) -> Callable[[], str | None]:
        return _nothing_written(control, nodes)


def _nothing_written(control: ClusterControl, nodes: tuple[NodeId, ...]) -> Callable[[], str | None]:
    """What says, later, whether nothing was to be written since now."""
    before = control.disk_activity(nodes)
    return lambda: "nothing was written" if control.disk_activity(nodes) == before else None


class StallDisk(NodeFault):
    """No write ends until the fault is repaired. Then all writes that are due end at once."""

    name = "stall_disk"
    example = "{at: 1s, stall_disk: leader, lasts: 300ms}"
    breaks = (Assumption.BOUNDED_DELAY,)

    def inject_one(self, control: ClusterControl, node: NodeId, _: RandomStreams) -> RepairOne:
        return control.stall_disk(node)

    def effect(self, control: ClusterControl, nodes: tuple[NodeId, ...]) -> Callable[[], str | None]:
        return _nothing_written(control, nodes)


@dataclass(frozen=True, slots=True)
class SkewClock(NodeFault):
    """Clocks are wrong: they drift, are set ahead or back by an offset, or jump. Timers follow the drift. The wall
    clock follows all three. If several drifts or offsets are in force, the latest counts; jumps add up.
    """

    drift_ppb: int | None = parameter(  # In parts per billion.
        Kind.NUMBER,
        "By how many parts per million the clock is too fast.",
        default=None,
        key="drift_ppm",
        bounds=(-_MOST_PPM, _MOST_PPM),
        convert=lambda ppm: round(1000 * ppm),
    )
    offset_ns: Nanoseconds | None = parameter(
        Kind.SIGNED_DURATION, "How far the wall clock is ahead of the monotonic clock.", default=None, key="offset"
    )
    jump_ns: Nanoseconds | None = parameter(
        Kind.SIGNED_DURATION, "How far the wall clock jumps ahead.", default=None, key="jump"
    )
    name: ClassVar[str] = "skew_clock"
    example: ClassVar[str] = "{at: 0, skew_clock: n1, drift_ppm: 200, jump: 150ms}"
    breaks: ClassVar[tuple[Assumption, ...]] = (Assumption.GOOD_CLOCKS,)
    rules: ClassVar = (at_least_one_of("drift_ppm", "offset", "jump"),)

    def inject_one(self, control: ClusterControl, node: NodeId, _: RandomStreams) -> RepairOne:
        return control.skew_clock(node, Skew(self.drift_ppb, self.offset_ns, self.jump_ns or 0))
