"""Read-only mode: "a leader without quorum, and followers without a leader, refuse writes and serve reads that are
marked stale, for as long as the option says" (issue 15).

ZooKeeper has it (ZOOKEEPER-784): a server that is cut off from its quorum may serve clients that can be read-only.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.cluster.clients.spec import ClientsSpec
from simulator.protocol import FOLLOWER
from simulator.trace.requests import RequestOutcome, RequestRow
from simulator.trace.trace import Trace
from tests.cluster.clients.test_claims import only_server
from tests.cluster.clients.test_logs import ENSEMBLE, MS, RAFT, acknowledged, trace_of
from tests.support.probe import Deed, Script, every, play, timer

CUT = "faults=[{at: 2s, partition: [[leader]], lasts: 2s}]"


def stale(trace: Trace) -> list[RequestRow]:
    return [row for row in trace.requests if row.stale]


def test_a_node_without_a_leader_reads_from_the_resource_and_refuses_writes() -> None:
    def names(leader: int | None) -> Deed:
        return lambda host: host.transition(FOLLOWER, 1, leader)

    script = Script(start={1: every(names(2), timer("lost", 20)), 2: names(None)}, on={"timer lost": names(None)})
    reads: ClientsSpec = replace(only_server(1), reads=1, attempts=1, stale_reads_for=30 * MS)
    trace = play(script, clients=reads, duration=100 * MS)
    # At 14 and 24 the client is sent to n2, which knows no leader; from 20 to 50 n1 answers; after that it refuses.
    outcomes = [(row.sent_ns / MS, str(row.outcome), row.stale) for row in trace.requests]
    served = [sent for sent, outcome, marked in outcomes if outcome == "acknowledged" and marked]
    assert served
    assert all(19 <= sent <= 49 for sent in served)
    assert [outcome for sent, outcome, _ in outcomes if sent > 50] == ["refused"] * sum(o[0] > 50 for o in outcomes)
    writes = play(script, clients=replace(reads, reads=0), duration=100 * MS)
    assert {row.outcome for row in writes.requests} == {RequestOutcome.REFUSED}
    assert writes.writes == ()
    (unsure,) = [row for row in trace.of_type("unsure") if row.node == 1]
    assert (unsure.time_ns, unsure.field("why")) == (20 * MS, "no-leader")


@pytest.mark.parametrize("consistency", ["default", "read_index"])
def test_a_leader_without_a_quorum_is_unsure_after_the_least_election_timeout(consistency: str) -> None:
    trace = trace_of(
        RAFT, CUT, "duration=3s", "clients.reads=1", "clients.stale_reads_for=500ms",
        f"clients.consistency={consistency}", "clients.nodes=4",
    )  # fmt: skip
    leader = trace.of_type("fault")[0].field("nodes")[0][0]
    (unsure,) = [row for row in trace.of_type("unsure") if row.node == leader and row.time_ns > 0]
    assert unsure.field("why") == "no-quorum"
    # The last answers of a majority came at most a heartbeat interval and a round trip before the cut, or just after.
    assert 2000 + 150 - 60 <= unsure.time_ns / MS <= 2000 + 150 + 10
    answered = [row for row in stale(trace) if row.attempts[-1].server == leader]
    assert answered
    for row in answered:
        assert row.ended_ns is not None
        assert unsure.time_ns <= row.ended_ns <= unsure.time_ns + 502 * MS


def test_without_the_option_nothing_is_stale() -> None:
    assert not stale(trace_of(RAFT, CUT, "duration=3s", "clients.reads=0.5"))


def test_a_leader_is_sure_again_when_a_majority_answers() -> None:
    trace = trace_of(RAFT, "faults=[{at: 2s, isolate: leader, lasts: 170ms}]", "duration=3s", "clients.reads=0.5")
    node = trace.of_type("fault")[0].field("nodes")[0]
    kinds = [(row.kind, round(row.time_ns / MS)) for row in trace.rows if row.node == node and row.time_ns > 2000 * MS]
    changes = [kind for kind, _ in kinds if kind in ("unsure", "sure")]
    assert changes[:2] == ["unsure", "sure"]


def test_an_ensembles_server_without_a_quorum_serves_stale_reads_only() -> None:
    overrides = ("duration=25s", "clients.reads=0.5", "clients.nodes=3", "clients.load={rate_per_s: 3}")
    crash = "faults=[{at: 5s, crash: majority-without-leader}]"
    trace = trace_of(ENSEMBLE, crash, *overrides, "clients.stale_reads_for=3s")
    assert stale(trace)
    unsure_ns = max(row.time_ns for row in trace.of_type("unsure"))
    for row in acknowledged(trace):
        if row.sent_ns > unsure_ns:
            assert row.stale
            assert row.operation == "read"
            assert row.ended_ns is not None
            assert row.ended_ns <= unsure_ns + 3002 * MS
    assert not stale(trace_of(ENSEMBLE, crash, *overrides))
