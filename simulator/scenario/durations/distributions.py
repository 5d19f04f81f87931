"""How a scenario writes distributions of durations. A new one is a form here, and its place in `DISTRIBUTIONS`."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Annotated, Any, TypeAlias

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from simulator.cluster.distributions import (
    AtLeast,
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    LogNormal,
    Mixture,
    Normal,
    Pareto,
    Uniform,
    Weibull,
)
from simulator.protocol import Nanoseconds
from simulator.scenario.durations.samples import Samples, read_samples
from simulator.scenario.text.errors import reject
from simulator.scenario.text.fields import DURATION_SCHEMA, Duration, DurationRange, Model, Number, OneKey, allow_short
from simulator.scenario.text.units import format_duration

_MOST_NS = 1 << 62  # Draws are 64-bit integers.
_P99 = NormalDist().inv_cdf(0.99)

Bounds: TypeAlias = tuple[Nanoseconds, Nanoseconds | None]


class DistributionForm(Model):
    """A distribution of durations."""

    at_least: Duration = Field(default=0, description="Durations below this become this.")

    def value(self) -> Distribution:
        """What the cluster draws from."""
        return AtLeast(self.at_least, self._unbounded()) if self.at_least else self._unbounded()

    def bounds(self) -> Bounds:
        """The least and the greatest duration that can be drawn; None where nothing bounds them."""
        least, greatest = self._range()
        return max(least, self.at_least), None if greatest is None else max(greatest, self.at_least)

    def _unbounded(self) -> Distribution:
        """What the cluster draws from, but for `at_least`."""
        raise NotImplementedError

    def _range(self) -> Bounds:
        """The bounds, but for `at_least`."""
        raise NotImplementedError

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        written = handler(self)
        bound = written.pop("at_least")
        return {**written, "at_least": bound} if self.at_least else written


class ConstantForm(DistributionForm):
    """Always the same duration; a plain duration means this."""

    constant: Duration

    def _unbounded(self) -> Distribution:
        return Constant(self.constant)

    def _range(self) -> Bounds:
        return self.constant, self.constant

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        constant = format_duration(self.constant)
        return {"constant": constant, "at_least": format_duration(self.at_least)} if self.at_least else constant


class UniformForm(DistributionForm):
    """Every duration in the range is equally likely, both ends included."""

    uniform: DurationRange

    def _unbounded(self) -> Distribution:
        return Uniform(*self.uniform)

    def _range(self) -> Bounds:
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

    def _unbounded(self) -> Distribution:
        return Normal(self.normal.mean, self.normal.sd)

    def _range(self) -> Bounds:
        return 1, None


class LogNormalParameters(Model):
    """Two of: median, 99th percentile, mean, and sigma, the standard deviation of the natural logarithm."""

    median: Duration | None = None
    p99: Duration | None = None
    mean: Duration | None = None
    sigma: Annotated[Number, Field(ge=0, le=10)] | None = None

    @model_validator(mode="after")
    def _check(self) -> LogNormalParameters:
        given = {name for name in type(self).model_fields if getattr(self, name) is not None}
        if given not in ({"median", "sigma"}, {"median", "p99"}, {"mean", "sigma"}):
            reject([((), "give median and sigma, median and p99, or mean and sigma")])
        for name in ("median", "mean"):
            if getattr(self, name) == 0:
                reject([((name,), "0s is not above 0; its logarithm is needed")])
        if self.p99 is not None and self.median is not None and self.p99 < self.median:
            reject([(("p99",), f"{format_duration(self.p99)} is below the median, {format_duration(self.median)}")])
        median, sigma = self.median_and_sigma()
        if median == 0:
            reject([(("sigma",), "puts the median below 1ns; give a lesser one, or a greater mean")])
        _check_tail(median * math.exp(10 * sigma), "p99" if self.p99 is not None else "sigma")
        return self

    def median_and_sigma(self) -> tuple[Nanoseconds, float]:
        """The median, rounded to a nanosecond, and sigma."""
        if self.p99 is not None:
            assert self.median is not None
            return self.median, math.log(self.p99 / self.median) / _P99
        assert self.sigma is not None
        if self.median is not None:
            return self.median, float(self.sigma)
        assert self.mean is not None
        return round(self.mean * math.exp(-(self.sigma**2) / 2)), float(self.sigma)

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        return {name: value for name, value in handler(self).items() if value is not None}


class LogNormalForm(DistributionForm):
    """The lognormal distribution: many short durations, few long ones."""

    lognormal: LogNormalParameters

    def _unbounded(self) -> Distribution:
        return LogNormal(*self.lognormal.median_and_sigma())

    def _range(self) -> Bounds:
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
        ExponentialParameters, Field(json_schema_extra=lambda schema: allow_short(schema, DURATION_SCHEMA))
    ]

    def _unbounded(self) -> Distribution:
        return Exponential(self.exponential.mean, self.exponential.floor)

    def _range(self) -> Bounds:
        return self.exponential.floor, None


class GammaParameters(Model):
    """A floor that nothing undercuts, and a gamma part of the given shape and mean above it."""

    shape: Annotated[Number, Field(ge=0.01, le=1_000_000)]
    mean: Duration
    floor: Duration = 0

    @model_validator(mode="after")
    def _check(self) -> GammaParameters:
        scale = self.mean / self.shape
        _check_tail(self.floor + scale * (self.shape + 10 * math.sqrt(self.shape) + 50), "mean")
        return self


class GammaForm(DistributionForm):
    """The gamma distribution, above a floor: a sum of exponential parts, as many as its shape says."""

    gamma: GammaParameters

    def _unbounded(self) -> Distribution:
        return Gamma(float(self.gamma.shape), self.gamma.mean, self.gamma.floor)

    def _range(self) -> Bounds:
        return self.gamma.floor, None


class WeibullParameters(Model):
    """P(longer than t) = exp(-(t / scale) ^ shape)."""

    shape: Annotated[Number, Field(ge=0.1, le=1000)]
    scale: Duration

    @model_validator(mode="after")
    def _check(self) -> WeibullParameters:
        _check_tail(self.scale * 50 ** (1 / self.shape), "shape")
        return self


class WeibullForm(DistributionForm):
    """The Weibull distribution: of shape 1 exponential; below that, with a longer tail."""

    weibull: WeibullParameters

    def _unbounded(self) -> Distribution:
        return Weibull(float(self.weibull.shape), self.weibull.scale)

    def _range(self) -> Bounds:
        return 0, None


class ParetoParameters(Model):
    """P(longer than t) = (scale / t) ^ shape, from the scale, which is the minimum, on."""

    scale: Annotated[Duration, Field(gt=0)]
    shape: Annotated[Number, Field(ge=0.1, le=1000)]


class ParetoForm(DistributionForm):
    """The Pareto distribution: a power law from its minimum on."""

    pareto: ParetoParameters

    def _unbounded(self) -> Distribution:
        return Pareto(self.pareto.scale, float(self.pareto.shape))

    def _range(self) -> Bounds:
        return self.pareto.scale, None


class EmpiricalParameters(Model):
    """A CSV file of one column, headed by a name and a unit (latency_ms); or the samples themselves."""

    file: str | None = Field(
        default=None, description="Its path, from the scenario's directory. Not read where samples are given."
    )
    samples: Samples = Field(default=(), description="Durations, with blanks between them.")

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
            else:  # From here on, the scenario needs the file no more.
                object.__setattr__(self, "samples", samples)
        return self

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        return {name: value for name, value in handler(self).items() if value is not None}


class EmpiricalForm(DistributionForm):
    """Measured durations: each sample is as likely as another."""

    empirical: Annotated[
        EmpiricalParameters, Field(json_schema_extra=lambda schema: allow_short(schema, {"type": "string"}))
    ]

    def _unbounded(self) -> Distribution:
        return Empirical(self.empirical.samples)

    def _range(self) -> Bounds:
        return self.empirical.samples[0], self.empirical.samples[-1]


class MixturePart(Model):
    """One of the distributions of a mixture."""

    weight: Annotated[Number, Field(gt=0, le=1)] = Field(description="The share of durations that are drawn from it.")
    of: AnyDistribution = Field(description="The distribution.")


class MixtureForm(DistributionForm):
    """One of several distributions, chosen anew for every duration: 99 % this, 1 % that."""

    mixture: tuple[MixturePart, ...] = Field(description="The parts, whose weights sum to 1.")

    @model_validator(mode="after")
    def _check(self) -> MixtureForm:
        if not self.mixture:
            reject([(("mixture",), "holds no part; give each as {weight: 0.5, of: 5ms}")])
        total = math.fsum(part.weight for part in self.mixture)
        if abs(total - 1) > 1e-9:
            reject([(("mixture",), f"the weights sum to {total:.10g}, not to 1")])
        return self

    def _unbounded(self) -> Distribution:
        return Mixture(tuple((float(part.weight), part.of.value()) for part in self.mixture))

    def _range(self) -> Bounds:
        least, greatest = zip(*(part.of.bounds() for part in self.mixture), strict=True)
        return min(least), None if None in greatest else max(greatest)


def _check_tail(far_out_ns: float, parameter: str) -> None:
    if far_out_ns > _MOST_NS:
        reject([((parameter,), "makes draws that exceed 146 years; give a lesser one")])


DISTRIBUTIONS: dict[str, type[DistributionForm]] = {
    "constant": ConstantForm,
    "uniform": UniformForm,
    "normal": NormalForm,
    "lognormal": LogNormalForm,
    "exponential": ExponentialForm,
    "gamma": GammaForm,
    "weibull": WeibullForm,
    "pareto": ParetoForm,
    "empirical": EmpiricalForm,
    "mixture": MixtureForm,
}

AnyDistribution = Annotated[
    DistributionForm, OneKey(DISTRIBUTIONS, what="a distribution", bare="constant", bare_schema=DURATION_SCHEMA)
]

MixturePart.model_rebuild()  # A mixture's parts may be mixtures.
MixtureForm.model_rebuild()
