"""The kinds of fields that scenarios are made of, for every model of the schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    Strict,
    ValidationInfo,
    WithJsonSchema,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from simulator.protocol import Nanoseconds
from simulator.scenario.text.errors import alternatives, reject, shown
from simulator.scenario.text.units import (
    DURATION_PATTERN,
    format_duration,
    format_signed_duration,
    parse_duration,
    parse_signed_duration,
)


def given(name: str) -> dict[str, Any]:
    """The JSON Schema of a mapping that has this key, with a value that is not null."""
    return {"required": [name], "properties": {name: {"not": {"type": "null"}}}}


def _add_rules(schema: dict[str, Any], model: type[Model]) -> None:
    if model.json_schema_rules:
        schema["allOf"] = list(model.json_schema_rules)


class Model(BaseModel):
    """A mapping with fixed keys."""

    json_schema_rules: ClassVar[tuple[dict[str, Any], ...]] = ()  # What its JSON Schema asks of the keys together.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, json_schema_extra=_add_rules)

    @model_validator(mode="before")
    @classmethod
    def _remember_keys(cls, data: Any, info: ValidationInfo) -> Any:
        """Let whoever explains an unknown key of this mapping know which keys there are."""
        if isinstance(data, dict) and isinstance(info.context, dict):
            info.context[id(data)] = tuple(cls.model_fields)
        return data


class Word(Model):
    """A form without parts, which is written as one word: the name of its only field."""

    @model_serializer
    def _write(self) -> str:
        return next(iter(type(self).model_fields))


DURATION_SCHEMA: dict[str, Any] = {
    "description": "A number with its unit: ns, us, ms, s, m or h.",
    "anyOf": [{"type": "string", "pattern": DURATION_PATTERN}, {"const": 0}],
    "examples": ["150ms", "2s", "1.5m"],
}


SIGNED_DURATION_SCHEMA: dict[str, Any] = {
    "description": "A number with its unit: ns, us, ms, s, m or h; with a minus sign, the other way.",
    "anyOf": [{"type": "string", "pattern": "^-?" + DURATION_PATTERN.removeprefix("^")}, {"const": 0}],
    "examples": ["-150ms", "2s"],
}


def allow_short(schema: dict[str, Any], short: dict[str, Any]) -> None:
    """Let a JSON Schema also accept the short way to write a value."""
    full = dict(schema)
    schema.clear()
    schema["anyOf"] = [short, full]


def _pair(value: object) -> object:
    if isinstance(value, list | tuple) and len(value) == 2:
        return value
    raise ValueError(f"{shown(value)} is not a pair; write [least, greatest], such as [150ms, 300ms]")


def _in_order(pair: tuple[Nanoseconds, Nanoseconds]) -> tuple[Nanoseconds, Nanoseconds]:
    low, high = pair
    if low > high:
        raise ValueError(f"{format_duration(low)} is above {format_duration(high)}; write the lesser end first")
    return pair


def _triple(value: object) -> object:
    if isinstance(value, list | tuple) and len(value) == 3:
        return value
    raise ValueError(f"{shown(value)} is no spread; write [least, median, p99], such as [25ms, 42ms, 114ms]")


def _rising(points: tuple[Nanoseconds, Nanoseconds, Nanoseconds]) -> tuple[Nanoseconds, Nanoseconds, Nanoseconds]:
    if list(points) != sorted(points):
        written = ", ".join(map(format_duration, points))
        raise ValueError(f"[{written}] does not rise; write [least, median, p99]")
    return points


PERCENTAGE_PATTERN = "(?:[0-9]+\\.?[0-9]*|\\.[0-9]+) ?%"
_LONGEST_PERCENTAGE = 40


def _probability(value: object) -> object:
    """A number from 0 to 1, or a percentage such as `5%`, which becomes such a number."""
    number = value
    if isinstance(value, str) and len(value) <= _LONGEST_PERCENTAGE and re.fullmatch(PERCENTAGE_PATTERN, value):
        number = float(Decimal(value.removesuffix("%").rstrip()) / 100)
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1:
        raise ValueError(f"{shown(value)} is not a probability between 0 and 1; {_instead_of(value)}")
    return number


def _instead_of(value: object) -> str:
    """What to write in place of what is no probability. Who writes 5 may mean 5 %."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 < value <= 100:
        percent = Decimal(repr(value)).normalize()
        return f"write 1 or less; {percent:f} percent is {percent:f}% or {percent / 100:f}"
    return "write a number or a percentage, such as 0.05 or 5%"


