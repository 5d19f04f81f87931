"""What a scenario means: the cluster that it describes, and its defaults."""

from __future__ import annotations

import pytest

from simulator.algorithms.raft import RaftConfig
from simulator.cluster.distributions import Constant, Distribution, Exponential, LogNormal, Normal, Uniform
from simulator.cluster.faults.link_degradation import Degrade, Heal
from simulator.cluster.faults.link_faults import LinkTargets
from simulator.cluster.faults.nemesis import Nemesis
from simulator.cluster.faults.node_faults import Amnesia, Crash, Pause, Restart, Resume
from simulator.cluster.faults.partitions import Isolate, Partition
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import DEFAULT_EVENT_LIMIT, ClusterSpec, DiskSpec, LogSpec
from simulator.cluster.stop import StopWhen
from simulator.protocol import MILLISECOND, SECOND, Guarantee
from simulator.scenario import loads
from simulator.scenario.algorithms import ALGORITHMS
from tests.support.scenarios import RICH, SMALL

MS = MILLISECOND


def spec(text: str, *overrides: str) -> ClusterSpec:
    return loads(text, "test.yaml", overrides).cluster_spec()


def test_every_part_arrives_in_the_cluster() -> None:
    """One scenario with every part of the schema in it (issue 2, part 5), worked out by hand."""
    built = spec(RICH)
    assert built == ClusterSpec(
        registration=ALGORITHMS["raft"].registration,
        config=RaftConfig(
            election_timeout=(150 * MS, 300 * MS),
            heartbeat_interval=50 * MS,
            vote_retry_interval=20 * MS,
            new_term_heartbeat_only_steps_down=True,
        ),
        nodes=5,
        duration=4 * SECOND,
        absent=frozenset({5}),
        start=Uniform(0, 100 * MS),
        logs=LogSpec(lengths=(1, 2, 3, 4, 5), permuted=True),
        disk=DiskSpec(write=LogNormal(MS, 0.5), blocking=False),
        network=NetworkSpec(latency=Normal(5 * MS, 3 * MS), loss=0.001, duplication=0.001),
        faults=(
            Scheduled(at=Uniform(1 * SECOND, 1050 * MS), fault=Crash("leader")),
            Scheduled(at=Constant(1500 * MS), fault=Partition(((1, "leader"), (3,)))),
            Scheduled(at=Exponential(100 * MS, SECOND), fault=Pause(2)),
            Scheduled(at=Exponential(SECOND, 0), fault=Resume("all")),
            Scheduled(at=Constant(2 * SECOND), fault=Heal()),
            Scheduled(at=Constant(2500 * MS), fault=Restart("all")),
        ),
        nemesis=Nemesis(
            mix=(
                (3.0, Crash("random")),
                (1.0, Isolate("leader")),
                (1.0, Degrade(links=LinkTargets(nodes=("random",)), latency=Constant(50 * MS))),
                (1.0, Amnesia(2)),
            ),
            time_to_failure=500 * MS,
            time_to_repair=200 * MS,
            start=100 * MS,
            end=3 * SECOND,  # 4 s, and a quiet of 1 s before.
            at_most=1,
            swarm=True,
        ),
        stop_when=StopWhen.LEADER_STABLE,
        stable_after=SECOND,
        liveness_within=SECOND,
        waived=frozenset({Guarantee.ONE_VOTE, Guarantee.ELECTION_SAFETY}),
        event_limit=1_000_000,
    )


def test_the_defaults_are_those_of_the_cluster() -> None:
    """Two places that state a default must state the same one."""
    built, plain = (
        spec(SMALL),
        ClusterSpec(registration=ALGORITHMS["raft"].registration, config=None, nodes=5, duration=1),
    )
    assert built.config == RaftConfig()
    assert (built.network, built.disk, built.logs) == (plain.network, plain.disk, plain.logs)
    assert (built.start, built.absent, built.faults) == (plain.start, plain.absent, plain.faults)
    assert built.stop_when is None
    assert built.event_limit == DEFAULT_EVENT_LIMIT
    assert built.memory_limit_bytes == plain.memory_limit_bytes


@pytest.mark.parametrize(("interval", "stable_after"), [("50ms", 800 * MS), ("150ms", 2400 * MS)])
def test_a_stable_leader_lasts_sixteen_heartbeat_intervals(interval: str, stable_after: int) -> None:
    """design.md, section 5: "the first claim that then lasts (by default 16 heartbeat intervals)"."""
    assert spec(SMALL, f"algorithm.heartbeat_interval={interval}").stable_after == stable_after


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("5ms", Constant(5 * MS)),
        ("0", Constant(0)),
        ("{constant: 5ms}", Constant(5 * MS)),
        ("{uniform: [5ms, 15ms]}", Uniform(5 * MS, 15 * MS)),
        ("{uniform: [5ms, 5ms]}", Uniform(5 * MS, 5 * MS)),
        ("{normal: {mean: 5ms, sd: 3ms}}", Normal(5 * MS, 3 * MS)),
        ("{lognormal: {median: 5ms, sigma: 1}}", LogNormal(5 * MS, 1.0)),
        ("{exponential: 5ms}", Exponential(5 * MS, 0)),
        ("{exponential: {mean: 5ms, floor: 1ms}}", Exponential(5 * MS, MS)),
    ],
)
def test_every_distribution_can_be_written(written: str, means: Distribution) -> None:
    """Issue 2, part 4: constant, uniform, normal, lognormal and exponential latency."""
    assert spec(SMALL, f"network.latency={written}").network.latency == means


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("together", Constant(0)),
        ("{spread: 1s}", Uniform(0, SECOND)),
        ("{uniform: [1s, 2s]}", Uniform(SECOND, 2 * SECOND)),
    ],
)
def test_nodes_start_together_or_spread(written: str, means: Distribution) -> None:
    """Issue 2, part 5: "start together or spread"."""
    assert spec(SMALL, f"cluster.start={written}").start == means


@pytest.mark.parametrize(
    ("written", "means"),
    [("same", None), ("{lengths: [5, 4, 3, 2, 1]}", LogSpec(lengths=(5, 4, 3, 2, 1)))],
)
def test_logs_are_alike_or_of_given_lengths(written: str, means: LogSpec | None) -> None:
    """Issue 2, part 3: "Logs are given as lengths for now." """
    assert spec(SMALL, f"cluster.logs={written}").logs == means


def test_a_majority_may_be_absent() -> None:
    """A cluster that can never elect is a legitimate study of campaigns without a winner."""
    assert spec(SMALL, "cluster.absent=[n1, n2, n3]").absent == {1, 2, 3}


def test_a_scenario_is_a_value() -> None:
    """Frozen configuration (design.md, section 2), equal when its parts are, however they were written."""
    assert loads(SMALL) == loads(SMALL, "elsewhere", ["network.latency={constant: 5ms}"])
    assert loads(SMALL) != loads(SMALL, "elsewhere", ["network.latency=6ms"])
    with pytest.raises(ValueError, match="frozen"):
        loads(SMALL).seed = 2
