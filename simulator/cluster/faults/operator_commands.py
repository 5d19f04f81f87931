"""What an operator asks of a cluster, in a schedule like a fault. The algorithm's registration makes the command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simulator.cluster.control import ClusterControl
from simulator.cluster.faults.record import Family, Fault, Injected, Kind, keyword, parameter
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.targets import Target, resolve


class OperatorCommand(Fault):
    """A command to a node, by its name in `Registration.commands`, which is the name of the record."""

    __slots__ = ()

    family: ClassVar[Family] = Family.COMMANDS
    repairable: ClassVar[bool] = False
    in_nemesis: ClassVar[bool] = False
    # The error for an algorithm that does not take the command; it follows the algorithm's name.
    if_missing: ClassVar[str]
    is_logged: ClassVar[bool] = False  # Whether the algorithm commits the command as an entry of its log.


@dataclass(frozen=True, slots=True)
class TransferLeadership(OperatorCommand):
    """A node, the leader or another, is asked to let another node lead."""

    target: Target = keyword(
        Kind.TARGETS, "The node that is asked. If it does not lead, it passes the request on, if its algorithm can."
    )
    to: Target | None = parameter(
        Kind.TARGET, "The node that is to lead; by default, the algorithm chooses it.", default=None
    )
    name: ClassVar[str] = "transfer_leadership"
    example: ClassVar[str] = "{at: 1s, transfer_leadership: leader, to: n3}"
    if_missing: ClassVar[str] = "does not transfer leadership"

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        asked = resolve(self.target, control, "awake", fault_rng)
        wanted = () if self.to is None else resolve(self.to, control, "running", fault_rng)
        for node in asked:
            control.command(node, self.name, wanted[0] if wanted else None)
        return Injected((asked, wanted))


@dataclass(frozen=True, slots=True)
class _MembershipChange(OperatorCommand):
    """The leader, as soon as there is one, is asked to change the configuration by these nodes, one after the other."""

    target: Target = keyword(Kind.TARGETS, "One node, or a list of nodes, which are taken one by one.")
    if_missing: ClassVar[str] = "cannot change its members"
    is_logged: ClassVar[bool] = True

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        (leader,) = resolve("leader", control, "awake", fault_rng)
        nodes = resolve(self.target, control, "present", fault_rng)
        for node in nodes:
            control.command(leader, self.name, node)
        return Injected(nodes)


class AddServer(_MembershipChange):
    """The leader is asked to add nodes: each catches up as a learner, and then votes."""

    name = "add_server"
    example = "{at: 2s, add_server: n2}"


class RemoveServer(_MembershipChange):
    """The leader is asked to remove nodes from the configuration. It may be one of them."""

    name = "remove_server"
    example = "{at: 3500ms, remove_server: leader}"
