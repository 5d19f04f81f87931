"""Whether keep-alives can be skipped where the scenario requires it."""

from __future__ import annotations

from simulator.cluster.fast_forward import refusal
from simulator.scenario.schema import Scenario
from simulator.scenario.text.errors import FieldErrors


def fast_forward_errors(scenario: Scenario) -> FieldErrors:
    """The reason why nothing can be skipped, if the scenario requires fast-forward."""
    if scenario.fast_forward == "required" and (reason := refusal(scenario.cluster_spec())) is not None:
        yield ("fast_forward",), f"is impossible here: {reason}; give auto, or change that"
