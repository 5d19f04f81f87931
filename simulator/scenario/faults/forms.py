"""The models of the entries of a schedule and of a mix, made from the records of faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, SerializerFunctionWrapHandler, create_model, model_serializer, model_validator

from simulator.cluster.distributions import Constant
from simulator.cluster.faults.link_faults import LinkFault
from simulator.cluster.faults.record import Fault, Parameter, Place, parameters
from simulator.cluster.faults.registry import FAULTS
from simulator.cluster.faults.schedule import Scheduled, WithoutTarget
from simulator.scenario.durations.distributions import AnyDistribution
from simulator.scenario.faults.triggers import AnyAfter, Label
from simulator.scenario.faults.values import pydantic_field, record_value, targets_in
from simulator.scenario.text.errors import reject
from simulator.scenario.text.fields import Model, Number, requires
from simulator.scenario.text.tagged_unions import KeyTaggedUnion
from simulator.scenario.text.targets import TargetPaths


class _Written(Model):
    """A mapping that is written without the keys that hold nothing."""

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        return {name: value for name, value in handler(self).items() if value is not None}


class FaultForm(_Written):
    """A fault as a scenario writes it: the keyword says which, and its value what the fault concerns."""

    record: ClassVar[type[Fault]]

    @property
    def keyword(self) -> str:
        """The key that says which fault it is."""
        return self.record.name

    def fault(self) -> Fault:
        """The fault in the form that the cluster uses. Raises ValueError as its record does."""
        values = {parameter.attribute: record_value(parameter, value) for parameter, value, _ in self._given()}
        if issubclass(self.record, LinkFault):
            values["label"] = getattr(self, "label", None)  # Entries of a mix have no such field.
        return self.record(**values)

    def targets(self) -> TargetPaths:
        """Every target that the fault names, and where it names it."""
        for parameter, value, path in self._given():
            yield from targets_in(parameter, value, *path)

    def _given(self) -> Iterator[tuple[Parameter, Any, tuple[str, ...]]]:
        """Each field of the record, with its value as pydantic has read it, and the path of the value."""
        for parameter in parameters(self.record):
            if parameter.place is Place.MEMBER:
                members = getattr(self, self.keyword)
                yield parameter, getattr(members, parameter.key), (self.keyword, parameter.key)
            else:
                yield parameter, getattr(self, parameter.key), (parameter.key,)

    @model_validator(mode="after")
    def _check_fields(self) -> FaultForm:
        try:
            fault = self.fault()
        except ValueError as error:
            reject([((self.keyword,), str(error))])
        reject([((self.keyword,), rule.error) for rule in self.record.rules if not rule.holds(fault)])
        return self


class ScheduledForm(FaultForm):
    """A fault, and when it is injected: `at` an instant, or `after` a trigger."""

    at: AnyDistribution | None = Field(default=None, description="When it is injected, from the start of the trial.")
    after: AnyAfter | None = Field(default=None, description="The trigger after which it is injected.")
    lasts: AnyDistribution | None = Field(
        default=None, description="How long until it is repaired; null: until another fault ends it."
    )
    label: Label | None = Field(
        default=None, description="A name by which it can be healed alone, and by which `after` can refer to it."
    )
    without_target: WithoutTarget | None = Field(
        default=None, description="What it does if its target does not exist: wait (the default), skip or fail."
    )

    @model_validator(mode="after")
    def _check_times(self) -> ScheduledForm:
        if (self.at is None) == (self.after is None):
            together = "cannot stand together; give one of them" if self.at else "is missing; give at or after"
            reject([(("at",), f"at and after {together}" if self.at else together)])
        if self.lasts is not None and not self.record.repairable:
            reject([(("lasts",), f"{self.keyword} does nothing that could be repaired; leave this out")])
        if self.lasts is None and self.record.duration_required is not None:
            reject([(("lasts",), f"is missing; {self.record.duration_required}")])
        return self

    def scheduled(self) -> Scheduled:
        """The entry in the form that the cluster uses."""
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


class WeightedForm(FaultForm):
    """A fault and its weight: how often it is drawn from a mix, compared with the other faults."""

    weight: Annotated[Number, Field(gt=0, le=1e9)] = Field(
        default=1.0, description="How often it is drawn, compared with the other entries."
    )


def _scheduled(record: type[Fault], fields: Mapping[str, Any]) -> type[ScheduledForm]:
    """The model of an entry of a schedule that has this fault."""
    form: type[ScheduledForm] = create_model(record.__name__, __base__=ScheduledForm, __doc__=_help(record), **fields)
    form.record = record
    needs_duration = () if record.duration_required is None else (requires("lasts"),)
    no_duration = () if record.repairable else ({"not": requires("lasts")},)
    when = {"oneOf": [requires("at"), requires("after")]}
    form.json_schema_rules = (*_json_schema_rules(record), *needs_duration, when, *no_duration)
    return form


def _weighted(record: type[Fault], fields: Mapping[str, Any]) -> type[WeightedForm]:
    """The model of an entry of a mix that has this fault."""
    form: type[WeightedForm] = create_model(
        f"Weighted{record.__name__}", __base__=WeightedForm, __doc__=_help(record), **fields
    )
    form.record = record
    form.json_schema_rules = _json_schema_rules(record)
    return form


def _help(record: type[Fault]) -> str:
    return " ".join((record.__doc__ or "").split())


def _json_schema_rules(record: type[Fault]) -> tuple[dict[str, Any], ...]:
    return tuple(dict(rule.json_schema) for rule in record.rules)


def _fields(record: type[Fault]) -> Mapping[str, Any]:
    """The fields of a model for the record. Its members are the fields of a model of their own, under the keyword."""
    own = parameters(record)
    members: dict[str, Any] = {
        parameter.key: pydantic_field(parameter, required=parameter.required)
        for parameter in own
        if parameter.place is Place.MEMBER
    }
    fields: dict[str, Any] = {}
    if members:
        model: Any = create_model(f"{record.__name__}Members", __base__=_Written, __doc__=_help(record), **members)
        example = {name: "leader" for name, (_, field) in members.items() if field.is_required()}
        fields[record.name] = (model, Field(examples=[example]))
    for parameter in own:
        if parameter.place is not Place.MEMBER:
            required = parameter.required or parameter.place is Place.KEYWORD
            fields[parameter.key] = pydantic_field(parameter, required=required)
    return fields


# The fields are made once, because both models of a fault share them.
_FIELDS = {name: _fields(record) for name, record in FAULTS.items()}
SCHEDULED_FORMS: Mapping[str, type[ScheduledForm]] = {
    name: _scheduled(record, _FIELDS[name]) for name, record in FAULTS.items()
}
WEIGHTED_FORMS: Mapping[str, type[WeightedForm]] = {
    name: _weighted(record, _FIELDS[name]) for name, record in FAULTS.items() if record.in_nemesis
}

AnyFault = Annotated[ScheduledForm, KeyTaggedUnion(SCHEDULED_FORMS, what="a fault")]
AnyWeighted = Annotated[WeightedForm, KeyTaggedUnion(WEIGHTED_FORMS, what="a fault that a nemesis can repair")]
