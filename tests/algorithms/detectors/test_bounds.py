"""What each detector's options say of it: how late messages may be, and how long a death goes unnoticed, at most.

Assumption 8 of Garcia-Molina (1982) bounds the time of a message; these are the bounds that an algorithm's own
(`delay_bound`, `stabilization_bound`) are made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.algorithms.detectors import ChenOptions, ExternalOptions, HeartbeatOptions, PhiOptions, PingOptions
from simulator.algorithms.omega import OMEGA, OmegaConfig
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant, Distribution, Mixture
from simulator.cluster.faults.node_faults import Crash
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec
from simulator.metrics.detection import Quality, detection_quality
from simulator.protocol import MILLISECOND, SECOND, Nanoseconds

MS = MILLISECOND


def milliseconds(low: int, high: int) -> st.SearchStrategy[Nanoseconds]:
    return st.integers(low, high).map(lambda duration: duration * MS)


asking: dict[str, Any] = {
    "interval": milliseconds(20, 150),
    "timeout": milliseconds(20, 100),
    "retries": st.integers(0, 3),
}
OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "heartbeat": milliseconds(20, 100).flatmap(
        lambda interval: st.builds(
            HeartbeatOptions, interval=st.just(interval), timeout=milliseconds(interval // MS + 1, 300)
        )
    ),
    "ping": st.builds(PingOptions, **asking),
    "chen": st.builds(
        ChenOptions, interval=milliseconds(20, 100), alpha=milliseconds(1, 200), window=st.integers(1, 40)
    ),
    "phi": st.builds(
        PhiOptions,
        interval=milliseconds(20, 100),
        threshold=st.floats(1, 12),
        window=st.integers(2, 40),
        least_deviation=milliseconds(1, 40),
    ),
    "external": st.builds(ExternalOptions, **asking),
}


def quality(options: Any, latency: Distribution, crash_at: Nanoseconds | None, seed: int = 1) -> Quality:
    """Of three nodes that watch each other for four seconds, of which one may die."""
    spec = ClusterSpec(
        registration=OMEGA,
        config=OmegaConfig(detector=options),
        nodes=3,
        duration=4 * SECOND,
        network=NetworkSpec(latency=latency),
        faults=() if crash_at is None else (Scheduled(at=Constant(crash_at), fault=Crash(2)),),
    )
    return detection_quality(run_trial(spec, seed=seed, trial=0))


def at_once_or_after(delay: Nanoseconds) -> Distribution:
    """Every message takes no time, or as long as it may: nothing in between is worse."""
    return Mixture(((0.5, Constant(0)), (0.5, Constant(delay))))


@pytest.mark.parametrize("name", OPTIONS)
@settings(max_examples=25, deadline=None)
@given(st.data(), st.integers(0, 999))
def test_who_is_up_is_never_suspected_while_no_message_is_later_than_tolerated(
    name: str, data: st.DataObject, seed: int
) -> None:
    options = data.draw(OPTIONS[name])
    assert quality(options, at_once_or_after(options.delay_bound()), None, seed).mistakes == 0


@pytest.mark.parametrize(
    "options",
    [
        HeartbeatOptions(interval=50 * MS, timeout=200 * MS),
        PingOptions(interval=100 * MS, timeout=50 * MS, retries=0),  # With retries, an answer may just win a tie.
        ChenOptions(interval=50 * MS, alpha=150 * MS, window=1),
        ExternalOptions(interval=100 * MS, timeout=50 * MS, retries=0),
    ],
    ids=lambda options: type(options).__name__,
)
def test_a_nanosecond_more_is_a_mistake(options: Any) -> None:
    """Not so for φ, whose mean is as low as the bound has it only when the delays conspire."""
    bound = options.delay_bound()
    assert quality(options, at_once_or_after(bound), None).mistakes == 0
    assert quality(options, at_once_or_after(bound + 1), None).mistakes > 0


@pytest.mark.parametrize("name", OPTIONS)
@settings(max_examples=25, deadline=None)
@given(st.data(), milliseconds(0, 150), st.integers(SECOND, 2 * SECOND), st.integers(0, 999))
def test_who_is_down_is_suspected_in_time(
    name: str, data: st.DataObject, delay: Nanoseconds, crash_at: Nanoseconds, seed: int
) -> None:
    """Also with delays under which the detector makes mistakes."""
    options = data.draw(OPTIONS[name])
    bound = options.detection_bound(delay)
    found = quality(options, at_once_or_after(delay), crash_at, seed)
    if crash_at + bound < 4 * SECOND:
        assert found.undetected == 0
    assert all(time <= bound for time in found.detections)


@pytest.mark.parametrize(
    ("options", "crash_at"),
    [  # Right after the heartbeat of 1 s, or the answer to the round that begins then: every interval divides 1 s.
        (HeartbeatOptions(interval=50 * MS, timeout=200 * MS), SECOND + 1),
        (PingOptions(interval=100 * MS, timeout=50 * MS, retries=2), SECOND + 1),
        (ChenOptions(interval=50 * MS, alpha=150 * MS), SECOND + 1),
        (ExternalOptions(interval=100 * MS, timeout=50 * MS, retries=2), SECOND + 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_it_takes_that_long_at_worst(options: Any, crash_at: Nanoseconds) -> None:
    detections: Sequence[Nanoseconds] = quality(options, Constant(0), crash_at).detections
    assert detections == [options.detection_bound(0) - 1] * 2


def test_the_bounds_of_the_defaults_as_the_page_states_them() -> None:
    """docs/detectors.md, "How late, and how long"; worked out by hand from its formulas, for a delay of 10 ms."""
    told = {
        type(options).__name__: (options.delay_bound() / MS, options.detection_bound(10 * MS) / MS)
        for options in (HeartbeatOptions(), PingOptions(), ChenOptions(), PhiOptions(), ExternalOptions())
    }
    assert {name: (round(tolerated, 3), round(detected, 3)) for name, (tolerated, detected) in told.items()} == {
        "HeartbeatOptions": (150, 210),  # 200 - 50; 200 + 10.
        "PingOptions": (75, 250),  # 3 * 50 / 2; 100 + 3 * 50.
        "ChenOptions": (150, 210),  # α; 50 + 150 + 10.
        "PhiOptions": (37.413, 142.65),  # 2/3 * 5.612 * 10; 10 + 50 + 12.5 + 5.612 * 12.5.
        "ExternalOptions": (75, 260),  # As ping, and a report.
    }
