"""`network.latency_factor`: all latencies multiplied, with the same random numbers."""

from __future__ import annotations

import numpy as np
import pytest

import simulator
from simulator.cluster.distributions import durations
from simulator.randomness import Streams

LATENCIES = [
    "5ms",
    "{uniform: [1ms, 9ms]}",
    "{normal: {mean: 50ms, sd: 3ms}}",
    "{lognormal: {median: 5ms, p99: 40ms}}",
    "{exponential: 2ms}",
    "{gamma: {shape: 2, mean: 5ms}}",
    "{weibull: {shape: 0.7, scale: 5ms}}",
    "{pareto: {scale: 1ms, shape: 3}}",
    "{empirical: {samples: 1ms 4ms 9ms}}",
    "{mixture: [{weight: 0.9, of: 1ms}, {weight: 0.1, of: {exponential: 20ms}}], at_least: 2ms}",
]


def drawn(latency: str, factor: float) -> np.ndarray:
    overrides = [f"network.latency={latency}", f"network.latency_factor={factor}"]
    network = simulator.load("raft-leader-crash", overrides).cluster_spec().network
    supply = durations(network.latency, Streams(1, 0), "n1 latency")
    return np.array([next(supply) for _ in range(500)], dtype=float)


@pytest.mark.parametrize("latency", LATENCIES)
def test_each_draw_is_multiplied(latency: str) -> None:
    """Every law is of a scale family: the same random number gives a multiple, but for rounding."""
    assert np.allclose(drawn(latency, 2.5), 2.5 * drawn(latency, 1), rtol=1e-6, atol=2)


def test_a_topology_is_multiplied_and_the_bound_too() -> None:
    """Half of the round trip between Sydney and São Paulo, 328 ms (docs/network.md), twice as slow."""
    plain = simulator.load("raft-world", ["network.latency=1ms"])
    twice = simulator.load("raft-world", ["network.latency=1ms", "network.latency_factor=2"])
    assert (plain.longest_delay(), twice.longest_delay()) == (165_000_000, 330_000_000)
    assert simulator.run(plain, trials=1).digest != simulator.run(twice, trials=1).digest


def test_the_usual_factor_is_left_out_of_the_resolved_scenario() -> None:
    """Digests of scenarios and results stay as they were."""
    assert "latency_factor" not in simulator.load("raft-world").model_dump(mode="json")["network"]
