"""Clients of Raft and of a ZooKeeper ensemble: "with a log …, acknowledged at commit" (issue 15)."""

from __future__ import annotations

import pytest

import simulator
from simulator.cluster.cluster import run_trial
from simulator.protocol import MILLISECOND
from simulator.trace.requests import AttemptOutcome, RequestOutcome, RequestRow
from simulator.trace.trace import Trace

MS = MILLISECOND
RAFT = """
version: 1
name: clients
algorithm: {name: raft, replication: true, no_op: true}
cluster: {nodes: 3, disk: {write: 1ms}}
network: {latency: 5ms}
clients: {start: 1s, load: {think: 20ms}, paths: {latency: 1ms}}
duration: 1500ms
"""
ENSEMBLE = RAFT.replace("name: raft, replication: true, no_op: true", "name: zookeeper-ensemble")


def trace_of(text: str, *overrides: str, trial: int = 0) -> Trace:
    return run_trial(simulator.loads(text, overrides=overrides).cluster_spec(), 1, trial)


def acknowledged(trace: Trace) -> list[RequestRow]:
    return [row for row in trace.requests if row.outcome is RequestOutcome.ACKNOWLEDGED]


def last_attempt_ms(row: RequestRow) -> float:
    """From the attempt that was answered to its answer."""
    attempt = row.attempts[-1]
    assert attempt.answered_ns is not None
    return (attempt.answered_ns - attempt.sent_ns) / MS


def test_raft_acknowledges_a_write_when_a_majority_has_it_on_disk() -> None:
    """Section 5.3: an entry "is committed once the leader … has replicated it on a majority of the servers"."""
    trace = trace_of(RAFT)
    rows = acknowledged(trace)
    assert len(rows) > 10
    # On an open connection: 1 ms to the leader, whose blocking disk sends entries once they are written (1 ms), 5 ms
    # to a follower, which writes (1 ms) and replies (5 ms), and 1 ms back. Heartbeats may hold a message up.
    assert min(map(last_attempt_ms, rows)) == 14
    committed = {(row.client, row.number): row for row in trace.writes}
    for row in rows:
        write = committed[row.client, row.number]
        assert (write.value, write.token, write.log_index) == (row.value, row.token, row.log_index)
        assert row.ended_ns is not None
        assert write.time_ns + 1 * MS == row.ended_ns
    noted = {row.field("index"): row.time_ns for row in trace.of_type("commit")}
    assert {row.log_index: row.time_ns for row in trace.writes}.items() <= noted.items()


@pytest.mark.parametrize(
    ("consistency", "least_ms"),
    # `leader` and `stale`: a way of 1 ms to the server and back. `read_index`: a round of heartbeats of 10 ms between.
    [("leader", 2), ("stale", 2), ("read_index", 12), ("default", 12)],
)
def test_raft_reads_as_the_client_asks(consistency: str, least_ms: int) -> None:
    """Dissertation, 6.4: to read from its log alone, a leader must "make sure it hasn't been superseded": by a round of
    heartbeats to a majority."""
    trace = trace_of(RAFT, "clients.reads=1", f"clients.consistency={consistency}")
    assert min(map(last_attempt_ms, acknowledged(trace)[1:])) == least_ms
    assert {row.value for row in acknowledged(trace)} == {0}


def test_raft_reads_by_lease_without_asking_anybody() -> None:
    """Dissertation, 6.4.1: with a lease, "the leader would be allowed to reply to read-only queries … without any
    additional communication"."""
    lease = ("algorithm.lease_reads=true", "algorithm.leader_stickiness=refuse", "clients.reads=1")
    trace = trace_of(RAFT, *lease)
    assert min(map(last_attempt_ms, acknowledged(trace)[1:])) == 2
    asked = trace_of(RAFT, *lease, "clients.consistency=read_index")
    assert min(map(last_attempt_ms, acknowledged(asked)[1:])) == 12


@pytest.mark.parametrize("text", [RAFT, ENSEMBLE])
def test_a_read_sees_the_clients_own_last_write(text: str) -> None:
    """With one client and no fault, a linearizable register is a variable. An ensemble's client reads at the server
    that has acknowledged its write, and so has applied it."""
    trace = trace_of(text, "clients.reads=0.5", "duration=3s")
    value: int | None = 0
    for row in acknowledged(trace):
        value = row.value if row.operation == "write" else value
        assert row.value == value
    assert len({row.value for row in acknowledged(trace)}) > 5


def test_an_ensemble_acknowledges_after_the_commit_and_in_its_order() -> None:
    trace = trace_of(ENSEMBLE, "clients.nodes=4", "duration=3s")
    index_of = {(row.client, row.number): (row.token, row.log_index) for row in trace.writes}
    rows = acknowledged(trace)
    assert len(rows) > 40
    assert all(index_of[row.client, row.number] == (row.token, row.log_index) for row in rows)
    indices = [row.log_index for row in trace.writes]
    assert indices == list(range(1, len(indices) + 1))
    noted = {row.field("index"): row.time_ns for row in trace.of_type("commit")}
    assert {row.log_index: row.time_ns for row in trace.writes} == noted


def test_a_leader_that_steps_down_does_not_know_what_becomes_of_its_writes() -> None:
    """hashicorp/raft, ErrLeadershipLost: "it's not known whether the log was replicated"."""
    lost = 0
    for trial in range(5):
        trace = trace_of(
            RAFT,
            "clients.nodes=4",
            "clients.load={rate_per_s: 50}",
            "faults=[{at: 1200ms, isolate: leader, lasts: 1s}]",
            "duration=4s",
            trial=trial,
        )
        attempts = [attempt for row in trace.requests for attempt in row.attempts]
        lost += sum(attempt.outcome is AttemptOutcome.LOST for attempt in attempts)
        index_of = {(row.log_index, row.token): row.value for row in trace.writes}
        assert all(index_of[row.log_index, row.token] == row.value for row in acknowledged(trace))
    assert lost > 0


WORKLOAD = RAFT.replace(
    "clients: {start: 1s, load: {think: 20ms}, paths: {latency: 1ms}}", "workload: {rate_per_s: 100}"
)


@pytest.mark.parametrize(
    "text", [WORKLOAD, WORKLOAD.replace("raft, replication: true, no_op: true", "zookeeper-ensemble")]
)
def test_a_workload_is_a_client_without_a_path(text: str) -> None:
    """Issue 15: "Today's `workload:` becomes such a group without a network path of its own"."""
    trace = trace_of(text, "faults=[{at: 3s, crash: leader}]", "duration=4s")
    rows = trace.requests
    assert {row.client for row in rows} == {trace.pathless_client} == {4}
    assert {row.operation for row in rows} == {"write"}
    index_of = {(row.client, row.number): row for row in trace.writes}
    done = acknowledged(trace)
    assert len(done) > 50
    for row in done:
        write = index_of[row.client, row.number]
        assert (row.ended_ns, row.value, row.log_index) == (write.time_ns, write.value, write.log_index)
    # Before the first leader, and after the crash, nobody takes them; what the leader took with it is unknown.
    (crash,) = trace.of_type("crashed")
    assert {row.ended_ns for row in rows if row.outcome is RequestOutcome.UNKNOWN} <= {crash.time_ns}
    assert rows[0].outcome is RequestOutcome.FAILED
    assert not trace.of_type("unsure")  # The rows of the cluster, and so the digest, are those of 0.3.0.
