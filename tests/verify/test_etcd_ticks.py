"""etcd's timeouts are whole ticks, uniform in E to 2E − 1, so that servers collide more often than in the paper.

Source: /work/shared/reference/README.md in the project's workspace, section "Closed forms".
"""

from __future__ import annotations

from functools import partial

import pytest
from scipy import stats

from simulator.algorithms.raft import dialect
from simulator.algorithms.registry import REGISTRY
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import CANDIDATE, MILLISECOND, SECOND
from tests.verify.parallel import over_trials
from tests.verify.record import Comparison, Record

TRIALS = 20_000
NODES, TICKS = 5, 10
TICK = 100 * MILLISECOND
LEVEL = 0.05

pytestmark = pytest.mark.verify


def collision_probability(nodes: int, ticks: int) -> float:
    """That two or more of the nodes share the least of their draws, each uniform over so many ticks."""
    alone = sum(nodes / ticks * ((ticks - tick) / ticks) ** (nodes - 1) for tick in range(1, ticks + 1))
    return 1 - alone


def shares_the_first_tick(spec: ClusterSpec, seed: int, trial: int) -> bool:
    """Whether two servers that started together stand within the tick of the first.

    Each server's ticks have a phase of their own, so that the first to stand need not be the first of its tick: what
    is counted are the ticks that each has waited. None of them has heard of another by then: messages take longer.
    """
    stood = [row.time_ns for row in run_trial(spec, seed, trial).rows if row.role is CANDIDATE]
    waited = [-(-time_ns // TICK) for time_ns in stood]  # The phase is within (0, tick]: the n-th tick ends its n-th.
    return waited.count(min(waited)) > 1


def test_collisions_of_ticks(record: Record) -> None:
    """Exact binomial test. Servers are too far apart to hear of each other before all have stood."""
    probability = collision_probability(NODES, TICKS)
    assert round(probability, 4) == 0.2333  # As printed in the reference.
    spec = ClusterSpec(
        registration=REGISTRY["raft"],
        config=dialect("etcd"),
        nodes=NODES,
        duration=2 * SECOND - TICK // 2,
        network=NetworkSpec(latency=Constant(10 * SECOND)),
    )
    collided = sum(over_trials(partial(shares_the_first_tick, spec, 11), TRIALS))
    test = stats.binomtest(collided, TRIALS, probability)
    low, high = test.proportion_ci(method="wilson")
    record.found.append(
        Comparison(
            f"etcd: {NODES} nodes, {TICKS} ticks: two or more share the first tick",
            "closed form",
            f"{probability:.4f}",
            f"{collided / TRIALS:.4f} [{low:.4f} – {high:.4f}]",
            f"p = {test.pvalue:.3f}",
            f"{LEVEL}",
            bool(test.pvalue > LEVEL),
        )
    )
    assert test.pvalue > LEVEL
