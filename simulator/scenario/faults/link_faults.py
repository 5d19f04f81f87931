"""How a scenario writes faults of links: `isolate: leader`, `degrade: {between: [n1, n2]}` with how much."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from simulator.cluster.distributions import Constant
from simulator.cluster.faults.link_degradation import Degrade, Flap, Heal, HoldBack, Reach, Release
from simulator.cluster.faults.node_faults import Fault
from simulator.cluster.faults.partitions import Bridge, CutLink, Isolate, MajoritiesRing, Partition, PartitionOneway
from simulator.scenario.durations.distributions import AnyDistribution, ConstantForm
from simulator.scenario.faults.forms import Verb
from simulator.scenario.faults.triggers import Label
from simulator.scenario.text.errors import reject
from simulator.scenario.text.fields import Duration, Model, Probability, allow_short, given
from simulator.scenario.text.targets import TARGETS_SCHEMA, Group, Named, Target, Targets, meant, one_or_more, placed


class LinkVerb(Verb):
    """A fault of the links between nodes, which can be healed by its label."""

    what: ClassVar[str] = "fault of links"

    @property
    def its_label(self) -> str | None:
        """In a schedule it may have one."""
        return getattr(self, "label", None)


def _groups(value: object) -> object:
    if value in ([], ()):
        raise ValueError("names no group; write [[n1, n2], [n3]], for example")
    return value


class PartitionVerb(LinkVerb):
    """The groups cannot reach each other; nodes that are in no group form one more."""

    key: ClassVar = "partition"
    partition: Annotated[tuple[Group, ...], BeforeValidator(_groups), Field(json_schema_extra={"minItems": 1})] = Field(
        examples=[[["n1", "leader"], ["n3"]]]
    )

    def fault(self) -> Fault:
        return Partition(tuple(map(meant, self.partition)), self.its_label)

    def targets(self) -> Named:
        for number, group in enumerate(self.partition):
            yield from placed(group, self.key, number)


class Oneway(Model):
    """A direction."""

    senders: Targets = Field(description="Whose packets are concerned.")
    receivers: Targets | None = Field(default=None, description="On their way to whom; everybody else by default.")

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        return {name: value for name, value in handler(self).items() if value is not None}


class PartitionOnewayVerb(LinkVerb):
    """What the senders send does not reach the receivers; the way back is open."""

    key: ClassVar = "partition_oneway"
    partition_oneway: Oneway = Field(examples=[{"senders": ["leader"]}])

    def fault(self) -> Fault:
        way = self.partition_oneway
        return PartitionOneway(meant(way.senders), meant(way.receivers or ()), self.its_label)

    def targets(self) -> Named:
        way = self.partition_oneway
        yield from placed(way.senders, self.key, "senders")
        yield from placed(way.receivers or (), self.key, "receivers")


class CutLinkVerb(LinkVerb):
    """Two nodes cannot reach each other, either way; both reach everybody else."""

    key: ClassVar = "cut_link"
    cut_link: tuple[Target, Target] = Field(examples=[["n1", "n2"]])

    def fault(self) -> Fault:
        one, other = meant(self.cut_link)
        return CutLink(one, other, self.its_label)

    def targets(self) -> Named:
        yield from placed(self.cut_link, self.key)


class IsolateVerb(LinkVerb):
    """Each of the nodes is cut off from everybody."""

    key: ClassVar = "isolate"
    isolate: Targets

    def fault(self) -> Fault:
        return Isolate(meant(self.isolate), self.its_label)

    def targets(self) -> Named:
        yield from placed(self.isolate, self.key)


class BridgeVerb(LinkVerb):
    """Two halves that cannot reach each other, and one node that both reach. The halves are drawn."""

    key: ClassVar = "bridge"
    bridge: Target

    def fault(self) -> Fault:
        return Bridge(one_or_more((self.bridge,)), self.its_label)

    def targets(self) -> Named:
        yield (self.key,), self.bridge


class MajoritiesRingVerb(LinkVerb):
    """On a ring in random order, each node reaches as many neighbours as make a majority, and no two the same one."""

    key: ClassVar = "majorities_ring"
    majorities_ring: Literal["all"]

    def fault(self) -> Fault:
        return MajoritiesRing(self.its_label)


class Where(Model):
    """Some links: all of `nodes`; those `between` two sides, both ways; or those from `senders` to `receivers`."""

    nodes: Targets | None = Field(default=None, description="Every link of these nodes.")
    between: tuple[Targets, Targets] | None = Field(default=None, description="Both ways.", examples=[["n1", "n2"]])
    senders: Targets | None = Field(default=None, description="One way, from these.")
    receivers: Targets | None = Field(default=None, description="One way, to these; to all others by default.")
    demands: ClassVar = (
        {"oneOf": [given("nodes"), given("between"), given("senders")]},
        {"anyOf": [given("senders"), {"not": given("receivers")}]},
    )

    @model_validator(mode="after")
    def _check(self) -> Where:
        given = [name for name in ("nodes", "between", "senders") if getattr(self, name) is not None]
        if len(given) != 1:
            reject([((), f"gives {' and '.join(given) or 'no links'}; give one of nodes, between, or senders")])
        if self.receivers is not None and self.senders is None:
            reject([(("receivers",), "stands without senders; give both")])
        return self

    def reach(self) -> Reach:
        """The links as the cluster knows them."""
        if self.between is not None:
            return Reach(senders=meant(self.between[0]), receivers=meant(self.between[1]), both_ways=True)
        return Reach(
            nodes=meant(self.nodes or ()), senders=meant(self.senders or ()), receivers=meant(self.receivers or ())
        )

    def targets(self, key: str) -> Named:
        """Every target, and where it is named below that key."""
        for number, side in enumerate(self.between or ()):
            yield from placed(side, key, "between", number)
        for name in ("nodes", "senders", "receivers"):
            yield from placed(getattr(self, name) or (), key, name)

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        given = {name: value for name, value in handler(self).items() if value is not None}
        return given["nodes"] if list(given) == ["nodes"] else given


AnyWhere = Annotated[
    Where,
    BeforeValidator(lambda value: value if isinstance(value, dict | Model) else {"nodes": value}),
    Field(json_schema_extra=lambda schema: allow_short(schema, TARGETS_SCHEMA)),
]


class _WeatherVerb(LinkVerb):
    """A fault on some links."""

    @property
    def where(self) -> Where:
        """Which links."""
        links: Where = getattr(self, self.key)
        return links

    def targets(self) -> Named:
        yield from self.where.targets(self.key)


class DegradeVerb(_WeatherVerb):
    """Packets take longer, and more of them are lost or arrive twice."""

    key: ClassVar = "degrade"
    degrade: AnyWhere = Field(description="On which links: all those of a target, or as senders, receivers, between.")
    latency: AnyDistribution = Field(default=ConstantForm(constant=0), description="How much longer they take.")
    loss: Probability = Field(default=0.0, description="The probability of being lost, besides what the network does.")
    duplication: Probability = Field(default=0.0, description="The probability of arriving twice.")
    demands: ClassVar = ({"anyOf": [given("latency"), given("loss"), given("duplication")]},)

    @model_validator(mode="after")
    def _check(self) -> DegradeVerb:
        if not (self.loss or self.duplication) and self.latency.value() == Constant(0):
            reject([((self.key,), "gives no latency, no loss and no duplication; give at least one")])
        return self

    def fault(self) -> Fault:
        return Degrade(
            reach=self.where.reach(),
            latency=self.latency.value(),
            loss=self.loss,
            duplication=self.duplication,
            label=self.its_label,
        )


class FlapVerb(_WeatherVerb):
    """Links are cut for a while, whole for a while, and so on in turn."""

    key: ClassVar = "flap"
    flap: AnyWhere = Field(description="Which links: all those of a target, or as senders, receivers, between.")
    down: Annotated[Duration, Field(gt=0)] = Field(description="How long they are cut, each time.")
    up: Annotated[Duration, Field(gt=0)] = Field(description="How long they are whole, each time.")

    def fault(self) -> Fault:
        return Flap(reach=self.where.reach(), down=self.down, up=self.up, label=self.its_label)


class HoldVerb(_WeatherVerb):
    """Packets wait, and go on their way when they are released: delayed, not lost."""

    key: ClassVar = "hold"
    what: ClassVar[str] = "hold"
    hold: AnyWhere = Field(description="On which links: all those of a target, or as senders, receivers, between.")

    def fault(self) -> Fault:
        return HoldBack(reach=self.where.reach(), label=self.its_label)


class _LiftVerb(Verb):
    """A fault that ends others."""

    ends: ClassVar = False

    @property
    def removed(self) -> str | None:
        """The label of what it ends; None for all."""
        label: str = getattr(self, self.key)
        return None if label == "all" else label


class HealVerb(_LiftVerb):
    """What faults of links do ends: all of them, or those of a label."""

    key: ClassVar = "heal"
    heal: Label = Field(description="`all`, or the label of the faults that end.")

    def fault(self) -> Fault:
        return Heal(self.removed)


class ReleaseVerb(_LiftVerb):
    """What is held goes on its way: all of it, or what is held under a label."""

    key: ClassVar = "release"
    release: Label = Field(description="`all`, or the label of the hold.")

    def fault(self) -> Fault:
        return Release(self.removed)


LINK_VERBS: dict[str, type[Verb]] = {
    verb.key: verb
    for verb in (
        PartitionVerb,
        PartitionOnewayVerb,
        CutLinkVerb,
        IsolateVerb,
        BridgeVerb,
        MajoritiesRingVerb,
        DegradeVerb,
        FlapVerb,
        HoldVerb,
        HealVerb,
        ReleaseVerb,
    )
}
