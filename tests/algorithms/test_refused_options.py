"""Options with which an algorithm could not work are refused before a trial, in one line with the field's name.

The plan: "Bad input: a one-line error that names file, line, field, value and remedy". Each condition is stated in the
help of the option, or follows from what the option means: a timeout of 0 fires for ever without time passing.
"""

from __future__ import annotations

import pytest

import simulator
from simulator.scenario import ScenarioError

REFUSED = [
    ("raft", "election_timeout: [300ms, 150ms]", "election_timeout", "write the lesser end first"),
    ("raft", "candidate_timeout: [0ms, 150ms]", "candidate_timeout", "the range must be positive"),
    ("raft", "heartbeat_interval: 0ms", "heartbeat_interval", "must be positive"),
    ("raft", "no_op: true", "no_op", "needs replication"),
    ("raft", "candidate_backoff: 11", "candidate_backoff", "must be from 1 to 10"),
    (
        "raft",
        "tick: 100ms, poll_interval: 50ms, election_timeout: [1s, 2s], heartbeat_interval: 100ms",
        "tick",
        "exclude",
    ),
    (
        "raft",
        "tick: 100ms, election_timeout: [150ms, 300ms]",
        "election_timeout",
        "a whole number of ticks, each of 100ms",
    ),
    ("raft", "learners: [n2, n2]", "learners", "named twice"),
    ("raft", "clock_drift_bound: 0.5", "clock_drift_bound", "must be from 1 to 10"),
    ("raft", 'lease_reads: true, leader_stickiness: "off"', "lease_reads", "needs leader_stickiness"),
    ("bully", "answer_timeout: 0ms", "answer_timeout", "must be above 0"),
    (
        "bully",
        "answer_timeout: 300ms, coordinator_timeout: 300ms",
        "coordinator_timeout",
        "must be above answer_timeout",
    ),
    ("bully", "check_interval: 0ms", "check_interval", "must be above 0"),
    ("invitation", "priority_wait: 0ms", "priority_wait", "must be above 0"),
    ("priority", "election_timeout: [0s, 1s]", "election_timeout", "must be two durations above 0"),
    ("priority", "alive_for: 0s", "alive_for", "must be above 0"),
    ("zookeeper-ensemble", "tick_time: 0ms", "tick_time", "must be above 0"),
    ("zookeeper-ensemble", "tick_time: 1ns", "tick_time", "so that there is half a tick"),
    ("zookeeper-ensemble", "sync_limit: 0", "sync_limit", "must be at least 1"),
    ("zookeeper-ensemble", "notification_interval: [0ms, 1s]", "notification_interval", "must be above 0"),
    ("zookeeper-ensemble", "observers: -1", "observers", "must be at least 0"),
    ("zookeeper", "servers: 0", "servers", "must be at least 1"),
    ("zookeeper", "servers: 2, observers: 2", "observers", "fewer than servers"),
    ("zookeeper", "session_timeout: 0ms", "session_timeout", "must be above 0"),
    ("zookeeper", "reconnect_delay: [50ms, 10ms]", "reconnect_delay", "write the lesser end first"),
    ("etcd-election", "servers: 0", "servers", "must be at least 1"),
    ("etcd-election", "election_timeout: 400ms", "election_timeout", "at least five heartbeat intervals"),
    ("etcd-election", "election_timeout: 1050ms", "election_timeout", "a whole number of ticks"),
    ("etcd-election", "heartbeat_interval: 0ms", "heartbeat_interval", "must be above 0"),
    ("etcd-election", "keepalive_time: 0s", "keepalive_time", "must be above 0"),
    ("etcd-election", "connect_timeout: 0s", "connect_timeout", "must be above 0"),
    ("etcd-election", "reconnect_delay: [0s, 1s]", "reconnect_delay", "must be two durations above 0"),
    ("etcd-election", "session_ttl: 1500ms", "session_ttl", "a whole number of seconds"),
]


@pytest.mark.parametrize(("algorithm", "options", "field", "reason"), REFUSED)
def test_options_that_cannot_work_are_refused(algorithm: str, options: str, field: str, reason: str) -> None:
    transport = "{transport: stream}" if algorithm.startswith("zookeeper") else "{}"
    text = f"version: 1\nname: x\nalgorithm: {{name: {algorithm}, {options}}}\ncluster: {{nodes: 5}}\n"
    with pytest.raises(ScenarioError) as refused:
        simulator.loads(f"{text}network: {transport}\nduration: 2s\n", "x.yaml")
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"x.yaml:3: algorithm.{field}")
    assert reason in line
