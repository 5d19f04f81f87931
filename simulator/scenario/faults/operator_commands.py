"""How a scenario writes what operators and clients ask for: `transfer_leadership: leader`, `add_server: n6`, writes."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from simulator.cluster.faults.node_faults import Fault
from simulator.cluster.faults.operator_commands import AddServer, RemoveServer, TransferLeadership
from simulator.cluster.workload import Workload
from simulator.scenario.faults.forms import Verb
from simulator.scenario.text.fields import Duration, Integer, Model, Number
from simulator.scenario.text.targets import Named, Target, Targets, meant, one_or_more, placed


class TransferVerb(Verb):
    """An operator asks a node, the leader or another, to see to it that another node leads."""

    key: ClassVar = "transfer_leadership"
    ends: ClassVar = False
    transfer_leadership: Targets = Field(description="Who is asked; who does not lead passes it on, if it can.")
    to: Target | None = Field(default=None, description="Who is to lead; whom the algorithm finds fit, by default.")

    def fault(self) -> Fault:
        to = None if self.to is None else one_or_more((self.to,))
        return TransferLeadership(target=one_or_more(self.transfer_leadership), to=to)

    def targets(self) -> Named:
        yield from placed(self.transfer_leadership, self.key)
        if self.to is not None:
            yield ("to",), self.to


class MembersVerb(Verb):
    """A change of the configuration, which whoever leads is asked for once."""

    ends: ClassVar = False


class AddServerVerb(MembersVerb):
    """Whoever leads is asked to let nodes catch up as learners, and then vote."""

    key: ClassVar = "add_server"
    add_server: Targets = Field(description="The nodes: one, or a list, which is added one by one.")

    def fault(self) -> Fault:
        return AddServer(meant(self.add_server))

    def targets(self) -> Named:
        yield from placed(self.add_server, self.key)


class RemoveServerVerb(MembersVerb):
    """Whoever leads is asked to remove nodes from the configuration, itself perhaps."""

    key: ClassVar = "remove_server"
    remove_server: Targets = Field(description="The nodes: one, or a list, which is removed one by one.")

    def fault(self) -> Fault:
        return RemoveServer(meant(self.remove_server))

    def targets(self) -> Named:
        yield from placed(self.remove_server, self.key)


class WorkloadForm(Model):
    """Clients' commands, which reach whoever leads, with exponential times between them."""

    rate_per_s: Annotated[Number, Field(gt=0, le=1_000_000)] = Field(description="How many a second, on average.")
    size_bytes: Annotated[Integer, Field(ge=1, le=1 << 30)] = Field(default=100, description="The size of each.")
    start: Duration = Field(default=0, description="When the first may come.")

    def value(self) -> Workload:
        """What the cluster plays."""
        return Workload(rate_per_s=self.rate_per_s, size_bytes=self.size_bytes, start=self.start)
