"""What a scenario demands of a cluster, or waives: whether a trial could decide it."""

from __future__ import annotations

from simulator.cluster.stop import StopWhen
from simulator.protocol import Nanoseconds
from simulator.scenario.faults.forms import ScheduledForm
from simulator.scenario.schema import Scenario
from simulator.scenario.text.errors import FieldErrors, Path
from simulator.scenario.text.units import format_duration


def liveness_errors(scenario: Scenario) -> FieldErrors:
    """Guarantees that are waived twice, and a liveness bound that no trial could meet or could fail."""
    for position, guarantee in enumerate(scenario.waive):
        if guarantee in scenario.waive[:position]:
            yield ("waive", position), f"{guarantee} is named twice"
    if scenario.liveness is not None:
        yield from _bound_errors(scenario, scenario.liveness.within)


def _bound_errors(scenario: Scenario, within: Nanoseconds) -> FieldErrors:
    here: Path = ("liveness", "within")
    bound, end = format_duration(within), format_duration(scenario.duration)
    if scenario.stop_when is StopWhen.LEADER_CLAIMED and scenario.cluster.nodes > 1:
        yield ("stop_when",), "leader-claimed ends a trial before anybody follows its leader; write leader-announced"
    if scenario.nemesis is not None and scenario.nemesis.quiet < within:
        quiet = format_duration(scenario.nemesis.quiet)
        yield here, f"{bound} is longer than the quiet after the nemesis, {quiet}; give nemesis.quiet: {bound} or more"
    last = max((_end_of(scenario, fault) for fault in scenario.faults), default=0)
    if last + within > scenario.duration:
        needed = format_duration(last + within)
        after = f"the last fault, over at {format_duration(last)} at the earliest," if last else "the start"
        yield here, f"{bound} after {after} is beyond the trial's end at {end}; give duration: {needed} or more"


def _end_of(scenario: Scenario, fault: ScheduledForm) -> Nanoseconds:
    """The earliest instant of the trial after which the fault does nothing more. 0 if the fault waits for a trigger."""
    if fault.at is None:
        return 0
    at, _ = fault.at.bounds()
    if at >= scenario.duration:
        return 0  # The checks in `faults` report this error.
    repaired = at + (0 if fault.lasts is None else fault.lasts.bounds()[0])
    return repaired if repaired < scenario.duration else at
