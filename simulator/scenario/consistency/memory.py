"""The nodes against the memory limit."""

from __future__ import annotations

from simulator.cluster.memory import bytes_of_nodes, format_bytes
from simulator.scenario.schema import Scenario
from simulator.scenario.text.errors import FieldErrors


def memory_errors(scenario: Scenario) -> FieldErrors:
    """Nodes that would exceed the memory limit before any message is sent."""
    registration = scenario.algorithm.registration
    needed = bytes_of_nodes(scenario.size, registration.bytes_per_pair)
    if needed > scenario.limits.memory:
        yield (
            ("cluster", "nodes"),
            f"{scenario.size} nodes of {registration.name} take about {format_bytes(needed)}, above limits.memory "
            f"({format_bytes(scenario.limits.memory)}); give fewer nodes, or raise limits.memory",
        )
