"""How a scenario writes distributions of durations. A new one is a form here, and its place in `DISTRIBUTIONS`."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import Field, model_serializer, model_validator

from simulator.cluster.distributions import Constant, Distribution, Exponential, LogNormal, Normal, Uniform
from simulator.protocol import Nanoseconds
from simulator.scenario.fields import DURATION_SCHEMA, Duration, DurationRange, Model, Number, OneKey
from simulator.scenario.problems import reject
from simulator.scenario.units import format_duration

_MOST_NS = 1 << 62  # Draws are 64-bit integers.


class DistributionForm(Model):
    """A distribution of durations."""

    def value(self) -> Distribution:
        """What the cluster draws from."""
        raise NotImplementedError

    def bounds(self) -> tuple[Nanoseconds, Nanoseconds | None]:
        """The least and the greatest duration that can be drawn; None where nothing bounds them."""
        raise NotImplementedError


class ConstantForm(DistributionForm):
    """Always the same duration; a plain duration means this."""

    constant: Duration

    def value(self) -> Distribution:
        return Constant(self.constant)

    def bounds(self) -> tuple[Nanoseconds, Nanoseconds | None]:
        return self.constant, self.constant

    @model_serializer
    def _write(self) -> str:
        return format_duration(self.constant)


class UniformForm(DistributionForm):
    """Every duration in the range is equally likely, both ends included."""

    uniform: DurationRange

    def value(self) -> Distribution:
        return Uniform(*self.uniform)

    def bounds(self) -> tuple[Nanoseconds, Nanoseconds | None]:
        return self.uniform


class NormalParameters(Model):
    """Mean and standard deviation of the normal distribution before its values of 0 and less are redrawn."""

    mean: Duration
    sd: Duration

    @model_validator(mode="after")
    def _check(self) -> NormalParameters:
        if self.mean == 0:  # At a mean above 0, at least half of all draws are kept.
            reject([(("mean",), "0s is not above 0; values of 0 and less are redrawn")])
        _check_tail(self.mean + 10.0 * self.sd, "sd")
        return self


class NormalForm(DistributionForm):
    """The normal distribution, redrawn until positive."""

    normal: NormalParameters

    def value(self) -> Distribution:
        return Normal(self.normal.mean, self.normal.sd)

    def bounds(self) -> tuple[Nanoseconds, Nanoseconds | None]:
        return 1, None


class LogNormalParameters(Model):
    """Median, and standard deviation of the natural logarithm."""

    median: Duration
    sigma: Annotated[Number, Field(ge=0, le=10)]

    @model_validator(mode="after")
    def _check(self) -> LogNormalParameters:
        if self.median == 0:
            reject([(("median",), "0s is not above 0; its logarithm is needed")])
        _check_tail(self.median * math.exp(10 * self.sigma), "sigma")
        return self


class LogNormalForm(DistributionForm):
    """The lognormal distribution: many short durations, few long ones."""

    lognormal: LogNormalParameters

    def value(self) -> Distribution:
        return LogNormal(self.lognormal.median, float(self.lognormal.sigma))

    def bounds(self) -> tuple[Nanoseconds, Nanoseconds | None]:
        return 0, None


class ExponentialParameters(Model):
    """A floor that nothing undercuts, and an exponential part of the given mean above it."""

    mean: Duration
    floor: Duration = 0

    @model_validator(mode="before")
    @classmethod
    def _mean_alone(cls, data: Any) -> Any:
        return data if isinstance(data, dict | Model) else {"mean": data}

    @model_validator(mode="after")
    def _check(self) -> ExponentialParameters:
        _check_tail(self.floor + 50.0 * self.mean, "mean")
        return self


class ExponentialForm(DistributionForm):
    """The exponential distribution, above a floor."""

    exponential: Annotated[
        ExponentialParameters, Field(json_schema_extra=lambda schema: _allow_short(schema, DURATION_SCHEMA))
    ]

    def value(self) -> Distribution:
        return Exponential(self.exponential.mean, self.exponential.floor)

    def bounds(self) -> tuple[Nanoseconds, Nanoseconds | None]:
        return self.exponential.floor, None


def _check_tail(far_out_ns: float, parameter: str) -> None:
    if far_out_ns > _MOST_NS:
        reject([((parameter,), "makes draws that exceed 146 years; give a lesser one")])


def _allow_short(schema: dict[str, Any], short: dict[str, Any]) -> None:
    """Let a JSON Schema also accept the short way to write a value."""
    full = dict(schema)
    schema.clear()
    schema["anyOf"] = [short, full]


DISTRIBUTIONS: dict[str, type[DistributionForm]] = {
    "constant": ConstantForm,
    "uniform": UniformForm,
    "normal": NormalForm,
    "lognormal": LogNormalForm,
    "exponential": ExponentialForm,
}

AnyDistribution = Annotated[
    DistributionForm, OneKey(DISTRIBUTIONS, what="a distribution", bare="constant", bare_schema=DURATION_SCHEMA)
]
