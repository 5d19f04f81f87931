"""The options of every algorithm, derived from its configuration class. A new algorithm needs no change here."""

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
    Duration,
    DurationRange,
    DurationSpread,
    Flag,
    Integer,
    Model,
    Number,
)
from simulator.scenario.text.tagged_unions import KeyTaggedUnion, TaggedUnion
from simulator.scenario.text.targets import NodeIds

# The type that reads an option from a scenario: by its mark in the configuration class, or by its plain type.
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
    dialects: ClassVar[Mapping[str, Mapping[str, Any]]]  # The options of each dialect, as a scenario writes them.

    @model_validator(mode="before")
    @classmethod
    def _apply_dialect(cls, data: Any) -> Any:
        """Adds the options of the dialect that the scenario does not give."""
        name = data.get("dialect") if isinstance(data, dict) else None
        return {**cls.dialects[name], **data} if isinstance(name, str) and name in cls.dialects else data

    def config(self) -> Any:
        """An instance of the registration's configuration class. Raises ValueError as that class does."""
        kind = self.registration.config
        return kind(**{option.name: _config_value(getattr(self, option.name)) for option in fields(kind)})

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
    """A set of options under its name, which is the only key: `{phi: {threshold: 8}}`."""

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


def _config_value(value: Any) -> Any:
    """The value of an option in the algorithm's configuration."""
    return value.value() if isinstance(value, OptionSet) else value


def _model_fields(config: type[Any]) -> dict[str, Any]:
    """The fields of the pydantic model for a dataclass of options: by name, the type and the pydantic field."""
    hints = get_type_hints(config, include_extras=True)
    model_fields: dict[str, Any] = {}
    for option in fields(config):
        kind = _in_scenario(hints[option.name])
        about = option.metadata.get("about")
        if option.default is MISSING:
            model_fields[option.name] = (kind, Field(description=about))
            continue
        default = _option_set_default(hints[option.name], option.default)
        written = TypeAdapter(kind).dump_python(default, mode="json")
        extra = {"default": written}
        model_fields[option.name] = (kind, Field(default, description=about, json_schema_extra=extra))
    return model_fields


def _one_of(hint: Any) -> OneOf | None:
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((mark for mark in marks if isinstance(mark, OneOf)), None)


@cache
def _forms(choice: OneOf) -> Mapping[str, type[OptionSet]]:
    """The pydantic model of each set of options, by its name."""
    forms: dict[str, type[OptionSet]] = {}
    for name, kind in choice.forms.items():
        about = (kind.__doc__ or name).splitlines()[0]
        inside = create_model(kind.__name__, __base__=Model, __doc__=about, **_model_fields(kind))
        only: dict[str, Any] = {name: (inside, ...)}
        form = create_model(f"{kind.__name__}Form", __base__=OptionSet, __doc__=about, **only)
        form.kind = kind
        forms[name] = form
    return forms


def _option_set_default(hint: Any, default: Any) -> Any:
    """The default of an option in the scenario's model: a set of options becomes its form, other values stay."""
    choice = _one_of(hint)
    if choice is None or default is None:
        return default
    name = choice.name_of(default)
    options = {option.name: getattr(default, option.name) for option in fields(default)}
    form = _forms(choice)[name]
    return form.model_construct(**{name: form.model_fields[name].annotation.model_construct(**options)})  # type: ignore[union-attr]


@dataclass(frozen=True, slots=True, eq=False)
class OptionSetUnion(KeyTaggedUnion):
    """A set of options under its name. The name alone means the set with all its defaults."""

    def read(self, data: Any) -> Any:
        """The data as a mapping whose only key is the name of the set. Raises ValueError or ValidationError."""
        if isinstance(data, str) and data in self.forms:
            return {data: {}}
        read = KeyTaggedUnion.read(self, data)
        return {key: {} if part is None else part for key, part in read.items()} if isinstance(read, dict) else read

    def short_forms(self) -> list[dict[str, Any]]:
        """The JSON Schema of a name alone."""
        return [{"enum": list(self.forms)}]


def _in_scenario(hint: Any) -> Any:
    """The type that reads an option with this type hint from a scenario, with units if the hint marks a duration."""
    choice = _one_of(hint)
    if choice is not None:
        forms = _forms(choice)
        return Annotated[OptionSet, OptionSetUnion(forms, what="a set of options")]
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
    """The pydantic model of an algorithm's options. The model is named after the algorithm, since several algorithms
    may share one class of options.
    """
    members: dict[str, Any] = {"name": (Literal[registration.name], ...)}
    option_fields = _model_fields(registration.config)
    kinds = {name: kind for name, (kind, _) in option_fields.items()}
    if names := tuple(registration.dialects):
        about = "A preset of the options below; those that are given replace its own."
        members["dialect"] = (Literal[names], Field(names[0], description=about))
    members |= option_fields
    paper = (sys.modules[registration.algorithm.__module__].__doc__ or registration.name).splitlines()[0]
    form = create_model(registration.name, __base__=Options, __doc__=paper, **members)
    form.registration = registration
    form.dialects = {
        name: {key: TypeAdapter(kinds[key]).dump_python(value, mode="json") for key, value in options.items()}
        for name, options in registration.dialects.items()
    }
    return form


class Forms(Mapping[str, type[Options]]):
    """The model of the options of every algorithm, by its name. A model is built when it is first read.

    Reading one raises PluginError if the plug-in is broken.
    """

    def __init__(self) -> None:
        self._forms: dict[str, type[Options]] = {}

    def __getitem__(self, name: str) -> type[Options]:
        registration = REGISTRY[name]
        form = self._forms.get(name)
        if form is None or form.registration is not registration:
            form = self._forms[name] = _readable_form(registration)
        return form

    def __iter__(self) -> Iterator[str]:
        return iter(REGISTRY)

    def __len__(self) -> int:
        return len(REGISTRY)

    def __contains__(self, name: object) -> bool:
        return name in REGISTRY


def _readable_form(registration: Registration) -> type[Options]:
    """The model of an algorithm's options. Raises PluginError if a scenario cannot hold an option of this type."""
    try:
        return options_form(registration)
    except Exception as error:  # Pydantic raises many kinds of errors for a type that it does not know.
        reason = str(error).splitlines()[0]
        raise PluginError(f"the options of {registration.name} cannot be read: {reason}") from error


@dataclass(frozen=True, slots=True, eq=False)
class NameTaggedUnion(TaggedUnion):
    """The value of the key `name` is the tag. It is looked up each time, since programs may register algorithms."""

    def read(self, data: Any) -> Any:
        """The data, which name an algorithm. Raises ValueError or ValidationError if they do not."""
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

AnyAlgorithm = Annotated[Options, NameTaggedUnion(ALGORITHMS)]


def register(registration: Registration) -> None:
    """Registers an algorithm of your own in this program, so that scenarios can name it.

    It replaces an algorithm that you registered earlier under the same name. A package registers an algorithm for every
    program, and for the command line, with an entry point of the group `simulator.algorithms`.

    Raises ValueError if the name belongs to another algorithm, or if the algorithm cannot be sent to worker processes.
    """
    REGISTRY.check(registration)
    _readable_form(registration)
    REGISTRY.add(registration)
