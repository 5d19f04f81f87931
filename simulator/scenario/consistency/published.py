"""The published figures against the scenario that they hold for."""

from __future__ import annotations

from simulator.scenario.export import resolved
from simulator.scenario.schema import Scenario
from simulator.scenario.text.errors import FieldErrors, alternatives, shown


def free_errors(scenario: Scenario) -> FieldErrors:
    """Fields in `published.free` that the scenario does not have."""
    if scenario.published is None or not scenario.published.free:
        return
    whole = resolved(scenario)
    for position, name in enumerate(scenario.published.free):
        here = whole
        for step in name.split("."):
            if isinstance(here, list):
                here = {str(number): part for number, part in enumerate(here)}
            if not isinstance(here, dict):  # A field of a part that the scenario does not give.
                break
            if step not in here:
                message = f"{shown(name)}: the scenario has no field {shown(step)}; {alternatives(step, list(here))}"
                yield ("published", "free", position), message
                break
            here = here[step]
