"""Heartbeats and the fixed timeout, to the nanosecond. By Chen, Toueg and Aguilera (2002)."""

from __future__ import annotations

import pytest

from simulator.algorithms.detectors import Heartbeat, HeartbeatOptions
from simulator.algorithms.omega import OMEGA, OmegaConfig
from simulator.analysis.statistics.estimates import rate
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant
from simulator.cluster.faults.node_faults import Crash, Pause
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.faults.slowdowns import SkewClock
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec
from simulator.metrics.detection import by_pair, detection_quality
from simulator.protocol import SECOND
from simulator.trace import event_types
from tests.algorithms.detectors.bed import MS, Bed

OPTIONS = HeartbeatOptions(interval=100 * MS, timeout=250 * MS)


def test_it_trusts_and_starts_a_timer_with_each_newer_heartbeat() -> None:
    # The common algorithm: with each heartbeat q trusts p and starts a timer with a fixed timeout; where it expires
    # before a newer heartbeat has come, q suspects p.
    bed = Bed(OPTIONS)
    assert bed.deadline_ms == 250
    assert bed.arrives(30, Heartbeat(1)).deadline_ms == 280
    assert not bed.until(279.999999).suspects
    assert bed.until(280).suspects
    assert not bed.arrives(300, Heartbeat(2)).suspects
    assert bed.deadline_ms == 550
    assert bed.opinions() == ["suspects", "trusts"]


def test_a_heartbeat_that_was_overtaken_or_doubled_postpones_nothing() -> None:
    # Only a newer heartbeat counts: one that was sent before another that has come says nothing of now.
    bed = Bed(OPTIONS).arrives(130, Heartbeat(2))
    assert bed.arrives(140, Heartbeat(1)).deadline_ms == 380
    assert bed.arrives(150, Heartbeat(2)).deadline_ms == 380
    assert bed.until(380).arrives(390, Heartbeat(1)).suspects


def test_numbers_begin_anew_after_a_restart() -> None:
    # A restarted node has forgotten its numbers: its first heartbeat is news, and those of its earlier life are not.
    bed = Bed(OPTIONS).arrives(130, Heartbeat(70))
    assert bed.arrives(200, Heartbeat(1, since=160 * MS)).deadline_ms == 450
    assert bed.arrives(210, Heartbeat(71)).deadline_ms == 450


def test_a_sender_whose_clock_went_back_is_believed_once_it_is_suspected() -> None:
    # `since` is told by a wall clock, "which may be wrong" (protocol.py): it must not keep a node down for ever.
    bed = Bed(OPTIONS).arrives(100, Heartbeat(1, since=9 * SECOND))
    assert bed.arrives(200, Heartbeat(1, since=SECOND)).deadline_ms == 350
    assert bed.until(350).suspects
    assert not bed.arrives(360, Heartbeat(2, since=SECOND)).suspects
    assert bed.arrives(460, Heartbeat(3, since=SECOND)).deadline_ms == 710


def test_a_stranger_is_not_watched() -> None:
    bed = Bed(OPTIONS, nodes=3)
    bed.detector.watch([2])
    bed.arrives(10, Heartbeat(1), sender=3)
    assert "detector silence 3" not in bed.bench.node(1).timers
    bed.detector.watch([])
    assert bed.deadline_ms is None and not bed.until(1000).suspects


def test_heartbeats_are_sent_at_their_times_and_stop() -> None:
    # p sends its heartbeats m_1, m_2, … at regular times, η apart; here the first at once.
    bed = Bed(OPTIONS).until(250)
    assert bed.sent() == ["Heartbeat(number=1)", "Heartbeat(number=2)", "Heartbeat(number=3)"]
    bed.detector.show([])
    bed.until(1000)
    assert len(bed.sent()) == 3
    bed.detector.show([2])  # Another series: numbers tell when they were due.
    assert bed.sent()[3:] == [f"Heartbeat(number=1, since={1000 * MS})"]


