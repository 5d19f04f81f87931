"""All that is wrong with a scenario whose fields are right."""

from __future__ import annotations

from simulator.scenario.consistency import (
    algorithm,
    clients,
    fast_forward,
    faults,
    liveness,
    memory,
    nemesis,
    published,
    targets,
)
from simulator.scenario.schema import Scenario
from simulator.scenario.text.errors import FieldErrors

_CHECKS = (
    algorithm.transport_errors,
    algorithm.log_errors,
    memory.memory_errors,
    fast_forward.fast_forward_errors,
    algorithm.member_errors,
    algorithm.command_errors,
    algorithm.stability_errors,
    clients.client_errors,
    clients.resource_errors,
    targets.placement_errors,
    faults.schedule_errors,
    nemesis.nemesis_errors,
    liveness.liveness_errors,
    published.free_errors,
)


def errors_of(scenario: Scenario) -> FieldErrors:
    """Every value of the scenario that does not fit the others, and why."""
    for check in _CHECKS:
        yield from check(scenario)
