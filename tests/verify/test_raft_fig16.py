"""The Raft paper's election benchmark (figure 16): two ranges to calibrate on, four predicted, and what the paper says.

How long a write and a hop take is not published (fig16.py), so that these distances are reported, not passed or failed:
a bound keeps them from growing unseen. They are explained in docs/raft-verification.md.

Source: /work/shared/reference/README.md in the project's workspace, published/raft_fig16.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pytest
from matplotlib.figure import Figure

from simulator.cluster.cluster import run_trial
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import LEADER, MILLISECOND, SECOND, Nanoseconds
from simulator.report.figures.panels import Panel, panels_figure
from simulator.trace import event_types
from tests.verify.conftest import Figures
from tests.verify.fig16 import BROADCAST_MS, CALIBRATED_ON, benchmark, broadcast_ms, downtimes_ms
from tests.verify.parallel import over_trials
from tests.verify.quantiles import FIG16, Published, distance_to, published
from tests.verify.record import Comparison, Record

TRIALS = 10_000
AS_PUBLISHED = 1000  # Trials, of which the paper tells the worst.
CRITICAL_DISTANCE = 0.045  # At 5 %, 1000 against 10 000.
BOUND = 0.06
SOURCE = "Ongaro and Ousterhout 2014, figure 16"

pytestmark = pytest.mark.verify


def test_downtimes(record: Record, figures: Figures) -> None:
    """Six ranges, and the paper's headlines of them."""
    truths = {bounds: published(bounds, FIG16) for bounds in FIG16.data_sets}
    found = {bounds: downtimes_ms(bounds, TRIALS) for bounds in FIG16.data_sets}
    distances = {bounds: distance_to(found[bounds], truths[bounds]) for bounds in FIG16.data_sets}
    for bounds, distance in distances.items():
        assert np.isfinite(found[bounds]).all(), "a downtime was cut off by the end of its trial"
        what = "calibrated on" if bounds in CALIBRATED_ON else "predicted"
        print(f"figure 16, {bounds}: distance {distance:.4f}", flush=True)
        record.found.append(
            Comparison(
                f"downtime, {bounds} ms ({what}): median, ms",
                SOURCE,
                f"{truths[bounds].quantiles[FIG16.grid // 2 - 1]:.0f}",
                f"{np.median(found[bounds]):.0f}",
                f"KS {distance:.4f}",
                f"{CRITICAL_DISTANCE}",
                distance < CRITICAL_DISTANCE,
            )
        )
    record.found += [
        worst("150-200", "513", found),
        worst("12-24", "152", found),
        Comparison(
            "downtime, 12-24 ms: mean, ms",
            SOURCE,
            "35",
            f"{found['12-24'].mean():.0f}",
            f"{found['12-24'].mean() / 35 - 1:+.0%}",
            "10 %",
            abs(found["12-24"].mean() / 35 - 1) < 0.1,
        ),
    ]
    figures.save("raft-fig16", downtime_figure(found, truths, distances))
    assert max(distances.values()) < BOUND


def worst(bounds: str, printed: str, found: Mapping[str, np.ndarray]) -> Comparison:
    """The worst of as many trials as the paper had, over and over."""
    worst_ms = found[bounds].reshape(-1, AS_PUBLISHED).max(axis=1)
    return Comparison(
        f"downtime, {bounds} ms: worst of {AS_PUBLISHED} trials, ms",
        SOURCE,
        printed,
        f"{np.median(worst_ms):.0f} [{worst_ms.min():.0f} – {worst_ms.max():.0f}]",
        f"{np.median(worst_ms) - float(printed):+.0f}",
        f"the range of {len(worst_ms)} times",
        bool(worst_ms.min() <= float(printed) <= worst_ms.max()),
    )


def downtime_figure(
    found: Mapping[str, np.ndarray], truths: Mapping[str, Published], distances: Mapping[str, float]
) -> Figure:
    panels = []
    for bounds, truth in truths.items():
        what = "calibrated on" if bounds in CALIBRATED_ON else "predicted"
        samples = truth.quantiles if truth.samples is None else truth.samples
        title = f"{bounds.replace('-', '–')} ms"
        note = f"KS {distances[bounds]:.3f}\n{what}"
        panels.append(Panel(title=title, simulated=found[bounds], published=samples, note=note))
    return panels_figure(panels, columns=3, quantity="downtime", published_by="published")