@pytest.mark.parametrize(("bad", "says"), [({"interval": 0}, "interval: "), ({"timeout": 0}, "timeout: ")])
def test_options_without_sense_are_refused(bad: dict[str, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        HeartbeatOptions(**bad)


# --- In a cluster


def spec(*faults: Scheduled, nodes: int = 3, seconds: int = 5) -> ClusterSpec:
    network = NetworkSpec(latency=Constant(20 * MS))
    config = OmegaConfig(detector=OPTIONS)
    return ClusterSpec(
        registration=OMEGA, config=config, nodes=nodes, duration=seconds * SECOND, network=network, faults=faults
    )


@pytest.mark.parametrize(("crash_ms", "detected_ms"), [(2000.000001, 270 - 0.000001), (2099.999999, 170.000001)])
def test_detection_takes_the_timeout_and_a_delay_at_most(crash_ms: float, detected_ms: float) -> None:
    # What the paper's introduction says of the common algorithm: the worst case is the timeout plus the delay of the
    # last heartbeat, sent right before the crash. The best is an interval less. Heartbeats leave at 0, 100 ms, … and
    # take 20 ms.
    crash = Scheduled(at=Constant(round(crash_ms * MS)), fault=Crash(2))
    qualities = by_pair(run_trial(spec(crash), seed=1, trial=0))
    assert {tuple(qualities[watcher, 2].detections) for watcher in (1, 3)} == {(round(detected_ms * MS),)}
    assert all(quality.mistakes == 0 for quality in qualities.values())


def test_after_a_pause_heartbeats_keep_their_beat() -> None:
    # m_i is due at i·η, whatever befell p: paused from 1010 to 1350 ms, it sends number 14 late (due at 1300), then 15
    # at 1400. Whoever counted on would have sent number 12 at 1350.
    pause = Scheduled(at=Constant(1010 * MS), fault=Pause(2), lasts=Constant(340 * MS))
    trace = run_trial(spec(pause, seconds=2), seed=1, trial=0, journal=True)
    sent = [(row.sent_ns // MS, row.text) for row in trace.messages if row.sender == 2 and row.to == 1]
    assert [beat for beat in sent if 1000 <= beat[0] <= 1400] == [
        (1000, "Heartbeat(number=11)"),
        (1350, "Heartbeat(number=14)"),
        (1400, "Heartbeat(number=15)"),
    ]


@pytest.mark.parametrize("drift_ppb", [-200_000, 1_000, 333_333])
def test_a_drifting_clock_sends_each_number_once(drift_ppb: int) -> None:
    # Timers of a drifting clock are rounded to true nanoseconds: no number may be sent twice, or left out, by that.
    skew = Scheduled(at=Constant(0), fault=SkewClock(2, drift_ppb=drift_ppb))
    trace = run_trial(spec(skew, seconds=3), seed=1, trial=0, journal=True)
    numbers = [row.text for row in trace.messages if row.sender == 2 and row.to == 1]
    assert numbers == [f"Heartbeat(number={number})" for number in range(1, len(numbers) + 1)]
    assert len(numbers) in (30, 31)


def test_what_a_detector_watches_is_told_to_the_trace() -> None:
    trace = run_trial(spec(seconds=1), seed=1, trial=0)
    assert {(row.node, row.field("nodes")) for row in trace.of_type(event_types.WATCHES)} == {
        (1, (2, 3)),
        (2, (1, 3)),
        (3, (1, 2)),
    }


@pytest.mark.parametrize("losses", [1, 2])
def test_mistakes_by_loss_alone_are_as_frequent_and_as_long_as_they_must_be(losses: int) -> None:
    # With a constant delay and the timeout between k and k + 1 intervals, a mistake is k lost heartbeats in a row after
    # one that came: p^k (1 - p) of them per interval. It lasts from the timeout to the next arrival, k + 1 intervals
    # after the last or, with probability p each, one more, and so on: (k + 1) η - TO + η p / (1 - p) on average.
    loss, timeout_ms = 0.3, 100 * losses + 40
    options = HeartbeatOptions(interval=100 * MS, timeout=timeout_ms * MS)
    spec = ClusterSpec(
        registration=OMEGA,
        config=OmegaConfig(detector=options),
        nodes=4,
        duration=1000 * SECOND,
        network=NetworkSpec(latency=Constant(20 * MS), loss=loss),
    )
    quality = detection_quality(run_trial(spec, seed=3, trial=0))
    per_second = loss**losses * (1 - loss) / 0.1
    found = rate(quality.mistakes, quality.watched_ns / SECOND)
    assert quality.mistakes > 5000 and found.low < per_second < found.high
    lasts = 0.1 * (losses + 1) - timeout_ms / 1e3 + 0.1 * loss / (1 - loss)
    assert quality.mistaken_ns / SECOND / quality.mistakes == pytest.approx(lasts, rel=0.04)
