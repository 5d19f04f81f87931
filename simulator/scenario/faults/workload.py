"""How a scenario writes what clients ask for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simulator.cluster.workload import Workload
from simulator.scenario.text.fields import Duration, Integer, Model, Number


class WorkloadForm(Model):
    """Clients' commands to the leader, with exponential times between them."""

    rate_per_s: Annotated[Number, Field(gt=0, le=1_000_000)] = Field(description="How many a second, on average.")
    size_bytes: Annotated[Integer, Field(ge=1, le=1 << 30)] = Field(default=100, description="The size of each.")
    start: Duration = Field(default=0, description="When the first may come.")

    def value(self) -> Workload:
        """The workload in the form that the cluster uses."""
        return Workload(rate_per_s=self.rate_per_s, size_bytes=self.size_bytes, start=self.start)
