"""How a scenario writes a trigger and a delay: `leader-elected + 500ms`, or the same as a mapping."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_serializer

from simulator.cluster.faults.schedule import TRIGGERS
from simulator.scenario.durations.distributions import AnyDistribution, ConstantForm
from simulator.scenario.text.errors import shown
from simulator.scenario.text.fields import Integer, Model, allow_short
from simulator.scenario.text.units import DURATION_PATTERN, format_duration

LABEL_PATTERN = r"^[A-Za-z0-9_-]{1,40}$"


def _label(text: object) -> object:
    if not isinstance(text, str) or not re.fullmatch(LABEL_PATTERN, text):
        raise ValueError(f"{shown(text)} is not a label; write letters, digits, hyphens and underscores, 40 at most")
    return text


Label = Annotated[str, BeforeValidator(_label), WithJsonSchema({"type": "string", "pattern": LABEL_PATTERN})]

_ABOUT = (
    f"One of {', '.join(TRIGGERS)}; or the label of another fault, which means the instant at which it is injected."
)


class After(Model):
    """A trigger, and a delay from then on."""

    occasion: Label = Field(description=_ABOUT)
    occurrence: Annotated[Integer, Field(ge=1)] = Field(
        default=1, description="Which occurrence of the trigger, from 1 on."
    )
    delay: AnyDistribution = Field(default=ConstantForm(constant=0), description="How long after it.")

    @model_serializer(mode="plain")
    def _write(self) -> Any:
        if self.occurrence == 1 and isinstance(self.delay, ConstantForm) and not self.delay.at_least:
            delay = self.delay.constant
            return f"{self.occasion} + {format_duration(delay)}" if delay else self.occasion
        return {"occasion": self.occasion, "occurrence": self.occurrence, "delay": self.delay.model_dump(mode="json")}


def _read(value: Any) -> Any:
    if isinstance(value, dict | Model):
        return value
    match = _SHORT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{shown(value)} is not a trigger; write leader-elected + 500ms, for example")
    return {name: part for name, part in match.groupdict().items() if part is not None}


_SHORT = re.compile(rf" *(?P<occasion>{LABEL_PATTERN[1:-1]}) *(?:\+ *(?P<delay>[^ ]*) *)?")
_SHORT_SCHEMA = {
    "type": "string",
    "pattern": rf"^ *{LABEL_PATTERN[1:-1]} *(\+ *{DURATION_PATTERN[1:-1]} *)?$",
    "examples": ["leader-elected + 500ms"],
}
AnyAfter = Annotated[
    After,
    BeforeValidator(_read),
    Field(json_schema_extra=lambda schema: allow_short(schema, _SHORT_SCHEMA)),
]
