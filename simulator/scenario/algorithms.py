"""The options of the registered algorithms, read off their configuration classes: a new one needs nothing here."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import (
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationInfo,
    create_model,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from simulator.algorithms.registration import Registration
from simulator.algorithms.registry import REGISTRY, PluginError
from simulator.protocol import OneOf
from simulator.scenario.text.errors import alternatives, reject, shown
from simulator.scenario.text.fields import (
    Choice,
    Duration,
    DurationRange,
    DurationSpread,
    Flag,
    Integer,
    Model,
    Number,
    OneKey,
)
from simulator.scenario.text.targets import NodeIds

# What a marked or plain type of an algorithm's option is in a scenario.
_MARKED = {
    "duration": Duration,
    "duration range": DurationRange,
    "duration spread": DurationSpread,
    "node names": NodeIds,
}
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
        return kind(**{option.name: _plain(getattr(self, option.name)) for option in fields(kind)})

    @model_validator(mode="after")
    def _check(self) -> Options:
        try:
            self.config()
        except ValueError as error:
            name, colon, rest = str(error).partition(": ")
            named = colon and name in type(self).model_fields
            reject([((name,), f"{shown(self.model_dump()[name])} is refused: {rest}") if named else ((), str(error))])
        return self


class OptionSet(Model):
    """A set of options under its name, the only key: `{phi: {threshold: 8}}`."""

    kind: ClassVar[type]

    def value(self) -> Any:
        """An instance of the dataclass."""
        options = getattr(self, next(iter(type(self).model_fields)))
        return self.kind(**{option.name: getattr(options, option.name) for option in fields(self.kind)})

    @model_validator(mode="after")
    def _check(self) -> OptionSet:
        try:
            self.value()
        except ValueError as error:
            reject([((next(iter(type(self).model_fields)),), str(error))])
        return self


def _plain(value: Any) -> Any:
    """An option as the algorithm's configuration holds it."""
    return value.value() if isinstance(value, OptionSet) else value


def _members(config: type[Any]) -> dict[str, Any]:
    """The fields of the pydantic model of a dataclass of options."""
    hints = get_type_hints(config, include_extras=True)
    members: dict[str, Any] = {}
    for option in fields(config):
        kind = _in_scenario(hints[option.name])
        about = option.metadata.get("about")
        if option.default is MISSING:
            members[option.name] = (kind, Field(description=about))
            continue
        default = _written_set(hints[option.name], option.default)
        written = TypeAdapter(kind).dump_python(default, mode="json")
        extra = {"default": written}
        members[option.name] = (kind, Field(default, description=about, json_schema_extra=extra))
    return members


def _one_of(hint: Any) -> OneOf | None:
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((mark for mark in marks if isinstance(mark, OneOf)), None)


@cache
def _forms(choice: OneOf) -> Mapping[str, type[OptionSet]]:
    """The pydantic model of each set of options."""
    found: dict[str, type[OptionSet]] = {}
    for name, kind in choice.forms.items():
        about = (kind.__doc__ or name).splitlines()[0]
        inside = create_model(kind.__name__, __base__=Model, __doc__=about, **_members(kind))
        only: dict[str, Any] = {name: (inside, ...)}
        form = create_model(f"{kind.__name__}Form", __base__=OptionSet, __doc__=about, **only)
        form.kind = kind
        found[name] = form
    return found


def _written_set(hint: Any, default: Any) -> Any:
    """A default as the scenario's model holds it."""
    choice = _one_of(hint)
    if choice is None or default is None:
        return default
    name = choice.name_of(default)
    given = {option.name: getattr(default, option.name) for option in fields(default)}
    form = _forms(choice)[name]
    return form.model_construct(**{name: form.model_fields[name].annotation.model_construct(**given)})  # type: ignore[union-attr]


@dataclass(frozen=True, slots=True, eq=False)
class OneSet(OneKey):
    """A set of options, or its name alone, with the defaults of all its options."""

    def read(self, data: Any) -> Any:
        if isinstance(data, str) and data in self.forms:
            return {data: {}}
        read = OneKey.read(self, data)
        return {key: {} if part is None else part for key, part in read.items()} if isinstance(read, dict) else read

    def short_forms(self) -> list[dict[str, Any]]:
        return [{"enum": list(self.forms)}]


