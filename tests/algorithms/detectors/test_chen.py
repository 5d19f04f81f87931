"""Chen, Toueg and Aguilera's estimated arrival (NFD-E), by hand and against their theorem."""

from __future__ import annotations

import math

import pytest
from scipy import integrate

from simulator.algorithms.detectors import ChenOptions, Heartbeat
from simulator.algorithms.omega import OMEGA, OmegaConfig
from simulator.analysis.statistics.estimates import rate
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Exponential
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec
from simulator.metrics.detection import Quality, detection_quality
from simulator.protocol import SECOND
from tests.algorithms.detectors.bed import MS, Bed

OPTIONS = ChenOptions(interval=100 * MS, alpha=50 * MS, window=3)


def test_the_next_arrival_is_estimated_as_in_the_paper() -> None:
    # EA(l+1) = (1/n) Σ (A_i - η s_i) + (l+1) η. Numbers 1, 2, 4 arrive at 110, 230 and 420: their shifts are 10, 30 and
    # 20, of mean 20, and EA(5) = 520. Then 5 arrives at 505, shift 5; 1 has left the window: (30 + 20 + 5)/3 + 600.
    bed = Bed(OPTIONS)
    assert bed.deadline_ms == 150
    assert bed.arrives(110, Heartbeat(1)).deadline_ms == 10 + 200 + 50
    assert bed.arrives(230, Heartbeat(2)).deadline_ms == 20 + 300 + 50
    assert bed.arrives(420, Heartbeat(4)).deadline_ms == 20 + 500 + 50
    assert bed.arrives(505, Heartbeat(5)).deadline_ms == pytest.approx(55 / 3 + 600 + 50, abs=1e-6)


def test_a_late_heartbeat_does_not_put_off_the_deadline() -> None:
    # What a timeout that is counted from the last arrival does wrong, as the paper's introduction says: 2, 60 ms late,
    # moves the deadline of number 3 by a mere half of that, with two heartbeats in the window.
    bed = Bed(OPTIONS).arrives(100, Heartbeat(1)).arrives(260, Heartbeat(2))
    assert bed.deadline_ms == 30 + 300 + 50


def test_a_heartbeat_after_its_successors_deadline_is_not_trusted() -> None:
    # NFD-E trusts at t only if t is before the freshness point τ_(l+1): here (0 + 700)/2 + 300 + 50 = 700, past.
    # Then number 9 comes at 910: (0 + 700 + 10)/3 + 1000 + 50 = 1286.7.
    bed = Bed(OPTIONS).arrives(100, Heartbeat(1))
    assert bed.until(250).suspects
    assert bed.arrives(900, Heartbeat(2)).suspects
    assert not bed.arrives(910, Heartbeat(9)).suspects
    assert bed.deadline_ms == pytest.approx(1286.67, abs=0.01)


def test_a_heartbeat_that_was_overtaken_counts_in_the_estimate_once() -> None:
    # The estimate is over the n most recent heartbeats: without the late ones, which others overtake, it would be too
    # early, and the theorem below would not hold. Shifts 10 (number 2), 115 (number 1, late, and not once more for its
    # duplicate) and 20 (number 3).
    bed = Bed(OPTIONS).arrives(210, Heartbeat(2))
    deadline = bed.deadline_ms
    assert bed.arrives(215, Heartbeat(1)).deadline_ms == deadline
    assert bed.arrives(220, Heartbeat(1)).deadline_ms == deadline
    assert bed.arrives(320, Heartbeat(3)).deadline_ms == pytest.approx((10 + 115 + 20) / 3 + 400 + 50, abs=1e-6)


def test_a_restarted_sender_is_estimated_anew() -> None:
    # Its numbers begin anew: the shifts of its earlier life would be off by all the time that it has lived.
    bed = Bed(OPTIONS).arrives(910, Heartbeat(10)).arrives(1010, Heartbeat(11))
    assert bed.arrives(1050, Heartbeat(1, since=1030 * MS)).deadline_ms == 1050 + 100 + 50


@pytest.mark.parametrize(
    ("bad", "says"), [({"interval": 0}, "interval: "), ({"alpha": -1}, "alpha: "), ({"window": 0}, "window: ")]
)
def test_options_without_sense_are_refused(bad: dict[str, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ChenOptions(**bad)


# --- The theorem


def nfd_s(interval: float, shift: float, mean_delay: float, loss: float) -> tuple[float, float]:
    """Mistakes per second, and the share of time in a mistake, for exponential delays: the paper's theorem on NFD-S.

    p_j(x) = p_L + (1 - p_L) P(D > δ + x - jη); u(x) = Π_{j=0..k} p_j(x) with k = ⌈δ/η⌉; q_0 = (1 - p_L) P(D < δ + η);
    p_s = q_0 u(0); E(T_MR) = η / p_s and E(T_M) = ∫ u(x) dx / p_s over 0..η.
    """

    def later(time: float) -> float:
        return 1.0 if time <= 0 else math.exp(-time / mean_delay)

    def u(x: float) -> float:
        count = math.ceil(shift / interval)
        return math.prod(loss + (1 - loss) * later(shift + x - j * interval) for j in range(count + 1))

    p_s = (1 - loss) * (1 - later(shift + interval)) * u(0)
    suspecting, _ = integrate.quad(u, 0, interval, points=[-shift % interval])
    return p_s / interval, suspecting / interval


@pytest.mark.parametrize(("mean_ms", "alpha_ms", "loss"), [(30, 60, 0.1), (80, 140, 0.0), (20, 130, 0.2)])
def test_mistakes_are_as_frequent_and_as_long_as_the_theorem_says(mean_ms: int, alpha_ms: int, loss: float) -> None:
    # Section 6: NFD-E behaves as NFD-S with δ = E(D) + α once its estimate is good, here of a thousand heartbeats.
    trials = [trial_of(mean_ms, alpha_ms, loss, trial) for trial in range(3)]
    mistakes = sum(quality.mistakes for quality in trials)
    watched = sum(quality.watched_ns for quality in trials) / SECOND
    per_second, share = nfd_s(0.1, (mean_ms + alpha_ms) / 1e3, mean_ms / 1e3, loss)
    found = rate(mistakes, watched)
    assert mistakes > 500
    # The estimate itself wavers by 1/√1000 of a mean delay, 3 %: so much the rate may be off, besides chance.
    assert found.low * 0.97 < per_second < found.high * 1.03
    assert sum(quality.mistaken_ns for quality in trials) / SECOND / watched == pytest.approx(share, rel=0.1)


def trial_of(mean_ms: int, alpha_ms: int, loss: float, trial: int) -> Quality:
    options = ChenOptions(interval=100 * MS, alpha=alpha_ms * MS, window=1000)
    network = NetworkSpec(latency=Exponential(mean_ms * MS), loss=loss)
    spec = ClusterSpec(
        registration=OMEGA,
        config=OmegaConfig(detector=options),
        nodes=4,
        duration=600 * SECOND,
        network=network,
    )
    return detection_quality(run_trial(spec, seed=5, trial=trial))


def test_the_theorem_is_written_down_right() -> None:
    # Without delays, every loss after a heartbeat that came is a mistake: p (1 - p) per interval. With δ of half an
    # interval, that of a lost heartbeat lasts at least half of one, when the next is due: in that half the suspicion
    # stands where one is lost, in the other where two in a row are: (p + p²)/2 of the time.
    per_second, share = nfd_s(0.1, 0.05, 1e-9, 0.2)
    assert per_second == pytest.approx(0.2 * 0.8 / 0.1)
    assert share == pytest.approx((0.2 + 0.2**2) / 2)
