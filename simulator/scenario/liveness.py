"""What a scenario demands of a cluster besides what its algorithm promises, and what it lets pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from simulator.cluster.stop import StopWhen
from simulator.protocol import Nanoseconds
from simulator.scenario.text.errors import Path
from simulator.scenario.text.fields import Duration, Model
from simulator.scenario.text.units import format_duration

if TYPE_CHECKING:
    from simulator.scenario.faults.forms import ScheduledForm
    from simulator.scenario.schema import Scenario


class Liveness(Model):
    """A leader whom a majority follows is there soon after the last fault has struck, or has been undone."""

    within: Annotated[Duration, Field(gt=0)] = Field(description="How soon.")


def troubles(scenario: Scenario) -> Iterator[tuple[Path, str]]:
    """Demands that no trial could fail or meet, and promises that are waived twice."""
    for position, guarantee in enumerate(scenario.waive):
        if guarantee in scenario.waive[:position]:
            yield ("waive", position), f"{guarantee} is named twice"
    if scenario.liveness is not None:
        yield from _undecidable(scenario, scenario.liveness.within)


def _undecidable(scenario: Scenario, within: Nanoseconds) -> Iterator[tuple[Path, str]]:
    here: Path = ("liveness", "within")
    bound, end = format_duration(within), format_duration(scenario.duration)
    if scenario.stop_when is StopWhen.LEADER_CLAIMED and scenario.cluster.nodes > 1:
        yield ("stop_when",), "leader-claimed ends a trial before anybody follows its leader; write leader-announced"
    if scenario.nemesis is not None and scenario.nemesis.quiet < within:
        quiet = format_duration(scenario.nemesis.quiet)
        yield here, f"{bound} is longer than the quiet after the nemesis, {quiet}; give nemesis.quiet: {bound} or more"
    last = max((_over_at(scenario, fault) for fault in scenario.faults), default=0)
    if last + within > scenario.duration:
        needed = format_duration(last + within)
        after = f"the last fault, over at {format_duration(last)} at the earliest," if last else "the start"
        yield here, f"{bound} after {after} is beyond the trial's end at {end}; give duration: {needed} or more"


def _over_at(scenario: Scenario, fault: ScheduledForm) -> Nanoseconds:
    """The earliest instant of a fault's last deed in the trial; 0 where it depends on an occasion."""
    if fault.at is None:
        return 0
    at, _ = fault.at.bounds()
    if at >= scenario.duration:
        return 0  # It is wrong, and reported.
    repaired = at + (0 if fault.lasts is None else fault.lasts.bounds()[0])
    return repaired if repaired < scenario.duration else at
