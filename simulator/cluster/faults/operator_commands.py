"""What an operator asks of a cluster, in a schedule like a fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simulator.cluster.faults.node_faults import Struck
from simulator.cluster.faults.rng import Luck
from simulator.cluster.faults.targets import Patient, Target, resolve
from simulator.protocol import NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferLeadership:
    """Each of the nodes is asked to let another lead: `to`, or whom the algorithm finds fit."""

    target: Target
    to: Target | None = None
    name: ClassVar[str] = "transfer_leadership"

    def strike(self, patient: Patient, luck: Luck) -> Struck:
        asked = resolve(self.target, patient, "awake", luck)
        wanted = () if self.to is None else resolve(self.to, patient, "running", luck)
        for node in asked:
            patient.ask_for_transfer(node, wanted[0] if wanted else None)
        return Struck((asked, wanted))


@dataclass(frozen=True, slots=True)
class _ChangeOfMembers:
    """Whoever leads, once somebody does, is asked to change the configuration by these nodes, one after the other."""

    target: Target

    def strike(self, patient: Patient, luck: Luck) -> Struck:
        (leader,) = resolve("leader", patient, "awake", luck)
        nodes = resolve(self.target, patient, "present", luck)
        for node in nodes:
            self.ask(patient, leader, node)
        return Struck(nodes)

    def ask(self, patient: Patient, leader: NodeId, node: NodeId) -> None:
        raise NotImplementedError


class AddServer(_ChangeOfMembers):
    """The leader is asked to let these nodes catch up, and then vote."""

    name: ClassVar[str] = "add_server"

    def ask(self, patient: Patient, leader: NodeId, node: NodeId) -> None:
        patient.ask_to_add(leader, node)


class RemoveServer(_ChangeOfMembers):
    """The leader is asked to let these nodes, itself perhaps, be members no more."""

    name: ClassVar[str] = "remove_server"

    def ask(self, patient: Patient, leader: NodeId, node: NodeId) -> None:
        patient.ask_to_remove(leader, node)
