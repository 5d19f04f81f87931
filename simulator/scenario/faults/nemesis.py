"""How a scenario writes a random fault process: a mix of faults, how often they come, and how long they last."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from simulator.cluster.faults import nemesis as cluster
from simulator.protocol import Nanoseconds
from simulator.scenario.faults.forms import AnyWeighted
from simulator.scenario.text.errors import shown
from simulator.scenario.text.fields import Duration, Flag, Model
from simulator.scenario.text.units import LONGEST, UNITS, format_duration

SIZES = ("minority", "majority", "all")
_LONGEST_MEAN: Nanoseconds = LONGEST >> 4  # A draw of 128 means still fits into 64 bits, and none is that long.


def _mean(mean: Nanoseconds) -> Nanoseconds:
    if mean > _LONGEST_MEAN:
        raise ValueError(f"{format_duration(mean)} is too long for a mean; at most {_LONGEST_MEAN // UNITS['h']}h")
    return mean


def _size(value: object) -> object:
    if value in SIZES or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise ValueError(f"{shown(value)} is not a number of nodes; write {', '.join(SIZES)}, or a number from 1 on")


_SIZE_SCHEMA = {"anyOf": [{"enum": list(SIZES)}, {"type": "integer", "minimum": 1}]}
AtMost = Annotated[Any, BeforeValidator(_size), WithJsonSchema(_SIZE_SCHEMA)]
Mean = Annotated[Duration, Field(gt=0), AfterValidator(_mean)]


class Nemesis(Model):
    """Faults that are injected at random and repaired again, from its start until the quiet at the end of the trial."""

    mix: tuple[AnyWeighted, ...] = Field(min_length=1, description="What may go wrong, each with its weight.")
    time_to_failure: Mean = Field(
        description="The mean time from one failure to the next, in the whole cluster; exponential."
    )
    time_to_repair: Mean = Field(description="The mean time until a failure is repaired; exponential.")
    start: Duration = Field(default=0, description="When it begins.")
    quiet: Duration = Field(default=0, description="How long before the end of the trial all its faults are repaired.")
    at_most: AtMost = Field(
        default="minority", description="How many nodes may be affected at once: minority, majority, all, or a number."
    )
    swarm: Flag = Field(
        default=False, description="Whether each trial draws which entries of the mix it has, and their weights."
    )

    def most(self, nodes: int) -> int:
        """How many nodes may be affected at once in a cluster with this number of nodes."""
        sizes = {"minority": (nodes - 1) // 2, "majority": nodes // 2 + 1, "all": nodes}
        return self.at_most if isinstance(self.at_most, int) else sizes[self.at_most]

    def value(self, nodes: int, duration: Nanoseconds) -> cluster.Nemesis:
        """The nemesis in the form that the cluster uses."""
        return cluster.Nemesis(
            mix=tuple((entry.weight, entry.fault()) for entry in self.mix),
            time_to_failure=self.time_to_failure,
            time_to_repair=self.time_to_repair,
            start=self.start,
            end=duration - self.quiet,
            at_most=self.most(nodes),
            swarm=self.swarm,
        )
