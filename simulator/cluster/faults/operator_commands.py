"""What an operator asks of a cluster, in a schedule like a fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simulator.cluster.control import ClusterControl
from simulator.cluster.faults.node_faults import Injected
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.targets import Target, resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferLeadership:
    """Each of the nodes is asked to let another lead: `to`, or whom the algorithm finds fit."""

    target: Target
    to: Target | None = None
    name: ClassVar[str] = "transfer_leadership"

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        asked = resolve(self.target, control, "awake", fault_rng)
        wanted = () if self.to is None else resolve(self.to, control, "running", fault_rng)
        for node in asked:
            control.command(node, self.name, wanted[0] if wanted else None)
        return Injected((asked, wanted))


@dataclass(frozen=True, slots=True)
class _ChangeOfMembers:
    """Whoever leads, once somebody does, is asked to change the configuration by these nodes, one after the other."""

    target: Target
    name: ClassVar[str]

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        (leader,) = resolve("leader", control, "awake", fault_rng)
        nodes = resolve(self.target, control, "present", fault_rng)
        for node in nodes:
            control.command(leader, self.name, node)
        return Injected(nodes)


class AddServer(_ChangeOfMembers):
    """The leader is asked to let these nodes catch up, and then vote."""

    name: ClassVar[str] = "add_server"


class RemoveServer(_ChangeOfMembers):
    """The leader is asked to let these nodes, itself perhaps, be members no more."""

    name: ClassVar[str] = "remove_server"
