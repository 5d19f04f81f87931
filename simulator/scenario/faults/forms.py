"""What every fault of a scenario says: when it strikes, for how long, and without a target; in a mix, its weight."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, SerializerFunctionWrapHandler, create_model, model_serializer, model_validator

from simulator.cluster.distributions import Constant
from simulator.cluster.faults.node_faults import Fault
from simulator.cluster.faults.schedule import Scheduled, WithoutTarget
from simulator.scenario.durations.distributions import AnyDistribution
from simulator.scenario.faults.triggers import AnyAfter, Label
from simulator.scenario.text.errors import reject
from simulator.scenario.text.fields import Model, Number, given
from simulator.scenario.text.targets import Named


class Verb(Model):
    """What a fault does, whenever: one key says its kind, and whom it strikes."""

    key: ClassVar[str]
    ends: ClassVar[bool] = True  # Whether it can be over some time.

    def fault(self) -> Fault:
        """What the cluster plays."""
        raise NotImplementedError

    def targets(self) -> Named:
        """Every target that the fault names, and where it names it."""
        yield from ()

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        return {name: value for name, value in handler(self).items() if value is not None}


class FaultForm(Verb):
    """A verb, and when it strikes: `at` an instant, or `after` an occasion."""

    at: AnyDistribution | None = Field(default=None, description="When it strikes, from the start of the trial.")
    after: AnyAfter | None = Field(default=None, description="The occasion after which it strikes.")
    lasts: AnyDistribution | None = Field(
        default=None, description="How long until what it did is undone; null: until another fault undoes it."
    )
    label: Label | None = Field(
        default=None, description="A name by which it can be healed alone, and by which `after` can refer to it."
    )
    without_target: WithoutTarget | None = Field(
        default=None, description="What it does where its target does not exist: wait (the default), skip or fail."
    )

    @model_validator(mode="after")
    def _check_times(self) -> FaultForm:
        if (self.at is None) == (self.after is None):
            together = "cannot stand together; give one of them" if self.at else "is missing; give at or after"
            reject([(("at",), f"at and after {together}" if self.at else together)])
        if self.lasts is not None and not self.ends:
            reject([(("lasts",), f"{self.key} is not undone by time; leave this out")])
        return self

    def scheduled(self) -> Scheduled:
        after = self.after
        moment = self.at if after is None else after.delay
        return Scheduled(
            fault=self.fault(),
            at=Constant(0) if moment is None else moment.value(),
            after=None if after is None else after.occasion,
            occurrence=1 if after is None else after.occurrence,
            lasts=None if self.lasts is None else self.lasts.value(),
            label=self.label,
            without_target=self.without_target or WithoutTarget.WAIT,
        )


class WeightedForm(Verb):
    """A verb, and how often it is drawn from a mix, compared with the others."""

    weight: Annotated[Number, Field(gt=0, le=1e9)] = Field(
        default=1.0, description="How often it is drawn, compared with the other entries."
    )


def timed(verb: type[Verb]) -> type[FaultForm]:
    """The form of an entry in a schedule that does this."""
    bases: Any = (verb, FaultForm)
    when = {"oneOf": [given("at"), given("after")]}
    ends = () if verb.ends else ({"not": given("lasts")},)
    form: type[FaultForm] = create_model(verb.__name__, __base__=bases, __doc__=verb.__doc__)
    form.demands = (*verb.demands, when, *ends)
    return form


def weighted(verb: type[Verb]) -> type[WeightedForm]:
    """The form of an entry in a mix that does this."""
    bases: Any = (verb, WeightedForm)
    form: type[WeightedForm] = create_model(f"Weighted{verb.__name__}", __base__=bases, __doc__=verb.__doc__)
    return form
