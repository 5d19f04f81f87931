"""How a scenario writes faults of nodes: `crash: leader`, `slow_disk: n2` with how much slower."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, create_model, model_validator

from simulator.cluster.faults.node_faults import Amnesia, Bounce, Crash, Fault, Kill, Pause, Restart, Resume
from simulator.cluster.faults.slowdowns import SkewClock, SlowDisk, SlowNode, StallDisk
from simulator.cluster.faults.targets import Target as ClusterTarget
from simulator.scenario.durations.distributions import AnyDistribution
from simulator.scenario.faults.forms import Verb
from simulator.scenario.text.errors import reject
from simulator.scenario.text.fields import Number, SignedDuration, given
from simulator.scenario.text.targets import Named, Targets, one_or_more, placed

_ABOUT = "Whom: a node, a zone, or a description that is resolved when the fault strikes; or a list of these."


class NodeVerb(Verb):
    """A fault that strikes nodes one by one."""

    makes: ClassVar[Any]

    def fault(self) -> Fault:
        made: Fault = self.makes(self.target)
        return made

    @property
    def named(self) -> tuple[str, ...]:
        """The targets as they are written."""
        names: tuple[str, ...] = getattr(self, self.key)
        return names

    @property
    def target(self) -> ClusterTarget:
        """The targets as the cluster knows them."""
        return one_or_more(self.named)

    def targets(self) -> Named:
        yield from placed(self.named, self.key)


def _verb(makes: Any, *, ends: bool = True, base: type[NodeVerb] = NodeVerb) -> type[NodeVerb]:
    fields: Any = {makes.name: (Targets, Field(description=_ABOUT))}
    verb: type[NodeVerb] = create_model(makes.__name__, __base__=base, __doc__=makes.__doc__, **fields)
    verb.makes, verb.key, verb.ends = makes, makes.name, ends
    return verb


class _Bounced(NodeVerb):
    """A kill whose duration must be given."""

    demands: ClassVar = (given("lasts"),)

    @model_validator(mode="after")
    def _check_bounce(self) -> _Bounced:
        if "lasts" in type(self).model_fields and getattr(self, "lasts", None) is None:
            reject([(("lasts",), "is missing; say how long a bounced node is down")])
        return self


class _SlowNode(NodeVerb):
    """Handling a message takes this much longer; whatever else reaches the node meanwhile waits its turn."""

    service: AnyDistribution = Field(description="How much longer.")

    def fault(self) -> Fault:
        return SlowNode(self.target, self.service.value())


class _SlowDisk(NodeVerb):
    """A write takes this much longer."""

    write: AnyDistribution = Field(description="How much longer.")

    def fault(self) -> Fault:
        return SlowDisk(self.target, self.write.value())


_Drift = Annotated[Number, Field(ge=-500_000, le=500_000)]


class _SkewClock(NodeVerb):
    """Clocks go wrong, in the ways that are given. Timers follow the drift, the wall clock all three."""

    drift_ppm: _Drift | None = Field(default=None, description="By how many parts per million it is too fast.")
    offset: SignedDuration | None = Field(default=None, description="How far the wall clock is ahead of the other.")
    jump: SignedDuration | None = Field(default=None, description="How far the wall clock jumps ahead.")
    demands: ClassVar = ({"anyOf": [given("drift_ppm"), given("offset"), given("jump")]},)

    def fault(self) -> Fault:
        drift_ppb = None if self.drift_ppm is None else round(1000 * self.drift_ppm)
        return SkewClock(target=self.target, drift_ppb=drift_ppb, offset_ns=self.offset, jump_ns=self.jump or 0)

    @model_validator(mode="after")
    def _check_skew(self) -> _SkewClock:
        if self.drift_ppm is None and self.offset is None and self.jump is None:
            reject([((self.key,), "gives no drift_ppm, no offset and no jump; give at least one")])
        return self


NODE_VERBS: dict[str, type[NodeVerb]] = {
    verb.key: verb
    for verb in (
        _verb(Crash),
        _verb(Kill),
        _verb(Bounce, base=_Bounced),
        _verb(Restart, ends=False),
        _verb(Amnesia, ends=False),
        _verb(Pause),
        _verb(Resume, ends=False),
        _verb(SlowNode, base=_SlowNode),
        _verb(SlowDisk, base=_SlowDisk),
        _verb(StallDisk),
        _verb(SkewClock, base=_SkewClock),
    )
}
