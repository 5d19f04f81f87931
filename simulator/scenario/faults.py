"""How a scenario writes faults: `{at: 2s, crash: leader}`. A new one is a form here, and its place in `FAULTS`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, create_model

from simulator.cluster.faults import (
    DESCRIPTIONS,
    Crash,
    Fault,
    Heal,
    Partition,
    Pause,
    Restart,
    Resume,
    Scheduled,
)
from simulator.cluster.faults import Target as ClusterTarget
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


class PartitionForm(FaultForm):
    """The groups cannot reach each other; nodes that are in no group form one more."""

    partition: tuple[tuple[Target, ...], ...] = Field(min_length=1, examples=[[["n1", "leader"], ["n3"]]])

    def fault(self) -> Fault:
        return Partition(tuple(tuple(_meant(target) for target in group) for group in self.partition))

    def targets(self) -> Iterator[tuple[Path, str]]:
        for number, group in enumerate(self.partition):
            for position, target in enumerate(group):
                yield ("partition", number, position), target


class HealForm(FaultForm):
    """Every cut is lifted."""

    heal: Literal["all"]

    def fault(self) -> Fault:
        return Heal()


FAULTS: dict[str, type[FaultForm]] = {
    **{makes.name: _node_fault(makes) for makes in (Crash, Restart, Pause, Resume)},
    "partition": PartitionForm,
    "heal": HealForm,
}

AnyFault = Annotated[FaultForm, OneKey(FAULTS, what="a fault")]
