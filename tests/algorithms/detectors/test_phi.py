"""φ accrual: the deadline is where φ, evaluated as Hayashibara et al. (2004) define it, reaches the threshold."""

from __future__ import annotations

import math
import random
from statistics import NormalDist, fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.algorithms.detectors import Heartbeat, PhiOptions
from simulator.algorithms.detectors.phi import Accrual, deviations
from tests.algorithms.detectors.bed import MS, Bed


def phi(silence: float, mean: float, deviation: float) -> float:
    """-log10 P_later(t), P_later(t) = 1 - F(t): the upper tail of the normal distribution, by erfc for its digits."""
    return -math.log10(math.erfc((silence - mean) / deviation / math.sqrt(2)) / 2)


@pytest.mark.parametrize("threshold", [0.1, 0.5, 1.0, 3.0, 8.0, 16.0, 100.0])
def test_the_deviations_are_those_at_which_phi_reaches_the_threshold(threshold: float) -> None:
    assert phi(deviations(threshold), 0, 1) == pytest.approx(threshold, rel=1e-9)
    if threshold <= 3:  # Where 1 - 10^-Φ still has its digits, by the definition itself.
        assert NormalDist().cdf(deviations(threshold)) == pytest.approx(1 - 10**-threshold, rel=1e-9)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60), st.sampled_from([1.0, 4.0, 8.0, 12.0]))
def test_at_the_deadline_phi_is_the_threshold(times_ms: list[int], threshold: float) -> None:
    # Direct evaluation over the window: its last eight times, of which the first two are the interval ± a quarter.
    options = PhiOptions(interval=100 * MS, threshold=threshold, window=8, least_deviation=5 * MS)
    rule, now = Accrual(options), 1000 * MS
    rule.on_heartbeat(1, now)
    for number, time_ms in enumerate(times_ms, start=2):
        now += time_ms * MS
        deadline = rule.on_heartbeat(number, now)
    window = [75.0, 125.0, *times_ms][-8:]
    silence_ms = (deadline - now) / MS
    assert phi(silence_ms, fmean(window), max(5, pstdev(window))) == pytest.approx(threshold, rel=1e-4)


def test_regular_arrivals_leave_the_least_deviation() -> None:
    # Without it a deviation of zero would make of a nanosecond a mistake. A window of four regular times: the deadline
    # is the mean, 100 ms, plus z(8) = 5.612 deviations of 10 ms after the last arrival.
    bed = Bed(PhiOptions(interval=100 * MS, threshold=8.0, window=4, least_deviation=10 * MS))
    for number in range(1, 6):
        bed.arrives(100 * number, Heartbeat(number))
    assert bed.deadline_ms == pytest.approx(500 + 100 + 56.12, abs=0.01)


def test_it_adapts_to_jitter() -> None:
    # The paper's point: it adapts to the network. Arrivals that waver more are waited for longer.
    def patience(jitter_ms: int) -> float:
        source, bed = random.Random(1), Bed(PhiOptions(interval=100 * MS, window=50))
        for number in range(1, 60):
            bed.arrives(100 * number + source.randint(0, jitter_ms), Heartbeat(number))
        assert bed.deadline_ms is not None
        return bed.deadline_ms - bed.bench.now() / MS

    assert patience(5) < 165 < patience(80) < 400


def test_a_restart_is_no_long_time_between_heartbeats() -> None:
    # Its numbers begin anew, and so does the window: the time for which it was down is not one between heartbeats.
    bed = Bed(PhiOptions(interval=100 * MS, threshold=8.0, least_deviation=50 * MS))
    bed.arrives(100, Heartbeat(1)).arrives(200, Heartbeat(2)).arrives(5000, Heartbeat(1, since=4990 * MS))
    assert bed.deadline_ms == pytest.approx(5000 + 100 + 5.612 * 50, abs=0.1)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"interval": 0}, "interval: "),
        ({"threshold": 0.0}, "threshold: "),
        ({"threshold": 301.0}, "threshold: "),
        ({"threshold": float("nan")}, "threshold: "),
        ({"window": 1}, "window: "),
        ({"least_deviation": 0}, "least_deviation: "),
    ],
)
def test_options_without_sense_are_refused(bad: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        PhiOptions(**bad)  # type: ignore[arg-type]
