"""The law of the recipe's failover, for any tickTime and session timeout: simulated, and drawn from the rules alone.

With T the session's timeout and t the tick, a client whose pings are I apart, and that dies at any instant, was last
heard of U(0, I) before, where I is drawn in proportion to its length. Its session ends when the leader next looks after
T from then on, that is T + U(0, t) later; and U(0, t/2) later still where another server has to tell the leader, as it
does twice a tick. Messages take almost no time. So failover is

    T - U(0, I) + U(0, t)                where the client was connected with the ensemble's leader,
    T - U(0, I) + U(0, t/2) + U(0, t)    where it was not,

with all draws independent. Intervals are uniform from T/6 to T/3. Were they all alike, pings would keep step with the
leader's ticks, since the last thing that a client did before it fell idle was to answer an event that a tick set off.
Whether this is also what a real ZooKeeper does, `test_measured_zookeeper.py` asks, of one setting.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy import stats

from simulator.analysis.statistics.significance import holm
from simulator.cluster.cluster import run_trial
from simulator.cluster.spec import ClusterSpec
from simulator.metrics.elections import Cause, elections
from simulator.protocol import SECOND
from tests.verify.parallel import over_trials
from tests.verify.raft_trials import scenario_spec
from tests.verify.record import Comparison, Record

TRIALS, DRAWN = 800, 100_000
LEVEL = 0.01
SETTINGS = ((0.2, 1.0), (0.5, 2.0), (0.5, 7.0), (2.0, 6.0), (3.0, 10.0))  # tickTime and session timeout, in s.

pytestmark = pytest.mark.verify


def failover(spec: ClusterSpec, seed: int, trial: int) -> tuple[float, bool]:
    """In s; and whether the dead client was connected with the ensemble's leader."""
    trace = run_trial(spec, seed, trial)
    *_, ended = trace.of_type("session-expired")
    *_, lost = (one for one in elections(trace) if one.cause is Cause.LOSS)
    assert lost.failover_ns is not None
    return lost.failover_ns / SECOND, ended.field("server") == ended.node


def law(tick: float, timeout: float, told: bool, source: np.random.Generator) -> np.ndarray:
    """Shape (DRAWN,), in s; `told`: by another server."""
    intervals = source.uniform(timeout / 6, timeout / 3, 3 * DRAWN)
    hit = intervals[source.uniform(0, timeout / 3, intervals.size) < intervals][:DRAWN]  # The longer, the more often.
    buckets, words = (source.uniform(0, longest, DRAWN) for longest in (tick, tick / 2))
    return np.asarray(timeout - hit * source.uniform(0, 1, DRAWN) + buckets + (words if told else 0))


def test_failover_follows_the_law(record: Record) -> None:
    """KS for each setting and each kind of server, Holm-corrected; and means to within four standard errors."""
    source = np.random.default_rng(7)
    names, p_values = [], []
    for seed, (tick, timeout) in enumerate(SETTINGS, start=71):
        found = simulate(tick, timeout, seed)
        for told in (False, True):
            sample = np.array([time for time, direct in found if direct is not told])
            drawn = law(tick, timeout, told, source)
            distance = stats.ks_2samp(sample, drawn)
            by = "another server" if told else "the leader"
            names.append(
                f"ZooKeeper's recipe, tick {tick:g} s, session {timeout:g} s, client at {by}: failover, mean in s"
            )
            p_values.append(float(distance.pvalue))
            error = sample.std(ddof=1) / len(sample) ** 0.5
            print(f"{names[-1]}: {sample.mean():.4f} of {drawn.mean():.4f}, n {len(sample)}, {distance.statistic:.4f}")
            assert len(sample) > TRIALS / 5
            assert abs(sample.mean() - drawn.mean()) < 4 * error + 0.001
            record.found.append(
                Comparison(
                    names[-1],
                    "the law of its rules",
                    f"{drawn.mean():.3f}",
                    f"{sample.mean():.3f}",
                    f"KS {distance.statistic:.4f}",
                    f"p {LEVEL} by Holm",
                    distance.pvalue > LEVEL,
                )
            )
    assert min(holm(p_values)) > LEVEL, [*zip(names, p_values, strict=True)]


def simulate(tick: float, timeout: float, seed: int) -> list[tuple[float, bool]]:
    """Candidates start anew once the ensemble serves, each at any instant, and the kill comes at any of a long time.

    Those that had waited for the ensemble would all begin with its leader's ticks, and keep step with them.
    """
    starts = ", ".join(f"{{at: {{uniform: [15s, 22s]}}, bounce: n{node}, lasts: 10ms}}" for node in (1, 2, 3))
    spec = scenario_spec(
        "zookeeper-leader-killed",
        f"algorithm.tick_time={round(1000 * tick)}ms",
        f"algorithm.session_timeout={round(1000 * timeout)}ms",
        f"algorithm.ping_jitter=[0ms, {round(1000 * timeout / 6)}ms]",
        "network.latency=20us",
        f"faults=[{starts}, {{at: {{uniform: [45s, 75s]}}, kill: leader}}]",
        "duration=100s",
    )
    return list(over_trials(partial(failover, spec, seed), TRIALS))
