"""Warnings about valid scenarios whose parameters leave no room for an election. Shown before a run."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.scenario.schema import Scenario
from simulator.scenario.text.units import format_duration


def advice(scenario: Scenario) -> list[str]:
    """The warnings, one line each. Empty if there are none."""
    return list(_timing(scenario))


def _timing(scenario: Scenario) -> Iterator[str]:
    """The timing requirement: broadcast time ≪ election timeout (Raft, section 5.6)."""
    timeouts = getattr(scenario.algorithm, "election_timeout", None)
    if timeouts is None:
        return
    least = timeouts[0] if isinstance(timeouts, tuple) else timeouts
    heartbeat = getattr(scenario.algorithm, "heartbeat_interval", None)
    if heartbeat is not None and heartbeat >= least:
        yield (
            f"algorithm.heartbeat_interval: {format_duration(heartbeat)} is not below the least election timeout, "
            f"{format_duration(least)}: followers will depose a healthy leader"
        )
    one_way = round(scenario.network.latency.bounds()[0] * scenario.network.latency_factor)
    if scenario.cluster.nodes > 1 and 2 * one_way >= least:
        yield (
            f"algorithm.election_timeout: {format_duration(least)} is not above the least round trip, "
            f"{format_duration(2 * one_way)}: candidates may start another election before any vote can arrive"
        )
