"""What a member does with requests (etcd-io/etcd: server/etcdserver/v3_server.go, read/read.go, api/v3rpc)."""

from __future__ import annotations

import pytest

from simulator.algorithms.etcd.messages import Call, LeaseGrant, LeaseKeepAlive, Range
from simulator.protocol import SECOND, NodeId
from tests.algorithms.etcd.bed import Scene, scene


def others(bench: Scene) -> list[NodeId]:
    return [node for node in bench.groups["etcd"] if node != bench.primary]


def replies(bench: Scene, number: int) -> list[str]:
    return [
        one.text for one in bench.sent if f"number={number}" in one.text and one.text.startswith(("Response", "Fail"))
    ]


def ask(bench: Scene, member: NodeId, number: int, request: object) -> None:
    bench.deliver(bench.inject(1, member, Call(number, request)))


def test_any_member_takes_a_request_and_forwards_it() -> None:
    """etcd-io/raft, stepFollower: MsgProp is forwarded to the leader; the member that was asked answers."""
    bench = scene(1)
    (member, _) = others(bench)
    before = len(bench.sent)
    ask(bench, member, 900, LeaseGrant(9))
    bench.deliver_all()
    assert [one.to for one in bench.sent[before:] if one.text.startswith("Forward")] == [bench.primary]
    (answer,) = [one for one in bench.sent[before:] if one.text.startswith("Response(number=900")]
    assert answer.sender == member and "ttl_s=9" in answer.text


def test_a_leader_says_at_once_that_more_is_committed() -> None:
    """etcd-io/raft: "if r.maybeCommit() { r.bcastAppend() }". Else the followers would apply it with the next
    heartbeat, up to 100 ms later."""
    bench = scene(1)
    ask(bench, bench.primary, 900, LeaseGrant(9))
    bench.deliver_all()  # No time passes.
    assert len({tuple(member.store.leases) for member in bench.members}) == 1
    assert all(9 in {lease.ttl_s for lease in member.store.leases.values()} for member in bench.members)


def test_a_leader_without_a_majority_answers_no_read() -> None:
    """Linearizable reads: the leader has to hear of a majority since the request (dissertation, section 6.4)."""
    bench = scene(1)
    primary = bench.primary
    bench.silent.update(others(bench))
    ask(bench, primary, 900, Range("election/"))
    bench.deliver_all()
    assert replies(bench, 900) == []
    bench.let_pass(7.5)
    assert [text.split("(")[0] for text in replies(bench, 900)] == ["Failed"]  # ReqTimeout: 5 s, and two timeouts.


def test_a_read_costs_a_round_of_heartbeats() -> None:
    """read_only.go: with ReadOnlySafe the leader sends heartbeats, and a majority answers. A follower asks it first."""
    bench = scene(1)
    (member, _) = others(bench)
    before = len(bench.sent)
    ask(bench, member, 900, Range("election/"))
    bench.deliver_all()
    kinds = sorted(type(one.message).__name__ for one in bench.sent[before:])
    round_trip = ["AppendEntries", "AppendEntries", "AppendEntriesReply", "AppendEntriesReply"]
    assert kinds == [*round_trip, "ReadIndex", "ReadIndexResponse", "Response"]


def test_a_request_without_a_leader_waits_for_one() -> None:
    """etcd-io/raft, node.go: proposals wait while there is no leader; the member gives up after ReqTimeout, 7 s."""
    bench = scene(1)
    primary, (member, other) = bench.primary, others(bench)
    bench.kill(primary)
    bench.let_pass(0.05)
    bench.member(member).raft._become_follower(bench.member(member).raft.term + 1, None)  # It has heard of a candidate.
    ask(bench, member, 900, LeaseGrant(9))
    bench.deliver_all()
    assert replies(bench, 900) == []
    bench.let_pass(6)
    assert replies(bench, 900)[0].startswith("Response")
    bench.silent.add(other)
    bench.let_pass(4)  # The leader finds that it has no majority.
    ask(bench, member, 901, LeaseGrant(9))
    bench.let_pass(6.5)
    assert replies(bench, 901) == []
    bench.let_pass(0.6)
    assert replies(bench, 901) == ["Failed(number=901)"]