def test_the_broadcast_time(record: Record) -> None:
    """Section 9.3: "a cluster of five servers with a broadcast time of roughly 15ms".

    Section 5.6 defines it: the average time that a server takes to send RPCs in parallel to all others and to receive
    their responses. The calibrated law has less; docs/raft-verification.md says why it stands nevertheless.
    """
    spec = benchmark("150-155")
    assert spec.disk.write is not None
    mean = broadcast_ms(spec.network.latency, spec.disk.write)
    record.found.append(
        Comparison(
            "figure 16: broadcast time as calibrated, ms",
            SOURCE,
            f"roughly {BROADCAST_MS}",
            f"{mean:.1f}",
            f"{mean - BROADCAST_MS:+.1f}",
            "2",
            abs(mean - BROADCAST_MS) < 2,
        )
    )
    assert 1 < mean < BROADCAST_MS + 2


def after_the_crash(spec: ClusterSpec, seed: int, trial: int) -> tuple[float, int]:
    """From the crash to the end of the trial in ms, at most; and how many leaders there were in this time.

    The trial ends once everybody names the current leader. The time is not a number if nobody crashed.
    """
    trace = run_trial(spec, seed, trial)
    crashed = [row.time_ns for row in trace.rows if row.kind == event_types.CRASHED]
    if not crashed:
        return float("nan"), 0
    claimed = sum(row.role is LEADER and row.time_ns > crashed[0] for row in trace.rows)
    return (trace.end_ns - crashed[0]) / MILLISECOND, claimed


def test_without_randomness_nobody_is_elected(record: Record) -> None:
    """Section 9.3, of no randomness: "leader election consistently took longer than 10 seconds in our tests due to many
    split votes. Adding just 5ms of randomness helps significantly".

    Timers start before the write (LogCabin, startNewElection), so that the random time of a write does not add to them.
    """
    spec = benchmark("150-150", "cluster.start={spread: 1s}", "duration=20s")
    waited = np.array([time for time, _ in over_trials(partial(after_the_crash, spec, 5), 200)])
    waited = waited[~np.isnan(waited)]
    share = float((waited > 10_000).mean())
    median = float(np.median(downtimes_ms("150-155", AS_PUBLISHED)))
    record.found.append(
        Comparison(
            "no randomness of timeouts, service times as calibrated: share of downtimes over 10 s",
            SOURCE,
            "all",
            f"{share:.2f} of {len(waited)}",
            "",
            "all",
            share == 1,
        )
    )
    assert len(waited) > 150
    assert share == 1
    assert median < 500


def claims(spec: ClusterSpec, since_ns: Nanoseconds, seed: int, trial: int) -> int:
    """How often a server became leader from an instant on, though none has failed."""
    return sum(row.role is LEADER and row.time_ns >= since_ns for row in run_trial(spec, seed, trial).rows)


def test_heartbeats_that_cannot_keep_up(record: Record) -> None:
    """Section 9.3: "lowering the timeouts beyond this point violates Raft's timing requirement: leaders have difficulty
    broadcasting heartbeats before other servers start new elections". Until there, downtimes become shorter.
    """
    deposed, unheard, waited = {}, {}, {}
    for bounds in ("150-300", "50-100", "25-50", "12-24", "6-12"):
        spec = benchmark(bounds, "faults=[]", "stop_when=null", "duration=12s")
        deposed[bounds] = 6 * float(np.mean(list(over_trials(partial(claims, spec, 2 * SECOND, 5), 60))))
        found = np.array(list(over_trials(partial(after_the_crash, benchmark(bounds), 5), AS_PUBLISHED)))
        waited[bounds] = float(np.nanmedian(found[:, 0]))
        unheard[bounds] = float((found[:, 1][found[:, 1] > 0] - 1).mean())
    record.found += [
        Comparison(
            f"leaders deposed in a minute though none has failed: {_told(deposed, 1)}",
            SOURCE,
            "more below 12-24 ms",
            f"{deposed['6-12']:.1f} at 6-12 ms",
            f"{deposed['6-12'] - deposed['12-24']:+.1f} against 12-24 ms",
            "",
            deposed["6-12"] > deposed["12-24"],
        ),
        Comparison(
            f"leaders deposed in a failover before all had heard them: {_told(unheard, 2)}",
            SOURCE,
            "more below 12-24 ms",
            f"{unheard['6-12']:.2f} at 6-12 ms",
            f"{unheard['6-12'] - unheard['12-24']:+.2f} against 12-24 ms",
            "",
            unheard["6-12"] > unheard["12-24"],
        ),
    ]
    assert waited["150-300"] > waited["50-100"] > waited["25-50"] > waited["12-24"] < waited["6-12"]
    assert unheard["6-12"] > unheard["12-24"] > unheard["150-300"]


def _told(found: Mapping[str, float], decimals: int) -> str:
    return ", ".join(f"{bounds} {value:.{decimals}f}" for bounds, value in found.items())
