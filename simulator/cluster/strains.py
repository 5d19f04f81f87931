"""Faults that leave a node running, but slower, or wrong about the time. They add up, and each can be undone alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simulator.cluster.clock import Skew
from simulator.cluster.distributions import Distribution
from simulator.cluster.faults import Struck, undo_each
from simulator.cluster.luck import Luck
from simulator.cluster.targets import Patient, Target, resolve
from simulator.protocol import Nanoseconds


@dataclass(frozen=True, slots=True)
class SlowNode:
    """Handling a message takes this much longer; whatever else reaches the node meanwhile waits its turn."""

    target: Target
    service: Distribution
    name: ClassVar[str] = "slow_node"

    def strike(self, patient: Patient, luck: Luck) -> Struck:
        nodes = resolve(self.target, patient, "present", luck)
        times = {node: luck.durations(self.service, f"n{node} service") for node in nodes}
        return Struck(nodes, undo_each({node: patient.slow_node(node, times[node]) for node in nodes}))


@dataclass(frozen=True, slots=True)
class SlowDisk:
    """A write takes this much longer."""

    target: Target
    write: Distribution
    name: ClassVar[str] = "slow_disk"

    def strike(self, patient: Patient, luck: Luck) -> Struck:
        nodes = resolve(self.target, patient, "present", luck)
        times = {node: luck.durations(self.write, f"n{node} write") for node in nodes}
        return Struck(nodes, undo_each({node: patient.slow_disk(node, times[node]) for node in nodes}))


@dataclass(frozen=True, slots=True)
class StallDisk:
    """No write is done until this is undone; then all that are due are done at once."""

    target: Target
    name: ClassVar[str] = "stall_disk"

    def strike(self, patient: Patient, luck: Luck) -> Struck:
        nodes = resolve(self.target, patient, "present", luck)
        return Struck(nodes, undo_each({node: patient.stall_disk(node) for node in nodes}))


@dataclass(frozen=True, slots=True, kw_only=True)
class SkewClock:
    """Clocks go wrong: `drift_ppb` is by how many parts in a billion they are too fast from now on, `offset_ns` how far
    the wall clock is ahead of the monotonic one, `jump_ns` how far it jumps. Of several drifts or offsets the latest
    counts, jumps add up. Undone, the clocks go on as if only the others had struck.
    """

    target: Target
    drift_ppb: int | None = None
    offset_ns: Nanoseconds | None = None
    jump_ns: Nanoseconds = 0
    name: ClassVar[str] = "skew_clock"

    def strike(self, patient: Patient, luck: Luck) -> Struck:
        nodes = resolve(self.target, patient, "present", luck)
        skew = self.drift_ppb, self.offset_ns, self.jump_ns
        return Struck(nodes, undo_each({node: patient.skew_clock(node, Skew(*skew)) for node in nodes}))
