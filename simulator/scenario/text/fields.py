"""The types of fields that the models of a scenario share: durations, ranges, probabilities, strict numbers."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Strict,
    ValidationInfo,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from simulator.protocol import Nanoseconds
from simulator.scenario.text.errors import shown
from simulator.scenario.text.units import (
    DURATION_PATTERN,
    format_duration,
    format_signed_duration,
    parse_duration,
    parse_signed_duration,
)


def requires(name: str) -> dict[str, Any]:
    """The JSON Schema of a mapping that has this key, with a value that is not null."""
    return {"required": [name], "properties": {name: {"not": {"type": "null"}}}}


def _add_rules(schema: dict[str, Any], model: type[Model]) -> None:
    if model.json_schema_rules:
        schema["allOf"] = list(model.json_schema_rules)


class Model(BaseModel):
    """The base of every model: a mapping with fixed keys. Models are frozen."""

    json_schema_rules: ClassVar[tuple[dict[str, Any], ...]] = ()  # Rules of its JSON Schema that concern several keys.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, json_schema_extra=_add_rules)

    @model_validator(mode="before")
    @classmethod
    def _remember_keys(cls, data: Any, info: ValidationInfo) -> Any:
        """Records the keys of this model, so that the error for an unknown key can list them."""
        if isinstance(data, dict) and isinstance(info.context, dict):
            info.context[id(data)] = tuple(cls.model_fields)
        return data


class KeywordForm(Model):
    """A form without parts. A scenario writes it as a word, which is the name of its only field."""

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
    """Extends a JSON Schema, so that it also accepts the short form of a value."""
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
    """What to write in place of a value that is not a probability. The number 5 may mean 5 %."""
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
