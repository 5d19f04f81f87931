"""The options of the registered algorithms, read off their configuration classes: a new one needs nothing here."""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import Field, TypeAdapter, create_model, model_validator

from simulator.algorithms.registry import REGISTRY, Registration
from simulator.scenario.fields import Choice, Duration, DurationRange, Flag, Integer, Model, Number
from simulator.scenario.problems import alternatives, reject, shown
from simulator.scenario.targets import NodeIds

# What a marked or plain type of an algorithm's option is in a scenario.
_MARKED = {"duration": Duration, "duration range": DurationRange, "node names": NodeIds}
_STRICT: dict[Any, Any] = {int: Integer, bool: Flag, float: Number}


class Options(Model):
    """An algorithm, with its options."""

    registration: ClassVar[Registration]
    presets: ClassVar[Mapping[str, Mapping[str, Any]]]  # Of each dialect, as a scenario would write its options.

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, data: Any) -> Any:
        """The options of the dialect, where the scenario does not give them."""
        name = data.get("dialect") if isinstance(data, dict) else None
        return {**cls.presets[name], **data} if isinstance(name, str) and name in cls.presets else data

    def config(self) -> Any:
        """An instance of the registration's configuration class. Raises ValueError as that class does."""
        kind = self.registration.config
        return kind(**{option.name: getattr(self, option.name) for option in fields(kind)})

    @model_validator(mode="after")
    def _check(self) -> Options:
        try:
            self.config()
        except ValueError as error:
            name, colon, rest = str(error).partition(": ")
            named = colon and name in type(self).model_fields
            reject([((name,), f"{shown(self.model_dump()[name])} is refused: {rest}") if named else ((), str(error))])
        return self


def _in_scenario(hint: Any) -> Any:
    """The type that reads an option of that type from YAML, with units where it is marked as a duration."""
    if get_origin(hint) is Annotated:
        plain, *marks = get_args(hint)
        return next((_MARKED[mark] for mark in marks if mark in _MARKED), _in_scenario(plain))
    parts = tuple(part if part is Ellipsis else _in_scenario(part) for part in get_args(hint))
    if get_origin(hint) in (Union, types.UnionType):
        return Union[parts]  # noqa: UP007 - built at run time.
    if parts and get_origin(hint) is not Literal:
        return get_origin(hint)[parts]
    return _STRICT.get(hint, hint)


def options_form(registration: Registration) -> type[Options]:
    """The pydantic model of one algorithm's options."""
    hints = get_type_hints(registration.config, include_extras=True)
    members: dict[str, Any] = {"name": (Literal[registration.name], ...)}
    kinds = {option.name: _in_scenario(hints[option.name]) for option in fields(registration.config)}
    if names := tuple(registration.dialects):
        preset = "A preset of the options below; those that are given replace its own."
        members["dialect"] = (Literal[names], Field(names[0], description=preset))
    for option in fields(registration.config):
        kind = kinds[option.name]
        about = option.metadata.get("about")
        if option.default is MISSING:
            members[option.name] = (kind, Field(description=about))
        else:
            written = TypeAdapter(kind).dump_python(option.default, mode="json")
            extra = {"default": written}
            members[option.name] = (kind, Field(option.default, description=about, json_schema_extra=extra))
    paper = (sys.modules[registration.algorithm.__module__].__doc__ or registration.name).splitlines()[0]
    form = create_model(registration.config.__name__, __base__=Options, __doc__=paper, **members)
    form.registration = registration
    form.presets = {
        name: {key: TypeAdapter(kinds[key]).dump_python(value, mode="json") for key, value in options.items()}
        for name, options in registration.dialects.items()
    }
    return form


class ByName(Choice):
    """The form is named by the value under the key `name`."""

    def read(self, data: Any) -> Any:
        if isinstance(data, Model):
            return data
        if not isinstance(data, dict):
            raise ValueError(f"{shown(data)} is not an algorithm; write {{name: {next(iter(self.forms))}}}")
        if "name" not in data:
            raise ValueError(f"has no name; known: {', '.join(self.forms)}")
        name = data["name"]
        if not isinstance(name, str) or name not in self.forms:
            reject([(("name",), f"{shown(name)} is not an algorithm; {alternatives(name, tuple(self.forms))}")])
        return data

    def tag(self, data: Any) -> str:
        return str(data["name"] if isinstance(data, dict) else data.registration.name)


ALGORITHMS: dict[str, type[Options]] = {name: options_form(registration) for name, registration in REGISTRY.items()}

AnyAlgorithm = Annotated[Options, ByName(ALGORITHMS)]