def test_a_member_passes_a_keep_alive_on_and_tries_again_every_50_ms() -> None:
    """v3_server.go, LeaseRenew: "renewals don't go through raft; forward to leader manually"; 50 ms after an attempt
    has failed it tries again, with the leader that it then knows."""
    bench = scene(1, session_ttl=60 * SECOND)
    lease = bench.candidate(1).session.lease
    assert lease is not None
    primary, (member, _) = bench.primary, others(bench)
    bench.deliver(bench.inject(1, member, LeaseKeepAlive(99, lease)))
    bench.deliver_all()
    answers = [one for one in bench.sent if one.text.startswith("LeaseKeepAliveResponse(stream=99")]
    assert [(one.sender, "ttl_s=60" in one.text) for one in answers] == [(member, True)]
    bench.kill(primary)
    bench.deliver(bench.inject(1, member, LeaseKeepAlive(99, lease)))
    before = len(bench.times("Renew", member))
    bench.node(member).disconnect(primary, "refused")
    bench.let_pass(0.06)
    bench.node(member).disconnect(primary, "refused")
    bench.let_pass(0.06)
    again = bench.times("Renew", member)[before:]
    assert len(again) == 2 and again[1] - again[0] == pytest.approx(0.055, abs=0.006)
    bench.let_pass(4)
    answers = [one for one in bench.sent if one.text.startswith("LeaseKeepAliveResponse(stream=99")]
    assert len(answers) == 2 or bench.primary == member  # A new leader has no stream of another process to answer.


def test_a_member_without_a_leader_refuses_and_closes_streams() -> None:
    """interceptor.go: a stream that requires a leader is refused without one; monitorLeader cancels such streams after
    three election timeouts without one (maxNoLeaderCnt)."""
    bench = scene(1, session_ttl=60 * SECOND)
    session = bench.candidate(1).session
    server = session._server
    assert server is not None
    bench.silent.update(node for node in bench.groups["etcd"] if node != server)
    bench.let_pass(10)
    closed = [at / SECOND for at, one in bench.sent_at if one.sender == server and one.text.startswith("StreamClosed")]
    assert closed and 4 + 2 <= closed[0] <= 4 + 2 * 1.9 + 4.5
    assert bench.leaders == [1]  # The session goes on meanwhile.


def test_a_leader_that_was_paused_proves_that_it_leads_before_it_renews() -> None:
    """server.go, ensureLeadership (#15247): without a tick for three ticks, a linearizable read comes first."""
    for proves in (True, False):
        bench = scene(1, session_ttl=60 * SECOND, ensure_leadership=proves)
        primary = bench.member(bench.primary)
        primary.member.last_tick_ns = bench.now() - SECOND
        before = len(bench.sent)
        primary.renewals.forget(1)
        lease = bench.candidate(1).session.lease
        assert lease is not None
        bench.deliver(bench.inject(1, primary.host.me, LeaseKeepAlive(99, lease)))
        sent = [one.text for one in bench.sent[before:] if one.sender == primary.host.me]
        assert any("round=" in text for text in sent) is proves
        assert any(text.startswith("LeaseKeepAliveResponse") for text in sent) is not proves
        bench.deliver_all()
        assert any(one.text.startswith("LeaseKeepAliveResponse(stream=99") for one in bench.sent[before:])


def test_a_restarted_member_does_not_answer_for_its_earlier_process() -> None:
    """v3_server.go: a request is awaited by an id of this process (wait.Wait). The log holds earlier ones with the same
    numbers."""
    bench = scene(3, session_ttl=60 * SECOND)
    (member, _) = others(bench)
    bench.kill(member)
    bench.let_pass(1)
    bench.node(member).start()
    before = len(bench.sent)
    bench.let_pass(0.2)
    assert not [one for one in bench.sent[before:] if one.sender == member and one.text.startswith("Response")]
    bench.let_pass(3)
    states = {repr((member.store.keys._values, member.store.leases)) for member in bench.members}
    assert len(states) == 1  # It has applied the log again, to the same state.
