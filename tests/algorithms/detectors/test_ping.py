"""Pings with retries, to the nanosecond: by their definition (docs/detectors.md)."""

from __future__ import annotations

import pytest

from simulator.algorithms.detectors import Ping, PingOptions, Pong
from simulator.algorithms.omega import OMEGA, OmegaConfig
from simulator.analysis.statistics.estimates import rate
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant
from simulator.cluster.faults.node_faults import Crash
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec
from simulator.metrics.detection import detection_quality
from simulator.protocol import SECOND
from tests.algorithms.detectors.bed import MS, Bed

OPTIONS = PingOptions(interval=1000 * MS, timeout=50 * MS, retries=2)


def test_a_node_that_answers_nothing_is_asked_again_and_then_suspected() -> None:
    bed = Bed(OPTIONS).until(149.999999)
    assert bed.sent() == ["Ping(number=1)", "Ping(number=2)", "Ping(number=3)"]
    assert not bed.suspects
    assert bed.until(150).suspects
    assert bed.until(1000).sent()[3:] == ["Ping(number=4)"]  # It goes on asking, once every interval.


def test_an_answer_to_any_try_of_the_round_will_do() -> None:
    assert Bed(OPTIONS).arrives(120, Pong(1)).until(999).opinions() == []


def test_a_late_answer_ends_a_suspicion() -> None:
    bed = Bed(OPTIONS).until(150)
    assert bed.suspects
    assert not bed.arrives(160, Pong(2)).suspects


def test_an_answer_of_an_earlier_round_or_life_is_stale() -> None:
    # It says that the node was up when it was asked, not that it is.
    bed = Bed(OPTIONS).arrives(10, Pong(1)).until(1160)
    assert bed.suspects
    assert bed.arrives(1170, Pong(1)).suspects
    assert bed.arrives(1180, Pong(2, since=77)).suspects
    assert not bed.arrives(1190, Pong(2)).suspects


def test_it_answers_whoever_asks_whatever_it_shows() -> None:
    bed = Bed(OPTIONS, nodes=3)
    bed.detector.show([])
    bed.arrives(5, Ping(9, since=4), sender=3)
    assert [str(one) for one in bed.bench.sent if "Pong" in str(one)] == ["1->3 Pong(number=9, since=4)"]


def test_who_is_not_watched_any_more_is_not_asked() -> None:
    bed = Bed(OPTIONS)
    bed.detector.watch([])
    assert bed.until(5000).sent() == ["Ping(number=1)"]
    assert bed.arrives(5010, Pong(1)).opinions() == []


def cluster(options: PingOptions, *faults: Scheduled, loss: float = 0.0, seconds: int = 10) -> ClusterSpec:
    return ClusterSpec(
        registration=OMEGA,
        config=OmegaConfig(detector=options),
        nodes=3,
        duration=seconds * SECOND,
        network=NetworkSpec(latency=Constant(10 * MS), loss=loss),
        faults=faults,
    )


def test_detection_takes_an_interval_and_all_tries_at_most() -> None:
    # The worst case: it dies right after it has answered the ping that reached it at 2010 ms. The next leaves at 3000
    # ms and is the first of three tries of 50 ms: 3150 ms. The best: it dies right before, 2150 ms.
    for crash_ns, detected_ns in ((2010 * MS + 1, 1140 * MS - 1), (2010 * MS - 1, 140 * MS + 1)):
        crash = Scheduled(at=Constant(crash_ns), fault=Crash(3))
        quality = detection_quality(run_trial(cluster(OPTIONS, crash), seed=1, trial=0))
        assert quality.detections == [detected_ns, detected_ns]


def test_a_mistake_takes_a_lost_message_in_every_try() -> None:
    # A try fails where the ping or the pong is lost, 1 - (1 - p)²; a round where all three do. A round that fails lasts
    # as long as any other, an interval; those after a failed one are no new mistakes: q (1 - q) per interval.
    options = PingOptions(interval=200 * MS, timeout=50 * MS, retries=2)
    quality = detection_quality(run_trial(cluster(options, loss=0.3, seconds=2000), seed=1, trial=0))
    fails = (1 - 0.7**2) ** 3
    found = rate(quality.mistakes, quality.watched_ns / SECOND)
    assert quality.mistakes > 3000 and found.low < fails * (1 - fails) / 0.2 < found.high


@pytest.mark.parametrize(
    ("bad", "says"), [({"interval": 0}, "interval: "), ({"timeout": 0}, "timeout: "), ({"retries": -1}, "retries: ")]
)
def test_options_without_sense_are_refused(bad: dict[str, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        PingOptions(**bad)


def test_the_least_that_can_work_is_allowed() -> None:
    """ "must be above 0": one nanosecond is, and no retry is a number of retries."""
    assert PingOptions(interval=1, timeout=1, retries=0).detection_bound(0) > 0
