"""Fast-forward changes no result: with and without, a trial has the same digest (issue 14, "Years in seconds").

"Held by equality: a property test over random scenarios, with and without, same digest; the journal run is the plain
run." The large one is in tests/verify/test_fast_forward.py.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

import simulator
from simulator.cluster.cluster import Cluster, run_trial
from simulator.cluster.kernel import EventLimitError
from simulator.cluster.spec import ClusterSpec
from simulator.scenario.text.errors import ScenarioError
from simulator.trace.trace import Trace
from tests.support.fast_forward import OPTIONS, scenario

CALM = """\
version: 1
name: calm
algorithm: {name: raft}
cluster: {nodes: 5}
network: {latency: {uniform: [5ms, 15ms]}}
faults:
  - {at: 50s, crash: leader}
duration: 100s
"""


def spec_of(text: str) -> ClusterSpec:
    return simulator.loads(text).cluster_spec()


def plain(spec: ClusterSpec, seed: int) -> Trace:
    return run_trial(replace(spec, fast_forward=False), seed, 0)


def same(trace_a: Trace, trace_b: Trace) -> bool:
    """Whether two traces are equal in all that the digest covers, and in bytes."""
    return trace_a.digest == trace_b.digest and trace_a.extra_bytes == trace_b.extra_bytes


@pytest.mark.parametrize("algorithm", OPTIONS)
def test_random_scenarios_have_the_same_digest_with_and_without(algorithm: str) -> None:
    """ "They can be skipped without changing one bit of the trial" (issue 14)."""
    skipped = 0
    for seed in range(25 if algorithm == "raft" else 10):
        try:
            spec = spec_of(scenario(algorithm, seed))
        except ScenarioError:  # A nemesis whose faults are too large for the cluster.
            continue
        cluster = Cluster(spec, seed, 0)
        assert same(cluster.run(), plain(spec, seed)), f"{algorithm}, seed {seed}"
        skipped += cluster.skipped_ns > 0
    assert skipped > 1, "a test in which nothing is skipped shows nothing"


def test_most_of_a_calm_period_is_skipped() -> None:
    """What costs no time is what is not simulated: of 100 s with one crash, more than 95 s."""
    cluster = Cluster(spec_of(CALM), 7, 0)
    cluster.run()
    assert cluster.skipped_ns > 95_000_000_000


def test_journal_run_is_the_plain_run() -> None:
    """ "the journal run is the plain run": it shows each message, and has the digest of a run that shows none."""
    spec = spec_of(CALM)
    journalled = run_trial(spec, 7, 0, journal=True)
    assert len(journalled.messages) == sum(journalled.sent) > 10_000
    assert same(journalled, run_trial(spec, 7, 0))


@pytest.mark.parametrize("spare", [-1, 0, 1, 500])
def test_skipped_events_count_towards_the_limit(spare: int) -> None:
    """ "skipped events count towards limits.events": a trial exceeds it with fast-forward if it does without."""
    spec = replace(spec_of(CALM), duration=10_000_000_000)
    limited = replace(spec, event_limit=_events(spec) + spare)
    if spare < 1:  # The end of the trial is an event, too.
        with pytest.raises(EventLimitError) as fast:
            run_trial(limited, 7, 0)
        with pytest.raises(EventLimitError) as slow:
            plain(limited, 7)
        assert str(fast.value) == str(slow.value)
    else:
        assert same(run_trial(limited, 7, 0), plain(spec, 7))


def _events(spec: ClusterSpec) -> int:
    """How many events the plain trial handles before its end."""
    cluster = Cluster(spec, 7, 0)
    cluster._schedule()
    events: list[None] = []
    cluster.kernel.run_until(spec.duration, 1_000_000, lambda: events.append(None), 1)
    return len(events)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ("algorithm: {name: raft, heartbeat_spread: 10ms}", "heartbeat_spread"),
        ("algorithm: {name: raft, poll_interval: 10ms}", "poll_interval"),
        ("network: {transport: stream}", "transport: stream"),
        ("algorithm: {name: raft, replication: true}", "replication"),
        ("network: {latency: {uniform: [1ms, 2ms]}, bandwidth: 1Mbit/s}", "network.bandwidth"),
        ("algorithm: {name: zookeeper}", "does not say when it is quiet"),
    ],
)
def test_required_is_an_error_where_it_is_impossible(changed: str, reason: str) -> None:
    """ "`fast_forward: auto | off | required` ..., with the reason where it is refused"."""
    key = changed.partition(":")[0]
    lines = [line for line in CALM.splitlines() if not line.startswith(key)]
    text = "\n".join([*lines, changed])
    assert reason in str(simulator.loads(text).fast_forward_summary["refused"])
    with pytest.raises(ScenarioError, match=f"fast_forward.*{reason}"):
        simulator.loads(text + "\nfast_forward: required\n")


def test_off_skips_nothing() -> None:
    """`fast_forward: off` is the plain run."""
    cluster = Cluster(spec_of(CALM + "fast_forward: off\n"), 7, 0)
    cluster.run()
    assert cluster.skipped_ns == 0
