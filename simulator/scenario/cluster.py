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
    """Every node starts at the same instant."""

    together: None = None

    def value(self) -> Distribution:
        return Constant(0)


class SpreadForm(Model):
    """Each node starts at an instant of its own, uniform between 0 and this."""

    spread: Duration

    def value(self) -> Distribution:
        return Uniform(0, self.spread)


STARTS: dict[str, type[Model]] = {"together": TogetherForm, "spread": SpreadForm, **DISTRIBUTIONS}
AnyStart = Annotated[
    TogetherForm | SpreadForm | DistributionForm,
    KeyTaggedUnion(STARTS, keywords=("together",), what="a start", bare="constant", bare_schema=DURATION_SCHEMA),
]


class SameLogsForm(KeywordForm):
    """All logs are alike, and so everybody is eligible."""

    same: None = None
    lengths: ClassVar[tuple[int, ...]] = ()

    def value(self) -> LogSpec | None:
        return None


LogLength = Annotated[Integer, Field(ge=0, le=1 << 53)]


class LengthsForm(Model):
    """The length of each node's log, from n1 on."""

    lengths: tuple[LogLength, ...]

    def value(self) -> LogSpec | None:
        return LogSpec(lengths=self.lengths)


class PermutationForm(Model):
    """These lengths, dealt out to the nodes anew in each trial."""

    permutation: tuple[LogLength, ...]

    @property
    def lengths(self) -> tuple[int, ...]:
        return self.permutation

    def value(self) -> LogSpec | None:
        return LogSpec(lengths=self.permutation, permuted=True)


LOGS: dict[str, type[Model]] = {"same": SameLogsForm, "lengths": LengthsForm, "permutation": PermutationForm}
AnyLogs = Annotated[
    SameLogsForm | LengthsForm | PermutationForm, KeyTaggedUnion(LOGS, keywords=("same",), what="a way to give logs")
]


class Disk(Model):
    """What durable writes cost."""

    write: AnyDistribution | None = Field(
        default=None, description="How long a write takes; null: no time at all, and no event in the simulation."
    )
    blocking: Flag = Field(default=True, description="Whether a node is deaf while it writes.")

    def spec(self) -> DiskSpec:
        return DiskSpec(write=None if self.write is None else self.write.value(), blocking=self.blocking)


class Cluster(Model):
    """The nodes, called n1, n2, and so on, and the state that they start from."""

    nodes: Annotated[Integer, Field(ge=1, le=_MOST_NODES)] = Field(description="The size of the electorate.")
    absent: tuple[NodeName, ...] = Field(
        default=(), description="Members of the electorate that never start. A quorum counts them.", examples=[["n5"]]
    )
    start: AnyStart = Field(default=TogetherForm(), description="When each node starts.")
    logs: AnyLogs = Field(
        default=SameLogsForm(), description="The lengths of the nodes' logs, for algorithms that compare them."
    )
    disk: Disk = Field(default=Disk(), description="What durable writes cost.")
    service: AnyDistribution | None = Field(
        default=None,
        description="How long a node takes over each message, one after the other; null: no time at all.",
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
