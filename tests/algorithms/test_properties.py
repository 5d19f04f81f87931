"""Every registered algorithm under random faults: what it promises, and that it elects again.

Issue 5: "only what its paper promises is enforced, under the assumptions that it states (a Hypothesis schedule inside
the assumptions never violates them); outside, incidents are metrics". Whatever is registered is covered.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from simulator.algorithms.registry import REGISTRY
from simulator.checks.safety import violations
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant, Uniform
from simulator.cluster.faults.partitions import Partition
from simulator.cluster.faults.registry import FAULTS
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec
from simulator.experiment.trial import TrialResult, measure
from simulator.protocol import LEADER, MILLISECOND, SECOND
from simulator.trace import event_types
from simulator.trace.trace import Trace
from tests.support.algorithm_schedules import NOT_DRAWN, can_agree, disagreement, faults_by_name, schedules

NAMES = sorted(REGISTRY)
# Those of long trials are tried by `make verify`. The fast tests have a schedule of each in `test_everybody.py`.
MOST = [pytest.param(name, marks=pytest.mark.verify) if name == "etcd-election" else name for name in NAMES]
WITH_ASSUMPTIONS = sorted(name for name in REGISTRY if REGISTRY[name].algorithm.assumes)
seeds = st.integers(0, 999)
quickly = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def played(spec: ClusterSpec, seed: int) -> tuple[Trace, TrialResult]:
    trace = run_trial(spec, seed, 0)
    return trace, measure(trace, spec, 0)


def would_be_violations(spec: ClusterSpec, trace: Trace) -> bool:
    """Whether the checks would complain, if the algorithm were held to its promises in this trial."""
    return bool(violations(trace, spec.registration.algorithm.guarantees, spec.stabilization_ns))


@pytest.mark.parametrize("name", MOST)
@quickly
@given(data=st.data(), seed=seeds)
def test_inside_its_assumptions_it_keeps_its_promises_and_elects_again(
    name: str, data: st.DataObject, seed: int
) -> None:
    """All that run, in the end, name one leader, who alone claims, as long as the algorithm can elect at all."""
    spec = data.draw(schedules(REGISTRY[name], inside=True))
    trace, result = played(spec, seed)
    assert result.row["assumptions_broken"] == ""
    assert result.violations == []
    if can_agree(spec):
        assert disagreement(trace) == []


@pytest.mark.parametrize("name", MOST)
@settings(quickly, max_examples=40)
@given(data=st.data(), seed=seeds)
def test_outside_of_them_it_elects_again_once_all_has_ended(name: str, data: st.DataObject, seed: int) -> None:
    """Also where that is not promised. What went wrong meanwhile is no violation: either it is allowed, or excused."""
    spec = data.draw(schedules(REGISTRY[name], inside=False))
    trace, result = played(spec, seed)
    assert result.violations == []
    if can_agree(spec):
        assert disagreement(trace) == []


@pytest.mark.parametrize("name", MOST)
@settings(quickly, max_examples=40)
@given(data=st.data(), seed=seeds)
def test_outside_of_them_incidents_are_metrics(name: str, data: st.DataObject, seed: int) -> None:
    """Where the checks would have complained and do not, the trial says which assumption it broke."""
    spec = data.draw(schedules(REGISTRY[name], inside=False, ends=False))
    trace, result = played(spec, seed)
    assert result.violations == []
    if would_be_violations(spec, trace):
        assert result.row["assumptions_broken"] != ""


@pytest.mark.parametrize("name", WITH_ASSUMPTIONS)
def test_a_partition_for_good_is_measured_and_not_failed(name: str) -> None:
    """design.md, rule 7: "Bully under a partition is measured, not failed": the checks would have complained."""
    cut = Scheduled(at=Constant(0), fault=Partition(((1, 2),)))
    registration = REGISTRY[name]
    config = registration.config()
    needs = registration.stabilization_bound(config, 5) if registration.stabilization_bound else 10 * SECOND
    spec = ClusterSpec(
        registration=registration, config=config, nodes=5, duration=2 * needs, faults=(cut,), longest_delay_ns=0
    )
    trace, result = played(spec, seed=1)
    assert would_be_violations(spec, trace)
    assert result.violations == []
    assert "no-partition" in result.row["assumptions_broken"].split(", ")
    assert result.row["overlap_s"] > 0 or result.row["disagreement_s"] > 0


@pytest.mark.parametrize("nodes", [2, 3, 5])
@pytest.mark.parametrize("name", WITH_ASSUMPTIONS)
def test_delays_beyond_the_bound_make_no_storm(name: str, nodes: int) -> None:
    """Messages may be late, and elections in vain, but none of them may lead to several, or soon there is nothing else.

    On a ring of two, each announcement that was acknowledged too late began an election, and each election two more.
    In twice the time there are twice the messages, or, where vain elections pile up, four times as many; a storm has
    thousands of times as many, or meets the limit of events.
    """
    registration = REGISTRY[name]
    config = registration.config()
    assert registration.delay_bound is not None
    late = registration.delay_bound(config) + 2 * MILLISECOND
    spec = ClusterSpec(
        registration=registration,
        config=config,
        nodes=nodes,
        duration=3 * SECOND,
        start=Uniform(0, 100 * MILLISECOND),
        network=NetworkSpec(latency=Constant(late)),
        event_limit=400_000,
    )
    once, twice = (sum(run_trial(replace(spec, duration=times * spec.duration), 1, 0).sent) for times in (1, 2))
    assert 0 < once <= twice <= 5 * once


@pytest.mark.parametrize("name", MOST)
def test_the_schedules_reach_what_they_are_about(name: str) -> None:
    """A property over schedules in which nothing happens would hold of anything: faults strike, leaders change."""
    reached: Counter[str] = Counter()

    @settings(max_examples=100, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
    @given(spec=schedules(REGISTRY[name], inside=False, ends=False), seed=seeds)
    def collect(spec: ClusterSpec, seed: int) -> None:
        trace, result = played(spec, seed)
        reached["faults"] += any(row.kind == event_types.FAULT for row in trace.rows)
        reached["claims"] += sum(row.role is LEADER for row in trace.rows) > 1
        reached["agreed"] += not disagreement(trace)
        reached["broken"] += result.row["assumptions_broken"] != ""
        reached["silenced"] += would_be_violations(spec, trace)
        reached["overlaps"] += result.row["overlap_s"] > 0
        reached["failovers"] += result.row["losses"] > 0

    collect()
    print(name, dict(reached))
    assert reached["faults"] >= 50
    assert reached["claims"] >= 10
    assert reached["agreed"] >= 20
    assert reached["overlaps"] + reached["failovers"] >= 15
    if name in WITH_ASSUMPTIONS:
        assert reached["broken"] >= 50
        assert reached["silenced"] >= 5


def test_every_fault_is_drawn_or_left_out_by_name() -> None:
    """A fault that is added is drawn from then on, or this says that it is not."""
    assert {*faults_by_name(3)} | NOT_DRAWN == {*FAULTS}
