"""How a scenario writes the cluster: its nodes, when they start, their logs, their disks and their service time."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from simulator.cluster.distributions import Constant, Distribution, Uniform
from simulator.cluster.spec import DiskSpec, LogSpec
from simulator.scenario.durations.distributions import DISTRIBUTIONS, AnyDistribution
from simulator.scenario.durations.form import DistributionForm
from simulator.scenario.text.errors import FieldErrors, reject
from simulator.scenario.text.fields import (
    DURATION_SCHEMA,
    Duration,
    Flag,
    Integer,
    KeywordForm,
    Model,
)
from simulator.scenario.text.tagged_unions import KeyTaggedUnion
from simulator.scenario.text.targets import NodeName, node_error

_MOST_NODES = 100_000


class TogetherForm(KeywordForm):
    """All nodes start at the same instant."""

    together: None = None

    def value(self) -> Distribution:
        """The simulator's `Distribution` of a node's start: always 0."""
        return Constant(0)


class SpreadForm(Model):
    """Each node starts at its own instant, uniform between 0 and this duration."""

    spread: Duration

    def value(self) -> Distribution:
        """The simulator's `Distribution` of a node's start."""
        return Uniform(0, self.spread)


STARTS: dict[str, type[Model]] = {"together": TogetherForm, "spread": SpreadForm, **DISTRIBUTIONS}
AnyStart = Annotated[
    TogetherForm | SpreadForm | DistributionForm,
    KeyTaggedUnion(STARTS, keywords=("together",), what="a start", bare="constant", bare_schema=DURATION_SCHEMA),
]


class SameLogsForm(KeywordForm):
    """All nodes have the same log, so that each may be elected."""

    same: None = None
    lengths: ClassVar[tuple[int, ...]] = ()

    def value(self) -> LogSpec | None:
        """None: the cluster gives no node a log of its own."""
        return None


LogLength = Annotated[Integer, Field(ge=0, le=1 << 53)]


class LengthsForm(Model):
    """The length of each node's log, in the order n1, n2, and so on."""

    lengths: tuple[LogLength, ...]

    def value(self) -> LogSpec | None:
        """The lengths in the form that the cluster uses."""
        return LogSpec(lengths=self.lengths)


class PermutationForm(Model):
    """The lengths of the nodes' logs. Each trial assigns them to the nodes in a new random order."""

    permutation: tuple[LogLength, ...]

    @property
    def lengths(self) -> tuple[int, ...]:
        """The lengths, before they are assigned to nodes."""
        return self.permutation

    def value(self) -> LogSpec | None:
        """The lengths in the form that the cluster uses."""
        return LogSpec(lengths=self.permutation, permuted=True)


LOGS: dict[str, type[Model]] = {"same": SameLogsForm, "lengths": LengthsForm, "permutation": PermutationForm}
AnyLogs = Annotated[
    SameLogsForm | LengthsForm | PermutationForm, KeyTaggedUnion(LOGS, keywords=("same",), what="a way to give logs")
]


class Disk(Model):
    """How long durable writes take, and whether a node waits for them."""

    write: AnyDistribution | None = Field(
        default=None, description="How long a write takes; null: no time, and no event in the simulation."
    )
    blocking: Flag = Field(default=True, description="Whether a node handles no message and no timer while it writes.")

    def spec(self) -> DiskSpec:
        """The disk in the form that the cluster uses."""
        return DiskSpec(write=None if self.write is None else self.write.value(), blocking=self.blocking)


class Cluster(Model):
    """The nodes, called n1, n2, and so on, and the state in which they start."""

    nodes: Annotated[Integer, Field(ge=1, le=_MOST_NODES)] = Field(
        description="The number of nodes in the group that elects a leader."
    )
    absent: tuple[NodeName, ...] = Field(
        default=(),
        description="Nodes of that group that never start. They count for the size of a quorum.",
        examples=[["n5"]],
    )
    start: AnyStart = Field(default=TogetherForm(), description="When each node starts.")
    logs: AnyLogs = Field(
        default=SameLogsForm(), description="The lengths of the nodes' logs, for algorithms that compare them."
    )
    disk: Disk = Field(default=Disk(), description="How long durable writes take.")
    service: AnyDistribution | None = Field(
        default=None,
        description="How long a node takes to handle a message. It handles one message at a time; null: no time.",
    )

    @model_validator(mode="after")
    def _check(self) -> Cluster:
        reject((*self._absent_errors(), *self._logs_errors()))
        return self

    def _absent_errors(self) -> FieldErrors:
        for position, name in enumerate(self.absent):
            if error := node_error(name, self.nodes):
                yield ("absent", position), error
            elif name in self.absent[:position]:
                yield ("absent", position), f"{name} is named twice"
        if len(set(self.absent)) >= self.nodes:
            yield ("absent",), "leaves nobody to elect; let at least one node be present"

    def _logs_errors(self) -> FieldErrors:
        count = len(self.logs.lengths)
        if (count and count != self.nodes) or (not count and self.logs.value() is not None):
            keyword = next(iter(type(self.logs).model_fields))
            yield ("logs", keyword), f"gives {count} lengths for {self.nodes} nodes; give one for each"
