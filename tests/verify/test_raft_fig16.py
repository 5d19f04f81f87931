"""The Raft paper's election benchmark (figure 16): two ranges to calibrate on, four predicted, and what the paper says.

How the broadcast time of 15 ms splits is not published (fig16.py), so that these distances are reported, not passed or
failed: a bound keeps them from growing unseen. They are explained in docs/raft-verification.md.

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
from simulator.protocol import LEADER
from simulator.report.figures.panels import Panel, panels_figure
from tests.verify.conftest import Figures
from tests.verify.fig16 import BROADCAST_MS, CALIBRATED_ON, benchmark, broadcast_ms, downtimes_ms
from tests.verify.parallel import over_trials
from tests.verify.quantiles import FIG16, Published, distance_to, published
from tests.verify.record import Comparison, Record

TRIALS = 10_000
AS_PUBLISHED = 1000  # Trials, of which the paper tells the worst.
CRITICAL_DISTANCE = 0.045  # At 5 %, 1000 against 10 000.
BOUND = 0.3
SOURCE = "Ongaro and Ousterhout 2014, figure 16"

pytestmark = pytest.mark.verify


def test_downtimes(record: Record, figures: Figures) -> None:
    """Six ranges, and the paper's headlines of them."""
    spec = benchmark("150-155")
    assert spec.disk.write is not None
    assert broadcast_ms(spec.network.latency, spec.disk.write) == pytest.approx(BROADCAST_MS, rel=0.02)
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


def test_a_little_randomness_removes_the_catastrophe(record: Record) -> None:
    """Section 9.3: without randomness, elections took over 10 s for their split votes; 5 ms of it help significantly.

    Here, service times are random, too, which breaks ties that constant ones would repeat for ever: what is held
    against the paper is that the time without a leader is several times as long.
    """
    none, little = downtimes_ms("150-150", AS_PUBLISHED), downtimes_ms("150-155", AS_PUBLISHED)
    constant = ("network.latency=1875us", "cluster.disk={write: 11250us, blocking: false}", "duration=14s")
    lockstep = (downtimes_ms("150-150", 100, *constant) > 10_000).mean()
    ratio = float(np.median(none) / np.median(little))
    record.found += [
        Comparison(
            "no randomness, constant service times: share of downtimes over 10 s",
            SOURCE,
            "over 10 s",
            f"{lockstep:.2f}",
            "",
            "all",
            bool(lockstep == 1),
        ),
        Comparison(
            "no randomness of timeouts, service times as calibrated: median, ms",
            SOURCE,
            "over 10000",
            f"{np.median(none):.0f}, {ratio:.1f} times that of 150-155 ms",
            "",
            "10000",
            bool(np.median(none) > 10_000),
        ),
    ]
    assert lockstep == 1
    assert ratio > 1.5


def claims(spec: ClusterSpec, seed: int, trial: int) -> int:
    """How often somebody became leader, though nobody has failed."""
    return sum(row.role is LEADER for row in run_trial(spec, seed, trial).rows)


def test_heartbeats_that_cannot_keep_up(record: Record) -> None:
    """Section 9.3: "lowering the timeouts beyond this point violates Raft's timing requirement: leaders have difficulty
    broadcasting heartbeats before other servers start new elections". Until there, downtimes become shorter.
    """
    seconds, per_minute = 20, {}
    for bounds in ("150-300", "50-100", "25-50", "12-24", "6-12"):
        spec = benchmark(bounds, "faults=[]", "stop_when=null", f"duration={seconds}s")
        counts = np.array(list(over_trials(partial(claims, spec, 5), 60)))
        per_minute[bounds] = float((counts - 1).mean()) * 60 / seconds
    told = ", ".join(f"{bounds} {rate:.1f}" for bounds, rate in per_minute.items())
    rising = list(per_minute.values())
    record.found.append(
        Comparison(
            f"leaders deposed in a minute though none has failed: {told}",
            SOURCE,
            "more below 12-24 ms",
            f"{rising[-1]:.0f} at 6-12 ms",
            f"{rising[-1] / max(rising[-2], 0.1):.1f} times 12-24 ms",
            "",
            rising == sorted(rising),
        )
    )
    medians = [
        float(np.median(downtimes_ms(bounds, AS_PUBLISHED))) for bounds in ("150-300", "100-200", "25-50", "12-24")
    ]
    assert medians == sorted(medians, reverse=True)
    assert rising == sorted(rising)
