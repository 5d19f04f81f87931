"""How a scenario writes a published distribution, to compare its results with."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from simulator.scenario.durations.distributions import AnyDistribution
from simulator.scenario.text.errors import FieldErrors, reject
from simulator.scenario.text.fields import Duration, Model, Number
from simulator.scenario.text.units import format_duration


class Published(Model):
    """A published distribution of the same experiment. Tables and figures show it beside the simulated one."""

    metric: Literal[
        "failover", "detection", "election", "announcement_majority", "announcement_all", "downtime", "stabilisation"
    ] = Field(description="The metric that was measured, by its name in docs/metrics.md.")
    source: Annotated[str, StringConstraints(min_length=1)] = Field(
        description="The publication to cite, and its licence."
    )
    quantiles: tuple[tuple[Annotated[Number, Field(gt=0, lt=1)], Duration], ...] = Field(
        default=(),
        description="Pairs of a probability and its quantile. Both rise from pair to pair.",
        examples=[[[0.5, "150ms"]]],
    )
    mean: Duration | None = Field(default=None, description="The published mean.")
    counted_from: AnyDistribution | None = Field(
        default=None,
        description="How long after its start a published duration begins to count, drawn for each; null: at once.",
    )

    free: tuple[str, ...] = Field(
        default=(),
        description="Fields that may be overridden, in addition to trials and seed: the figures hold for any value. "
        "A field stands for all its parts.",
        examples=[["cluster.nodes", "network.latency"]],
    )
    changed: tuple[str, ...] = Field(
        default=(),
        description="Fields that an override has changed since. electsim writes them when it keeps a scenario. If "
        "there are any, the figures are left out.",
    )

    @model_validator(mode="after")
    def _check(self) -> Published:
        reject(self._errors())
        return self

    def _errors(self) -> FieldErrors:
        if not self.quantiles and self.mean is None:
            yield (), "gives neither quantiles nor a mean"
        for position, (earlier, later) in enumerate(pairwise(self.quantiles), start=1):
            if not (earlier[0] < later[0] and earlier[1] <= later[1]):
                pair = f"[{later[0]}, {format_duration(later[1])}]"
                yield ("quantiles", position), f"{pair} does not rise from the pair before it"
