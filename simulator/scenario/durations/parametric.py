"""How a scenario writes the distributions that a formula defines: normal, lognormal, exponential and so on."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from simulator.cluster.distributions import Distribution, Exponential, Gamma, LogNormal, Normal, Pareto, Weibull
from simulator.protocol import Nanoseconds
from simulator.scenario.durations.form import Bounds, DistributionForm, check_tail
from simulator.scenario.text.errors import reject
from simulator.scenario.text.fields import DURATION_SCHEMA, Duration, Model, Number, allow_short
from simulator.scenario.text.units import format_duration

_P99 = NormalDist().inv_cdf(0.99)


class NormalParameters(Model):
    """The mean and the standard deviation of the normal distribution, before values of 0 or less are redrawn."""

    mean: Duration
    sd: Duration

    @model_validator(mode="after")
    def _check(self) -> NormalParameters:
        if self.mean == 0:  # If the mean is above 0, at least half of all draws are kept.
            reject([(("mean",), "0s is not above 0; values of 0 and less are redrawn")])
        check_tail(self.mean + 10.0 * self.sd, "sd")
        return self


class NormalForm(DistributionForm):
    """The normal distribution. A value of 0 or less is drawn again."""

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
        names = {name for name in type(self).model_fields if getattr(self, name) is not None}
        if names not in ({"median", "sigma"}, {"median", "p99"}, {"mean", "sigma"}):
            reject([((), "give median and sigma, median and p99, or mean and sigma")])
        for name in ("median", "mean"):
            if getattr(self, name) == 0:
                reject([((name,), "0s is not above 0; its logarithm is needed")])
        if self.p99 is not None and self.median is not None and self.p99 < self.median:
            reject([(("p99",), f"{format_duration(self.p99)} is below the median, {format_duration(self.median)}")])
        median, sigma = self.median_and_sigma()
        if median == 0:
            reject([(("sigma",), "puts the median below 1ns; give a lesser one, or a greater mean")])
        check_tail(median * math.exp(10 * sigma), "p99" if self.p99 is not None else "sigma")
        return self

    def median_and_sigma(self) -> tuple[Nanoseconds, float]:
        """The median in nanoseconds, rounded, and sigma."""
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
    """The lognormal distribution: many short durations and few long ones."""

    lognormal: LogNormalParameters

    def _unbounded(self) -> Distribution:
        return LogNormal(*self.lognormal.median_and_sigma())

    def _range(self) -> Bounds:
        return 0, None


class ExponentialParameters(Model):
    """The sum of a constant floor and an exponential duration with the given mean."""

    mean: Duration
    floor: Duration = 0

    @model_validator(mode="before")
    @classmethod
    def _mean_alone(cls, data: Any) -> Any:
        return data if isinstance(data, dict | Model) else {"mean": data}

    @model_validator(mode="after")
    def _check(self) -> ExponentialParameters:
        check_tail(self.floor + 50.0 * self.mean, "mean")
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
    """The sum of a constant floor and a gamma duration with the given shape and mean."""

    shape: Annotated[Number, Field(ge=0.01, le=1_000_000)]
    mean: Duration
    floor: Duration = 0

    @model_validator(mode="after")
    def _check(self) -> GammaParameters:
        scale = self.mean / self.shape
        check_tail(self.floor + scale * (self.shape + 10 * math.sqrt(self.shape) + 50), "mean")
        return self


class GammaForm(DistributionForm):
    """The gamma distribution, above a floor. With a whole shape, it is the sum of this many exponential durations."""

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
        check_tail(self.scale * 50 ** (1 / self.shape), "shape")
        return self


class WeibullForm(DistributionForm):
    """The Weibull distribution. It is exponential if the shape is 1, and has a longer tail if the shape is less."""

    weibull: WeibullParameters

    def _unbounded(self) -> Distribution:
        return Weibull(float(self.weibull.shape), self.weibull.scale)

    def _range(self) -> Bounds:
        return 0, None


class ParetoParameters(Model):
    """P(longer than t) = (scale / t) ^ shape, for t above the scale, which is the minimum."""

    scale: Annotated[Duration, Field(gt=0)]
    shape: Annotated[Number, Field(ge=0.1, le=1000)]


class ParetoForm(DistributionForm):
    """The Pareto distribution: a power law above its minimum."""

    pareto: ParetoParameters

    def _unbounded(self) -> Distribution:
        return Pareto(self.pareto.scale, float(self.pareto.shape))

    def _range(self) -> Bounds:
        return self.pareto.scale, None