Integer = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
Flag = Annotated[bool, Strict()]
Duration = Annotated[
    Nanoseconds, BeforeValidator(parse_duration), PlainSerializer(format_duration), WithJsonSchema(DURATION_SCHEMA)
]
SignedDuration = Annotated[
    Nanoseconds,
    BeforeValidator(parse_signed_duration),
    PlainSerializer(format_signed_duration),
    WithJsonSchema(SIGNED_DURATION_SCHEMA),
]
DurationRange = Annotated[
    tuple[Duration, Duration],
    BeforeValidator(_pair),
    AfterValidator(_in_order),
    Field(json_schema_extra={"examples": [["150ms", "300ms"]]}),
]
DurationSpread = Annotated[
    tuple[Duration, Duration, Duration],
    BeforeValidator(_triple),
    AfterValidator(_rising),
    Field(json_schema_extra={"examples": [["25ms", "42ms", "114ms"]]}),
]
Probability = Annotated[
    float,
    BeforeValidator(_probability),
    WithJsonSchema(
        {
            "description": "A number from 0 to 1, or a percentage.",
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": f"^{PERCENTAGE_PATTERN}$"},
            ],
            "examples": [0.05, "5%"],
        }
    ),
]


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Annotates a field that takes one of several models, found by a tag in the data.

    Errors keep the path that the author sees, since the tag is checked before pydantic looks at it.
    """

    forms: Mapping[str, type[Model]]
    words: tuple[str, ...] = ()  # Tags that stand alone, as a word.

    def read(self, data: Any) -> Any:
        """The data in its full form. Raises what tells an author why none of the forms is meant."""
        raise NotImplementedError

    def tag(self, data: Any) -> str:
        """The key of the form that fits the data that `read` returned."""
        raise NotImplementedError

    def short_forms(self) -> list[dict[str, Any]]:
        """JSON Schemas of what may stand in place of a form."""
        return []

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        # Pydantic puts the tag into the location of an error, where only a negative number is never taken for a key.
        numbers = {tag: -number for number, tag in enumerate(self.forms, start=1)}
        forms = {numbers[tag]: handler.generate_schema(form) for tag, form in self.forms.items()}
        return core_schema.no_info_before_validator_function(
            self.read,
            core_schema.tagged_union_schema(forms, discriminator=lambda data: numbers[self.tag(data)]),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda form: form.model_dump()),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        union: Any = schema["schema"]
        choices = zip(self.forms, union["choices"].values(), strict=True)
        forms = [handler(choice) for tag, choice in choices if tag not in self.words]
        return {"anyOf": [*self.short_forms(), *forms]}


@dataclass(frozen=True, slots=True, eq=False)
class OneKey(Choice):
    """The form is named by one of the mapping's keys: `{uniform: [5ms, 15ms]}`, `{at: 2s, crash: leader}`.

    A value that stands alone and is not a word is that of the form `bare`.
    """

    what: str = ""
    bare: str | None = None
    bare_schema: Mapping[str, Any] | None = None

    def read(self, data: Any) -> Any:
        if isinstance(data, Model):
            return data
        if isinstance(data, dict):
            return self._with_one_form(data)
        if isinstance(data, str) and data in self.words:
            return {data: None}
        word = isinstance(data, str) and data[:1].isalpha()
        if self.bare is None or word or data is None or isinstance(data, list):
            raise ValueError(f"{shown(data)} is not {self.what}; {alternatives(data, tuple(self.forms))}")
        return {self.bare: data}

    def _with_one_form(self, data: dict[str, Any]) -> dict[str, Any]:
        given = [key for key in data if key in self.forms and key not in self.words]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} cannot stand together; give one of them")
        if not given:
            common = frozenset.intersection(*(frozenset(form.model_fields) for form in self.forms.values()))
            strange = [((key,), self._unknown(key)) for key in data if key not in common]
            reject(strange or [((), f"{shown(data)} is not {self.what}; give one of {', '.join(self.forms)}")])
        return data

    def _unknown(self, key: str) -> str:
        return f"is not {self.what}; {alternatives(key, tuple(self.forms))}"

    def tag(self, data: Any) -> str:
        keys = type(data).model_fields if isinstance(data, Model) else data
        return next(key for key in keys if key in self.forms)

    def short_forms(self) -> list[dict[str, Any]]:
        words = [{"enum": list(self.words)}] if self.words else []
        return [*words, dict(self.bare_schema)] if self.bare_schema is not None else words
