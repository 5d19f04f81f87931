"""How a scenario writes the fields of a fault's record: one way for each kind of field."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from simulator.cluster.faults.record import Kind, Parameter
from simulator.scenario.durations.distributions import AnyDistribution, ConstantForm
from simulator.scenario.faults.links import AnyLinks, Links
from simulator.scenario.faults.triggers import Label
from simulator.scenario.text.fields import Duration, Number, Probability, SignedDuration
from simulator.scenario.text.targets import (
    Group,
    Target,
    TargetPaths,
    Targets,
    cluster_target,
    cluster_targets,
    with_paths,
)


def _as_it_is(value: Any) -> Any:
    return value


def _no_targets(value: Any, *path: str | int) -> TargetPaths:
    yield from ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the values of one kind are read from a scenario."""

    type: Any  # For pydantic.
    # Converts the value that pydantic has read to the value that the fault's record holds.
    value: Callable[[Any], Any] = _as_it_is
    written: Callable[[Any], Any] = _as_it_is  # The reverse, for defaults.
    targets: Callable[..., TargetPaths] = (
        _no_targets  # The targets in a value that stands at the path given, and their paths.
    )


def _groups(value: object) -> object:
    if value in ([], ()):
        raise ValueError("names no group; write [[n1, n2], [n3]], for example")
    return value


def _one_target(name: str, *path: str | int) -> TargetPaths:
    yield path, name


def _targets_in_groups(groups: tuple[tuple[str, ...], ...], *path: str | int) -> TargetPaths:
    for number, group in enumerate(groups):
        yield from with_paths(group, *path, number)


READINGS: Mapping[Kind, Reading] = {
    Kind.TARGETS: Reading(type=Targets, value=cluster_target, targets=with_paths),
    Kind.TARGET: Reading(type=Target, value=lambda name: cluster_target((name,)), targets=_one_target),
    Kind.PAIR: Reading(type=tuple[Target, Target], value=cluster_targets, targets=with_paths),
    Kind.GROUPS: Reading(
        type=Annotated[tuple[Group, ...], BeforeValidator(_groups), Field(json_schema_extra={"minItems": 1})],
        value=lambda groups: tuple(map(cluster_targets, groups)),
        targets=_targets_in_groups,
    ),
    Kind.LINKS: Reading(type=AnyLinks, value=Links.value, targets=Links.targets),
    Kind.EVERYBODY: Reading(type=Literal["all"]),
    Kind.LABEL: Reading(type=Label, value=lambda label: None if label == "all" else label),
    Kind.DISTRIBUTION: Reading(
        type=AnyDistribution,
        value=lambda form: form.value(),
        written=lambda constant: ConstantForm(constant=constant.value),
    ),
    Kind.DURATION: Reading(type=Annotated[Duration, Field(gt=0)]),
    Kind.SIGNED_DURATION: Reading(type=SignedDuration),
    Kind.PROBABILITY: Reading(type=Probability),
    Kind.NUMBER: Reading(type=Number),
}


def pydantic_field(parameter: Parameter, *, required: bool) -> tuple[Any, Any]:
    """The type and the `Field` of a parameter in the model of its fault."""
    reading = READINGS[parameter.kind]
    kind = reading.type
    if parameter.bounds is not None:
        least, greatest = parameter.bounds
        kind = Annotated[kind, Field(ge=least, le=greatest)]
    about: dict[str, Any] = {"description": parameter.about}
    if parameter.examples:
        about["examples"] = list(parameter.examples)
    if required:
        return kind, Field(**about)
    if parameter.default in (None, ()):
        return kind | None, Field(default=None, **about)
    return kind, Field(default=reading.written(parameter.default), **about)


def record_value(parameter: Parameter, written: Any) -> Any:
    """What the record holds for a value that pydantic has read; its default for None."""
    if written is None:
        return parameter.default
    value = READINGS[parameter.kind].value(written)
    return value if parameter.convert is None else parameter.convert(value)


def targets_in(parameter: Parameter, written: Any, *path: str | int) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The targets that a value names, and where, if the value stands at this path."""
    if written is not None:
        yield from READINGS[parameter.kind].targets(written, *path)
