"""The distributions of durations that a scenario can write. A new one is a form and an entry in `DISTRIBUTIONS`."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from simulator.cluster.distributions import Constant, Distribution, Mixture, Uniform
from simulator.scenario.durations.empirical import EmpiricalForm
from simulator.scenario.durations.form import Bounds, DistributionForm
from simulator.scenario.durations.histogram import HistogramForm
from simulator.scenario.durations.parametric import (
    ExponentialForm,
    GammaForm,
    LogNormalForm,
    NormalForm,
    ParetoForm,
    WeibullForm,
)
from simulator.scenario.text.errors import reject
from simulator.scenario.text.fields import DURATION_SCHEMA, Duration, DurationRange, Model, Number
from simulator.scenario.text.tagged_unions import KeyTaggedUnion
from simulator.scenario.text.units import format_duration


class ConstantForm(DistributionForm):
    """Always the same duration. A plain duration means this too."""

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
    """Every duration in the range is equally likely. Both ends are included."""

    uniform: DurationRange

    def _unbounded(self) -> Distribution:
        return Uniform(*self.uniform)

    def _range(self) -> Bounds:
        return self.uniform


class MixturePart(Model):
    """One of the distributions of a mixture."""

    weight: Annotated[Number, Field(gt=0, le=1)] = Field(
        description="The proportion of durations that are drawn from it."
    )
    of: AnyDistribution = Field(description="The distribution.")


class MixtureForm(DistributionForm):
    """Several distributions. Each duration is drawn from one of them, which is chosen at random by weight."""

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
    "histogram": HistogramForm,
    "mixture": MixtureForm,
}

AnyDistribution = Annotated[
    DistributionForm, KeyTaggedUnion(DISTRIBUTIONS, what="a distribution", bare="constant", bare_schema=DURATION_SCHEMA)
]

MixturePart.model_rebuild()  # The parts of a mixture may be mixtures.
MixtureForm.model_rebuild()
