"""What an operator asks of a cluster, in a schedule like a fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simulator.cluster.faults import Struck
from simulator.cluster.luck import Luck
from simulator.cluster.targets import Patient, Target, resolve


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
