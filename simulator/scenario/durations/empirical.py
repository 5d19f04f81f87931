"""How a scenario writes measured durations: as a CSV file beside the scenario, or as samples in the scenario."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from simulator.cluster.distributions import Distribution, Empirical
from simulator.protocol import Nanoseconds
from simulator.scenario.durations.form import Bounds, DistributionForm
from simulator.scenario.text.errors import reject, shown
from simulator.scenario.text.fields import Model, allow_short
from simulator.scenario.text.files import measured, read_lines, unit_in
from simulator.scenario.text.units import UNITS, format_duration, parse_duration

_MOST_SAMPLES = 20_000  # The resolved scenario holds them, and must not exceed the size of a scenario.
_LARGEST_CSV = 2_000_000


def read_samples(name: str) -> tuple[Nanoseconds, ...]:
    """The samples in a CSV file in nanoseconds, sorted. Raises ValueError with file and line."""
    lines = read_lines(name, _LARGEST_CSV)
    if len(lines) > _MOST_SAMPLES + 1:
        raise ValueError(f"{shown(name)} holds more than {_MOST_SAMPLES} samples; thin it out")
    unit = unit_in(lines[0]) if lines else None
    if unit is None:
        units = ", ".join(UNITS)
        raise ValueError(f"{shown(name)}:1: the header names no unit ({units}); head the only column latency_ms, say")
    samples = []
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            try:
                samples.append(measured(line.strip(), unit))
            except ValueError as error:
                raise ValueError(f"{shown(name)}:{number}: {error}") from None
    if not samples:
        raise ValueError(f"{shown(name)} holds no samples below its header")
    return tuple(sorted(samples))


def _parse_samples(text: object) -> tuple[Nanoseconds, ...]:
    if not isinstance(text, str) or not text.split():
        raise ValueError(f"{shown(text)} is not samples; write durations with blanks between them: 4ms 5.2ms")
    words = text.split()
    if len(words) > _MOST_SAMPLES:
        raise ValueError(f"holds more than {_MOST_SAMPLES} samples; thin them out")
    return tuple(sorted(map(parse_duration, words)))


Samples = Annotated[
    tuple[Nanoseconds, ...],
    BeforeValidator(_parse_samples),
    PlainSerializer(lambda samples: " ".join(map(format_duration, samples))),
    WithJsonSchema({"type": "string", "examples": ["4ms 5.2ms 4.7ms"]}),
]


class EmpiricalParameters(Model):
    """A CSV file with one column whose heading ends in a unit (latency_ms), or the samples themselves."""

    file: str | None = Field(
        default=None, description="Its path, relative to the scenario's directory. It is not read if samples are given."
    )
    samples: Samples = Field(default=(), description="Durations, separated by blanks.")

    @model_validator(mode="before")
    @classmethod
    def _file_alone(cls, data: Any) -> Any:
        return {"file": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _load(self) -> EmpiricalParameters:
        if not self.samples:
            if self.file is None:
                reject([((), "gives neither a file nor samples")])
            try:
                samples = read_samples(str(self.file))
            except ValueError as error:
                reject([(("file",), str(error))])
            else:  # The scenario does not need the file any more.
                object.__setattr__(self, "samples", samples)
        return self

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        return {name: value for name, value in handler(self).items() if value is not None}


class EmpiricalForm(DistributionForm):
    """Measured durations. Each sample is equally likely."""

    empirical: Annotated[
        EmpiricalParameters, Field(json_schema_extra=lambda schema: allow_short(schema, {"type": "string"}))
    ]

    def _unbounded(self) -> Distribution:
        return Empirical(self.empirical.samples)

    def _range(self) -> Bounds:
        return self.empirical.samples[0], self.empirical.samples[-1]