def _in_scenario(hint: Any) -> Any:
    """The type that reads an option of that type from YAML, with units where it is marked as a duration."""
    choice = _one_of(hint)
    if choice is not None:
        forms = _forms(choice)
        return Annotated[OptionSet, OneSet(forms, what="a set of options")]
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
    """The pydantic model of one algorithm's options, called by its name: several may share a class of options."""
    members: dict[str, Any] = {"name": (Literal[registration.name], ...)}
    options = _members(registration.config)
    kinds = {name: kind for name, (kind, _) in options.items()}
    if names := tuple(registration.dialects):
        preset = "A preset of the options below; those that are given replace its own."
        members["dialect"] = (Literal[names], Field(names[0], description=preset))
    members |= options
    paper = (sys.modules[registration.algorithm.__module__].__doc__ or registration.name).splitlines()[0]
    form = create_model(registration.name, __base__=Options, __doc__=paper, **members)
    form.registration = registration
    form.presets = {
        name: {key: TypeAdapter(kinds[key]).dump_python(value, mode="json") for key, value in preset.items()}
        for name, preset in registration.dialects.items()
    }
    return form


class Forms(Mapping[str, type[Options]]):
    """The model of the options of every algorithm, made when it is asked for.

    Raises PluginError for a plug-in that is broken.
    """

    def __init__(self) -> None:
        self._made: dict[str, type[Options]] = {}

    def __getitem__(self, name: str) -> type[Options]:
        registration = REGISTRY[name]
        made = self._made.get(name)
        if made is None or made.registration is not registration:
            made = self._made[name] = _readable_form(registration)
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(REGISTRY)

    def __len__(self) -> int:
        return len(REGISTRY)

    def __contains__(self, name: object) -> bool:
        return name in REGISTRY


def _readable_form(registration: Registration) -> type[Options]:
    """Raises PluginError where the options of a user's algorithm are none that a scenario could hold."""
    try:
        return options_form(registration)
    except Exception as error:  # Types that no scenario can hold: pydantic has many ways to say so.
        reason = str(error).splitlines()[0]
        raise PluginError(f"the options of {registration.name} cannot be read: {reason}") from error


@dataclass(frozen=True, slots=True, eq=False)
class ByName(Choice):
    """The form is named by the value under the key `name`. Which there are is looked up anew each time."""

    def read(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise ValueError(f"{shown(data)} is not an algorithm; write {{name: {next(iter(self.forms))}}}")
        if "name" not in data:
            raise ValueError(f"has no name; known: {', '.join(self.forms)}")
        name = data["name"]
        if not isinstance(name, str) or name not in self.forms:
            reject([(("name",), f"{shown(name)} is not an algorithm; {alternatives(name, tuple(self.forms))}")])
        return data

    def _validate(self, data: Any, info: ValidationInfo) -> Model:
        if isinstance(data, Options):
            return data
        name = self.read(data)["name"]
        try:
            form = self.forms[name]
        except PluginError as error:
            reject([(("name",), f"{name} cannot be used: {error}")])
        return form.model_validate(data, context=info.context)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda form: form.model_dump()),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [handler(form.__pydantic_core_schema__) for form in self._usable()]}

    def _usable(self) -> Iterator[type[Model]]:
        for name in self.forms:
            with suppress(PluginError):
                yield self.forms[name]


ALGORITHMS = Forms()

AnyAlgorithm = Annotated[Options, ByName(ALGORITHMS)]


def register(registration: Registration) -> None:
    """Let scenarios name an algorithm of your own, in this program; an earlier one that you gave that name goes.

    A package makes one known to every program, and to the command line, by an entry point of the group
    `simulator.algorithms`. Raises ValueError where the name is not free, or worker processes could not be handed it.
    """
    REGISTRY.check(registration)
    _readable_form(registration)
    REGISTRY.add(registration)
