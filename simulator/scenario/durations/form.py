"""The base of every distribution of durations in a scenario: the key `at_least`, and bounds."""

from __future__ import annotations

from typing import Any, TypeAlias

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from simulator.cluster.distributions import AtLeast, Distribution
from simulator.protocol import Nanoseconds
from simulator.scenario.text.errors import reject
from simulator.scenario.text.fields import Duration, Model

_MOST_NS = 1 << 62  # Draws are 64-bit integers.

Bounds: TypeAlias = tuple[Nanoseconds, Nanoseconds | None]


class DistributionForm(Model):
    """A distribution of durations."""

    at_least: Duration = Field(default=0, description="Every shorter duration is raised to this one.")

    def value(self) -> Distribution:
        """Converts this form to the simulator's `Distribution`."""
        return AtLeast(self.at_least, self._unbounded()) if self.at_least else self._unbounded()

    def bounds(self) -> Bounds:
        """The least and the greatest duration that can be drawn, in nanoseconds. None means that there is no bound."""
        least, greatest = self._range()
        return max(least, self.at_least), None if greatest is None else max(greatest, self.at_least)

    def _unbounded(self) -> Distribution:
        """The simulator's `Distribution`, without `at_least`."""
        raise NotImplementedError

    def _range(self) -> Bounds:
        """The bounds, without `at_least`."""
        raise NotImplementedError

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        written = handler(self)
        bound = written.pop("at_least")
        return {**written, "at_least": bound} if self.at_least else written


def check_tail(far_out_ns: float, parameter: str) -> None:
    """Rejects `parameter` if a duration far out in the tail does not fit into the integers that are drawn."""
    if far_out_ns > _MOST_NS:
        reject([((parameter,), "makes draws that exceed 146 years; give a lesser one")])
