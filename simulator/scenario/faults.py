"""How a scenario writes faults: `{at: 2s, crash: leader}`. A new one is a form here, and its place in `FAULTS`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema, create_model

from simulator.cluster.cuts import Bridge, CutLink, Heal, Isolate, MajoritiesRing, Partition, PartitionOneway
from simulator.cluster.faults import Amnesia, Crash, Fault, Pause, Restart, Resume, Scheduled
from simulator.cluster.targets import DESCRIPTIONS
from simulator.cluster.targets import Target as ClusterTarget
from simulator.protocol import NodeId
from simulator.scenario.distributions import AnyDistribution
from simulator.scenario.fields import Model, OneKey
from simulator.scenario.problems import Path, alternatives, shown

NODE_PATTERN = r"^n[1-9][0-9]{0,8}$"


def _node(name: str) -> str:
    if not re.fullmatch(NODE_PATTERN, name):
        raise ValueError(f"{shown(name)} is not a node; nodes are called n1, n2, and so on")
    return name


def _target(name: str) -> str:
    if name not in DESCRIPTIONS and not re.fullmatch(NODE_PATTERN, name):
        raise ValueError(f"{shown(name)} is not a target; {alternatives(name, (*DESCRIPTIONS, 'n1'))}")
    return name


_NODE_SCHEMA = {"type": "string", "pattern": NODE_PATTERN}
NodeName = Annotated[str, AfterValidator(_node), WithJsonSchema(_NODE_SCHEMA)]
Target = Annotated[
    str, AfterValidator(_target), WithJsonSchema({"anyOf": [{"enum": list(DESCRIPTIONS)}, _NODE_SCHEMA]})
]


def node_id(name: str) -> NodeId:
    """3 for n3."""
    return int(name[1:])


def _meant(target: str) -> ClusterTarget:
    return target if target in DESCRIPTIONS else node_id(target)


class FaultForm(Model):
    """A fault, and the instant at which it strikes."""

    at: AnyDistribution = Field(description="When it strikes, counted from the start of the trial.")

    def fault(self) -> Fault:
        """What the cluster plays."""
        raise NotImplementedError

    def targets(self) -> Iterator[tuple[Path, str]]:
        """Every target that the fault names, and where it names it."""
        yield from ()

    def scheduled(self) -> Scheduled:
        return Scheduled(at=self.at.value(), fault=self.fault())


class NodeFaultForm(FaultForm):
    """A fault that strikes nodes one by one."""

    makes: ClassVar[Any]

    @property
    def target(self) -> str:
        return str(getattr(self, self.makes.name))

    def fault(self) -> Fault:
        made: Fault = self.makes(_meant(self.target))
        return made

    def targets(self) -> Iterator[tuple[Path, str]]:
        yield (self.makes.name,), self.target


def _node_fault(makes: Any) -> type[FaultForm]:
    about = Field(description="Whom: a node's name, or a description that is resolved when the fault strikes.")
    fields: Any = {makes.name: (Target, about)}
    form = create_model(makes.__name__, __base__=NodeFaultForm, __doc__=makes.__doc__, **fields)
    form.makes = makes
    return form


Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Targets = Annotated[tuple[Target, ...], Field(min_length=1)]


class CutForm(FaultForm):
    """A fault of the links between nodes."""

    label: Label | None = Field(default=None, description="A name by which this cut can be healed alone.")


def _many(targets: Sequence[str]) -> tuple[ClusterTarget, ...]:
    return tuple(map(_meant, targets))


def _placed(targets: Sequence[str], *path: str | int) -> Iterator[tuple[Path, str]]:
    for position, target in enumerate(targets):
        yield (*path, position), target


class PartitionForm(CutForm):
    """The groups cannot reach each other; nodes that are in no group form one more."""

    partition: tuple[tuple[Target, ...], ...] = Field(min_length=1, examples=[[["n1", "leader"], ["n3"]]])

    def fault(self) -> Fault:
        return Partition(tuple(map(_many, self.partition)), self.label)

    def targets(self) -> Iterator[tuple[Path, str]]:
        for number, group in enumerate(self.partition):
            yield from _placed(group, "partition", number)


class Oneway(Model):
    """A direction."""

    senders: Targets = Field(description="Whose packets are stopped.")
    receivers: tuple[Target, ...] = Field(default=(), description="On their way to whom; everybody else by default.")


class PartitionOnewayForm(CutForm):
    """What the senders send does not reach the receivers; the way back is open."""

    partition_oneway: Oneway = Field(examples=[{"senders": ["leader"]}])

    def fault(self) -> Fault:
        return PartitionOneway(_many(self.partition_oneway.senders), _many(self.partition_oneway.receivers), self.label)

    def targets(self) -> Iterator[tuple[Path, str]]:
        yield from _placed(self.partition_oneway.senders, "partition_oneway", "senders")
        yield from _placed(self.partition_oneway.receivers, "partition_oneway", "receivers")


class CutLinkForm(CutForm):
    """Two nodes cannot reach each other, either way; both reach everybody else."""

    cut_link: tuple[Target, Target] = Field(examples=[["n1", "n2"]])

    def fault(self) -> Fault:
        one, other = self.cut_link
        return CutLink(_meant(one), _meant(other), self.label)

    def targets(self) -> Iterator[tuple[Path, str]]:
        yield from _placed(self.cut_link, "cut_link")


class IsolateForm(CutForm):
    """Each of the nodes is cut off from everybody."""

    isolate: Target

    def fault(self) -> Fault:
        return Isolate(_meant(self.isolate), self.label)

    def targets(self) -> Iterator[tuple[Path, str]]:
        yield ("isolate",), self.isolate


class BridgeForm(CutForm):
    """Two halves that cannot reach each other, and one node that both reach. The halves are drawn."""

    bridge: Target

    def fault(self) -> Fault:
        return Bridge(_meant(self.bridge), self.label)

    def targets(self) -> Iterator[tuple[Path, str]]:
        yield ("bridge",), self.bridge


class MajoritiesRingForm(CutForm):
    """On a ring in random order, each node reaches as many neighbours as make a majority, and no two the same one."""

    majorities_ring: Literal["all"]

    def fault(self) -> Fault:
        return MajoritiesRing(self.label)


class HealForm(FaultForm):
    """Cuts are lifted: all of them, or those of a label."""

    heal: Label = Field(description="`all`, or the label of the cuts that are lifted.")

    def fault(self) -> Fault:
        return Heal(None if self.heal == "all" else self.heal)


FAULTS: dict[str, type[FaultForm]] = {
    **{makes.name: _node_fault(makes) for makes in (Crash, Restart, Amnesia, Pause, Resume)},
    "partition": PartitionForm,
    "partition_oneway": PartitionOnewayForm,
    "cut_link": CutLinkForm,
    "isolate": IsolateForm,
    "bridge": BridgeForm,
    "majorities_ring": MajoritiesRingForm,
    "heal": HealForm,
}

AnyFault = Annotated[FaultForm, OneKey(FAULTS, what="a fault")]
